// The cases of test/vectors/link, made from fixed seeds; write.ts puts them into files.
import * as ref from './reference.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const seed = (label: string) => ref.sha256(Buffer.from(`docket link vectors: ${label}`));

export const KEYS = {
  camera: ref.keyFromSeed(seed('camera')),
  link: ref.keyFromSeed(seed('dock link')),
  receipt: ref.keyFromSeed(seed('dock receipt')),
  foreign: ref.keyFromSeed(seed('foreign')),
};
export const DOCK = 'leeds-north/dock-1';
export const SERIAL = 'CAM-0001';
export const CLIP_BYTES = Buffer.from(Array.from({ length: 300 }, (_, i) => (i * 7) & 0xff));
const START = 1_760_000_000_000;

const CLIP: ref.RecordFields = {
  auth: 1,
  serial: SERIAL,
  counter: 3,
  size: CLIP_BYTES.length,
  sha256: ref.sha256(CLIP_BYTES),
  startedAtMs: START,
  endedAtMs: START + 4_000,
  clockQuality: 2,
  trigger: 1,
  flags: 1,
  name: '20251009_084640.mp4',
  wearer: 'CEO-117',
};
const RECORD = ref.signRecord(CLIP, KEYS.camera);
const HELLO: ref.Hello = {
  dock: DOCK,
  serial: SERIAL,
  dockNonce: seed('dock nonce'),
  cameraNonce: seed('camera nonce'),
  lastCounter: 3,
};

export function keys(): unknown {
  const pair = (key: ref.Key) => ({ seed: hex(key.seed), publicKey: hex(key.publicKey) });
  return {
    dock: DOCK,
    serial: SERIAL,
    camera: pair(KEYS.camera),
    link: pair(KEYS.link),
    receipt: pair(KEYS.receipt),
    foreign: pair(KEYS.foreign),
    clip: hex(CLIP_BYTES),
  };
}

export function transcripts(): unknown {
  return [HELLO, { ...HELLO, dock: 'a/b', serial: 'x', lastCounter: 0 }].map((hello) => {
    const camera = ref.transcript('camera', hello);
    const dock = ref.transcript('dock', hello);
    return {
      protocol: 1,
      dock: hello.dock,
      serial: hello.serial,
      dockNonce: hex(hello.dockNonce),
      cameraNonce: hex(hello.cameraNonce),
      lastCounter: hello.lastCounter,
      camera: hex(camera),
      cameraSignature: hex(KEYS.camera.sign(camera)),
      dockTranscript: hex(dock),
      dockSignature: hex(KEYS.link.sign(dock)),
    };
  });
}

const hello = Buffer.concat([Buffer.from([1, 1]), ref.string8(DOCK), HELLO.dockNonce]);
const helloOk = Buffer.concat([
  Buffer.from([1, 1]),
  ref.string8(SERIAL),
  HELLO.cameraNonce,
  ref.u64(3),
  KEYS.camera.sign(ref.transcript('camera', HELLO)),
]);
const prove = KEYS.link.sign(ref.transcript('dock', HELLO));
const statusOk = Buffer.concat([
  Buffer.from([80, 1]),
  ref.u64(64_000_000_000),
  ref.u64(63_000_000_000),
  ref.i64(START + 60_000),
  ref.u8(2),
  ref.string8('fwb-test 1.0'),
]);
const read = (offset: number, length: number, most: number) =>
  Buffer.concat([ref.u64(3), ref.u64(offset), ref.u32(length), ref.u32(most)]);
/** The bytes from `offset` to `end`, for a READ that asked from `first`. */
const data = (offset: number, end: number, first = 0) =>
  Buffer.concat([ref.u32(offset - first), CLIP_BYTES.subarray(offset, end)]);
const error = (code: number, detail: string) => Buffer.concat([ref.u16(code), ref.string8(detail)]);

/** One frame for each message of SPEC 3. */
export function frames(): {
  name: string;
  type: number;
  request: number;
  payload: string;
  frame: string;
}[] {
  const note = ref.signNote(ref.receiptText(receiptFields(1, 0)), KEYS.receipt, `${DOCK}/receipt`);
  const list: readonly (readonly [string, number, number, Buffer])[] = [
    ['HELLO', 0x01, 1, hello],
    ['PROVE', 0x02, 2, prove],
    ['STATUS', 0x03, 3, Buffer.alloc(0)],
    ['LIST', 0x04, 4, Buffer.concat([ref.u64(1), ref.u16(16)])],
    ['READ', 0x05, 5, read(0, 300, 128)],
    ['RECEIPT', 0x06, 6, Buffer.concat([ref.u64(3), Buffer.from(note)])],
    ['CLOCK', 0x07, 7, ref.i64(START + 61_000)],
    ['BYE', 0x08, 8, Buffer.alloc(0)],
    ['RATE', 0x09, 9, ref.u32(3_000_000)],
    ['HELLO_OK', 0x81, 1, helloOk],
    ['PROVED', 0x82, 2, Buffer.alloc(0)],
    ['STATUS_OK', 0x83, 3, statusOk],
    ['RECORD', 0x84, 4, RECORD],
    ['RECORDS_END', 0x85, 4, Buffer.concat([ref.u64(0), ref.u16(1)])],
    ['DATA', 0x86, 5, data(0, 128)],
    ['RELEASED', 0x87, 6, ref.u64(3)],
    ['CLOCK_OK', 0x88, 7, ref.i64(-1_000)],
    ['RATE_OK', 0x89, 9, ref.u32(921_600)],
    ['ERROR', 0x8f, 0xfffffffe, error(5, 'no clip 9')],
  ];
  return list.map(([name, type, request, payload]) => ({
    name,
    type,
    request,
    payload: hex(payload),
    frame: hex(ref.encodeFrame(type, request, payload)),
  }));
}

function flip(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] as number) ^ 0x40;
  return copy;
}

function rawHeader(flags: number, length: number): Buffer {
  const head = Buffer.concat([Buffer.from([0xd0, 0xc4, 0x86, flags]), ref.u32(9), ref.u32(length)]);
  return Buffer.concat([head, ref.u32(ref.crc32(head))]);
}

/** Lines with damage: what a receiver finds, and what it has discarded once the line fell silent. */
export function streams(): unknown[] {
  const a = ref.encodeFrame(0x05, 11, read(0, 100, 64));
  const b = ref.encodeFrame(0x03, 12, Buffer.alloc(0));
  const inner = ref.encodeFrame(0x07, 13, ref.i64(START));
  const noise = Buffer.from('d0d0c4ffd0c405000000d0', 'hex');
  const list: readonly (readonly [string, Buffer])[] = [
    ['two frames', Buffer.concat([a, b])],
    ['noise before, between and after', Buffer.concat([noise, a, noise, b, noise])],
    ['a damaged header, then a frame', Buffer.concat([flip(a, 5), b])],
    ['a damaged payload, then a frame', Buffer.concat([flip(a, 20), b])],
    ['a damaged payload checksum, then a frame', Buffer.concat([flip(a, a.length - 1), b])],
    ['a lost byte, then a frame', Buffer.concat([a.subarray(0, 18), a.subarray(19), b, a])],
    [
      'a frame inside a damaged frame',
      flip(ref.encodeFrame(0x86, 14, Buffer.concat([inner, a])), 80),
    ],
    ['a frame as the payload of a frame', ref.encodeFrame(0x86, 15, inner)],
    ['flags that are not 0', Buffer.concat([rawHeader(1, 0), ref.u32(0), b])],
    ['a header that claims 4 GiB', Buffer.concat([rawHeader(0, 0xffffffff), b])],
    [
      'a header that claims one byte too many',
      Buffer.concat([rawHeader(0, ref.FRAME_PAYLOAD_MAX + 1), b]),
    ],
    ['a cut frame with a frame behind it', Buffer.concat([rawHeader(0, 4_000), b, a])],
    ['a cut frame', a.subarray(0, a.length - 1)],
    ['a cut header', a.subarray(0, 15)],
    ['a wrong checksum of an empty payload', Buffer.concat([b.subarray(0, 16), ref.u32(1), a])],
    ['silence', Buffer.alloc(0)],
  ];
  return list.map(([name, bytes]) => {
    const now = ref.decodeFrames(bytes, false);
    const ended = ref.decodeFrames(bytes, true);
    return {
      name,
      bytes: hex(bytes),
      frames: now.frames.map((f) => ({ ...f, payload: hex(f.payload) })),
      framesAfterGap: ended.frames
        .slice(now.frames.length)
        .map((f) => ({ ...f, payload: hex(f.payload) })),
      discarded: ended.discarded,
    };
  });
}

export function records(): unknown[] {
  const good = (name: string, change: Partial<ref.RecordFields>) => {
    const fields = { ...CLIP, ...change };
    const record = ref.signRecord(fields, fields.auth === 1 ? KEYS.camera : undefined);
    return {
      name,
      ok: true,
      record: hex(record),
      fields: { ...fields, sha256: hex(fields.sha256) },
    };
  };
  const bad = (name: string, reason: 'grammar' | 'signature', record: Buffer) => ({
    name,
    ok: false,
    reason,
    record: hex(record),
  });
  const resigned = (at: number, value: number) => {
    const body = Buffer.from(RECORD.subarray(0, -64));
    body[at] = value;
    return Buffer.concat([body, KEYS.camera.sign(ref.recordMessage(body))]);
  };
  const clockQuality = 2 + 9 + 8 + 8 + 32 + 16;
  return [
    good('a clip', {}),
    good('no key', { auth: 0 }),
    good('an empty clip, nothing told', {
      size: 0,
      sha256: ref.sha256(),
      name: '',
      wearer: '',
      flags: 0,
    }),
    good('a name that is a path', { name: '../../etc/passwd' }),
    good('a name with control characters', { name: 'a\u0000b\u001b[2J\r\n' }),
    good('the longest record', {
      serial: 'S'.repeat(32),
      counter: Number.MAX_SAFE_INTEGER,
      size: Number.MAX_SAFE_INTEGER,
      name: 'n'.repeat(255),
      wearer: 'w'.repeat(130),
      startedAtMs: -1,
    }),
    bad('another key', 'signature', ref.signRecord(CLIP, KEYS.foreign)),
    bad('a flipped size', 'signature', flip(RECORD, 20)),
    bad('a flipped signature', 'signature', flip(RECORD, RECORD.length - 1)),
    bad('no key, but a signature', 'signature', ref.signRecord({ ...CLIP, auth: 0 }, KEYS.camera)),
    bad('cut', 'grammar', RECORD.subarray(0, RECORD.length - 1)),
    bad('too long', 'grammar', Buffer.concat([RECORD, ref.u8(0)])),
    bad('empty', 'grammar', Buffer.alloc(0)),
    bad(
      'longer than RECORD_SIZE_MAX',
      'grammar',
      ref.signRecord({ ...CLIP, name: 'n'.repeat(255), wearer: 'w'.repeat(178) }, KEYS.camera),
    ),
    bad('record version 2', 'grammar', resigned(0, 2)),
    bad('auth 2', 'grammar', resigned(1, 2)),
    bad('a serial with a slash', 'grammar', resigned(3, 0x2f)),
    bad('counter 0', 'grammar', ref.signRecord({ ...CLIP, counter: 0 }, KEYS.camera)),
    bad('counter above 2^53 - 1', 'grammar', resigned(11 + 7, 0x20)),
    bad('size above 2^53 - 1', 'grammar', resigned(19 + 7, 0x20)),
    bad('clock quality 4', 'grammar', resigned(clockQuality, 4)),
    bad('trigger 5', 'grammar', resigned(clockQuality + 1, 5)),
    bad('an unknown flag', 'grammar', resigned(clockQuality + 2, 2)),
    bad('a name that is not UTF-8', 'grammar', resigned(clockQuality + 4, 0xff)),
  ];
}

function leaves(count: number): Buffer[] {
  return Array.from({ length: count }, (_, i) => ref.sha256(ref.u8(0), Buffer.from(`entry ${i}`)));
}

function receiptFields(tree: number, index: number): ref.ReceiptFields {
  const all = leaves(tree);
  return {
    dock: DOCK,
    camera: SERIAL,
    counter: CLIP.counter,
    size: CLIP.size,
    sha256: hex(CLIP.sha256),
    clip: '00112233445566778899aabbccddeeff',
    leaf: hex(all[index] as Buffer),
    index,
    tree,
    root: hex(ref.treeRoot(all)),
    proof: ref.inclusionProof(index, all).map(hex),
  };
}

/** For the camera SERIAL in a session with DOCK, holding the clip of keys.json as counter 3. */
export function receipts(): { name: string; ok: boolean; counter: number; note: string }[] {
  const name = `${DOCK}/receipt`;
  const note = (fields: Partial<ref.ReceiptFields>, tree = 7, index = 4) =>
    ref.signNote(ref.receiptText({ ...receiptFields(tree, index), ...fields }), KEYS.receipt, name);
  const text = ref.receiptText(receiptFields(7, 4));
  const resign = (changed: string) => ref.signNote(changed, KEYS.receipt, name);
  const good = ([1, 2, 3, 4, 7, 8, 9, 33] as const).flatMap((tree) =>
    [...new Set([0, tree >> 1, tree - 1])].map((index) => ({
      name: `entry ${index} of ${tree}`,
      ok: true,
      counter: 3,
      note: note({}, tree, index),
    })),
  );
  const proof = receiptFields(7, 4).proof;
  const zeros = '0'.repeat(64);
  const bad: Record<string, string> = {
    'signed by another key': ref.signNote(text, KEYS.foreign, name),
    'signed by the link key': ref.signNote(text, KEYS.link, name),
    'another key under this key id': `${text}\n${withKeyIdOf(KEYS.receipt, ref.noteSignature(name, KEYS.foreign, text))}`,
    'a wrong key id': `${text}\n${withKeyIdOf(KEYS.foreign, ref.noteSignature(name, KEYS.receipt, text))}`,
    'a changed text': note({}).replace('size 300', 'size 301'),
    'another name': ref.signNote(text, KEYS.receipt, `${DOCK}/manifest`),
    'another dock': ref.signNote(text.replace(DOCK, 'leeds-north/dock-2'), KEYS.receipt, name),
    'another camera': note({ camera: 'CAM-0002' }),
    'another counter': note({ counter: 4 }),
    'another size': note({ size: 301 }),
    'another digest': note({ sha256: zeros }),
    'an index that is not below the tree': note({ index: 7 }),
    'another index': note({ index: 5 }),
    'another tree size': note({ tree: 5 }),
    'a tree of 0': note({ tree: 0, index: 0, proof: [] }),
    'another leaf': note({ leaf: zeros }),
    'another root': note({ root: zeros }),
    'another proof': note({ proof: [zeros, ...proof.slice(1)] }),
    'a proof that is too short': note({ proof: proof.slice(0, -1) }),
    'no proof': note({ proof: [] }),
    'a proof that is too long': note({ proof: [...proof, zeros] }),
    'a proof of 65 hashes': note({ proof: Array(65).fill(zeros) }),
    'a leading zero': note({ index: '04' }),
    'a sign': note({ size: '+300' }),
    'a number above 2^53 - 1': note({ tree: '9007199254740992' }),
    'a number above 2^64': note({ tree: '18446744073709551623' }),
    'an empty number': note({ tree: '' }),
    'upper-case hex': note({ root: receiptFields(7, 4).root.toUpperCase() }),
    'a clip id that is too short': note({ clip: '00' }),
    'another first line': resign(text.replace('/v1', '/v2')),
    'a missing line': resign(text.replace(/clip .*\n/, '')),
    'a line twice': resign(text.replace(/(clip .*\n)/, '$1$1')),
    'lines in another order': resign(text.replace(/(index .*\n)(tree .*\n)/, '$2$1')),
    'a line more': resign(`${text}note hello\n`),
    'CR LF': resign(text.replaceAll('\n', '\r\n')),
    'two spaces': resign(text.replace('size ', 'size  ')),
    'no blank line': text + ref.noteSignature(name, KEYS.receipt, text),
    'no signature': `${text}\n`,
    'a hyphen for the dash': note({}).replace('\u2014', '-'),
    'no LF at the end': note({}).slice(0, -1),
    'bytes after the end': `${note({})}x`,
    'two signature lines': note({}) + ref.noteSignature(name, KEYS.foreign, text),
    'base64 without padding': note({}).replace(/=\n$/, '\n'),
    'another spelling of the base64': otherBase64Spelling(note({})),
    'cut in the text': note({}).slice(0, 200),
    empty: '',
  };
  const refused = Object.entries(bad).map(([label, bytes]) => ({
    name: label,
    ok: false,
    counter: 3,
    note: bytes,
  }));
  return [
    ...good,
    { name: 'one clip asked, another receipted', ok: false, counter: 2, note: note({}) },
    ...refused,
  ];
}

function withKeyIdOf(key: ref.Key, line: string): string {
  const name = line.split(' ')[1] as string;
  const bytes = Buffer.from((line.split(' ')[2] as string).trim(), 'base64');
  ref.sha256(Buffer.from(`${name}\n`), ref.u8(1), key.publicKey).copy(bytes, 0, 0, 4);
  return `\u2014 ${name} ${bytes.toString('base64')}\n`;
}

/** 68 bytes leave two bits of the last letter unused; canonical base64 has them 0. */
function otherBase64Spelling(note: string): string {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  return note.replace(
    /(.)=\n$/,
    (_, letter: string) => `${letters[letters.indexOf(letter) + 1]}=\n`,
  );
}

/** A whole session, answer for answer, with the nonces of transcripts.json and a camera that has one clip (counter 3). */
export function session(): { dock: string; name: string; frames: string[]; camera: string[] }[] {
  const frame = (type: number, request: number, payload: Buffer) =>
    hex(ref.encodeFrame(type, request, payload));
  const note = ref.signNote(ref.receiptText(receiptFields(7, 4)), KEYS.receipt, `${DOCK}/receipt`);
  const none = Buffer.alloc(0);
  const step = (name: string, frames: string[], camera: string[]) => ({
    dock: DOCK,
    name,
    frames,
    camera,
  });
  const receipt = Buffer.concat([ref.u64(3), Buffer.from(note)]);
  return [
    step(
      'STATUS before HELLO',
      [frame(3, 1, none)],
      [frame(0x8f, 1, error(3, 'authenticate first'))],
    ),
    step(
      'HELLO of protocols 2 to 3',
      [frame(1, 2, Buffer.concat([Buffer.from([2, 3]), hello.subarray(2)]))],
      [frame(0x8f, 2, error(2, 'protocol 1 only'))],
    ),
    step('HELLO', [frame(1, 3, hello)], [frame(0x81, 3, helloOk)]),
    step(
      'LIST before PROVE',
      [frame(4, 4, Buffer.concat([ref.u64(1), ref.u16(9)]))],
      [frame(0x8f, 4, error(3, 'authenticate first'))],
    ),
    step(
      'RATE before PROVE',
      [frame(9, 32, ref.u32(921_600))],
      [frame(0x8f, 32, error(3, 'authenticate first'))],
    ),
    step('PROVE', [frame(2, 5, prove)], [frame(0x82, 5, none)]),
    step('PROVE repeated', [frame(2, 6, prove)], [frame(0x82, 6, none)]),
    step('STATUS', [frame(3, 7, none)], [frame(0x83, 7, statusOk)]),
    step('STATUS too long', [frame(3, 8, ref.u8(0))], [frame(0x8f, 8, error(1, 'malformed'))]),
    step(
      'a type that SPEC does not know',
      [frame(0x7f, 9, none)],
      [frame(0x8f, 9, error(1, 'unknown type'))],
    ),
    step('its own answer, echoed', [frame(0x82, 9, none)], []),
    step(
      'LIST',
      [frame(4, 10, Buffer.concat([ref.u64(0), ref.u16(9)]))],
      [frame(0x84, 10, RECORD), frame(0x85, 10, Buffer.concat([ref.u64(0), ref.u16(1)]))],
    ),
    step(
      'LIST of no records',
      [frame(4, 11, Buffer.concat([ref.u64(1), ref.u16(0)]))],
      [frame(0x85, 11, Buffer.concat([ref.u64(3), ref.u16(0)]))],
    ),
    step(
      'LIST past the last',
      [frame(4, 12, Buffer.concat([ref.u64(4), ref.u16(9)]))],
      [frame(0x85, 12, Buffer.concat([ref.u64(0), ref.u16(0)]))],
    ),
    step(
      'READ whole, then a READ past the end',
      [frame(5, 13, read(0, 300, 128)), frame(5, 14, read(256, 1000, 64))],
      [
        frame(0x86, 13, data(0, 128)),
        frame(0x86, 13, data(128, 256)),
        frame(0x86, 13, data(256, 300)),
        frame(0x86, 14, data(256, 300, 256)),
      ],
    ),
    step('READ at the end', [frame(5, 15, read(300, 1, 64))], [frame(0x8f, 15, error(6, 'range'))]),
    step('READ of 0 bytes', [frame(5, 16, read(0, 0, 64))], [frame(0x8f, 16, error(6, 'range'))]),
    step(
      'READ of too many bytes',
      [frame(5, 17, read(0, 1_048_577, 64))],
      [frame(0x8f, 17, error(6, 'range'))],
    ),
    step(
      'READ with frames too small',
      [frame(5, 18, read(0, 10, 63))],
      [frame(0x8f, 18, error(6, 'range'))],
    ),
    step(
      'READ with frames too big',
      [frame(5, 19, read(0, 10, 65_537))],
      [frame(0x8f, 19, error(6, 'range'))],
    ),
    step(
      'READ of no clip',
      [frame(5, 20, Buffer.concat([ref.u64(2), read(0, 1, 64).subarray(8)]))],
      [frame(0x8f, 20, error(5, 'no such clip'))],
    ),
    step(
      'READ from the middle: offsets count from there',
      [frame(5, 33, read(10, 100, 64))],
      [frame(0x86, 33, data(10, 74, 10)), frame(0x86, 33, data(74, 110, 10))],
    ),
    step(
      'RATE above what the camera supports',
      [frame(9, 34, ref.u32(3_000_000))],
      [frame(0x89, 34, ref.u32(921_600))],
    ),
    step(
      'RATE between two that the camera supports',
      [frame(9, 35, ref.u32(500_000))],
      [frame(0x89, 35, ref.u32(460_800))],
    ),
    step(
      'RATE below the base rate: the present one stays',
      [frame(9, 36, ref.u32(9_600))],
      [frame(0x89, 36, ref.u32(460_800))],
    ),
    step(
      'RATE too short',
      [frame(9, 37, ref.u16(9_600))],
      [frame(0x8f, 37, error(1, 'malformed'))],
    ),
    step('CLOCK', [frame(7, 21, ref.i64(START + 61_000))], [frame(0x88, 21, ref.i64(-1_000))]),
    step(
      'RECEIPT of a foreign key',
      [
        frame(
          6,
          22,
          Buffer.concat([
            ref.u64(3),
            Buffer.from(
              ref.signNote(ref.receiptText(receiptFields(7, 4)), KEYS.foreign, `${DOCK}/receipt`),
            ),
          ]),
        ),
      ],
      [frame(0x8f, 22, error(8, 'receipt does not hold'))],
    ),
    step('RECEIPT', [frame(6, 23, receipt)], [frame(0x87, 23, ref.u64(3))]),
    step('RECEIPT repeated', [frame(6, 24, receipt)], [frame(0x87, 24, ref.u64(3))]),
    step(
      'LIST after release',
      [frame(4, 25, Buffer.concat([ref.u64(1), ref.u16(9)]))],
      [frame(0x85, 25, Buffer.concat([ref.u64(0), ref.u16(0)]))],
    ),
    step('BYE', [frame(8, 26, none)], []),
    step(
      'STATUS after BYE',
      [frame(3, 27, none)],
      [frame(0x8f, 27, error(3, 'authenticate first'))],
    ),
    step(
      'PROVE after BYE',
      [frame(2, 28, prove)],
      [frame(0x8f, 28, error(3, 'authenticate first'))],
    ),
    step('HELLO again', [frame(1, 29, hello)], [frame(0x81, 29, helloOk)]),
    step(
      'PROVE with a wrong signature',
      [frame(2, 30, flip(prove, 0))],
      [frame(0x8f, 30, error(4, 'not authentic'))],
    ),
    step(
      'PROVE after a wrong one',
      [frame(2, 31, prove)],
      [frame(0x8f, 31, error(3, 'authenticate first'))],
    ),
  ];
}

/** Every signature the vectors hold, for test builds of the camera that have no Ed25519. */
export function signed(): { key: string; message: string; signature: string }[] {
  const both = [HELLO];
  const messages: [ref.Key, Buffer][] = both.flatMap((h) => [
    [KEYS.camera, ref.transcript('camera', h)] as [ref.Key, Buffer],
    [KEYS.link, ref.transcript('dock', h)] as [ref.Key, Buffer],
  ]);
  for (const item of records() as { ok: boolean; record: string; fields?: { auth: number } }[]) {
    const body = Buffer.from(item.record, 'hex').subarray(0, -64);
    if (item.ok && item.fields?.auth === 1) messages.push([KEYS.camera, ref.recordMessage(body)]);
  }
  for (const { note } of receipts()) {
    const blank = note.indexOf('\n\n');
    if (blank >= 0) messages.push([KEYS.receipt, Buffer.from(note.slice(0, blank + 1))]);
  }
  const seen = new Set<string>();
  return messages
    .map(([key, message]) => ({
      key: hex(key.publicKey),
      message: hex(message),
      signature: hex(key.sign(message)),
    }))
    .filter((item) => !seen.has(item.key + item.message) && seen.add(item.key + item.message));
}
