// Seeds of the fuzzers, from the vectors: node --import tsx test/vectors/link/corpus.ts writes firmware-bridge/test/fuzz/corpus.
import { mkdirSync, writeFileSync } from 'node:fs';
import * as cases from './cases.ts';
import * as ref from './reference.ts';

const CORPUS = new URL('../../../firmware-bridge/test/fuzz/corpus/', import.meta.url);
const CLIP_SIZE = 700;
const ACT = { NOISE: 0xf0, TICK: 0xf1, LINE_LOST: 0xf2, STORAGE: 0xf3, SEND: 0xf4 };

const none = Buffer.alloc(0);
const act = (type: number, bytes: Buffer = none) =>
  Buffer.concat([ref.u8(type), ref.u16(bytes.length), bytes]);
const docked = (...acts: Buffer[]) => Buffer.concat([ref.u8(1), ...acts]);
const read = (counter: number, offset: number, length: number, most: number) =>
  act(5, Buffer.concat([ref.u64(counter), ref.u64(offset), ref.u32(length), ref.u32(most)]));

/** Two bytes before the stream: the decoder's memory, and the pieces in which it comes. */
function decoderSeeds(): Buffer[] {
  const streams = cases.streams() as { bytes: string }[];
  const frames = cases.frames().filter(({ frame }) => frame.length < 600);
  return [
    ...streams.map(({ bytes }, i) =>
      Buffer.concat([Buffer.from([255, i * 3]), Buffer.from(bytes, 'hex')]),
    ),
    ...frames.map(({ frame }, i) =>
      Buffer.concat([Buffer.from([100, i]), Buffer.from(frame, 'hex')]),
    ),
  ];
}

/** A receipt for the fuzzed camera, whose keys are bytes that repeat and whose signatures hold as they are. */
function receipt(tree: number, index: number): Buffer {
  const leaves = Array.from({ length: tree }, (_, i) => ref.sha256(ref.u8(i)));
  const text = ref.receiptText({
    dock: cases.DOCK,
    camera: cases.SERIAL,
    counter: 3,
    size: CLIP_SIZE,
    sha256: '0'.repeat(64),
    clip: '0'.repeat(32),
    leaf: (leaves[index] as Buffer).toString('hex'),
    index,
    tree,
    root: ref.treeRoot(leaves).toString('hex'),
    proof: ref.inclusionProof(index, leaves).map((hash) => hash.toString('hex')),
  });
  const key = { seed: none, publicKey: Buffer.alloc(32, 2), sign: () => Buffer.alloc(64, 1) };
  const note = ref.signNote(text, key, `${cases.DOCK}/receipt`);
  return act(6, Buffer.concat([ref.u64(3), Buffer.from(note)]));
}

function cameraSeeds(): Buffer[] {
  const list = act(4, Buffer.concat([ref.u64(0), ref.u16(9)]));
  const rate = act(9, ref.u32(921_600));
  const status = act(3);
  const session = cases.session().flatMap(({ frames }) => frames.map((f) => Buffer.from(f, 'hex')));
  const greeting = session.filter((frame) => (frame[2] as number) <= 3).slice(0, 6);
  return [
    docked(status, list, act(7, ref.i64(1_760_000_000_000))),
    docked(read(1, 0, 700, 64), read(2, 100, 9000, 128), status),
    docked(...Array.from({ length: 9 }, () => read(3, 690, 10, 64)), act(ACT.SEND, ref.u8(50))),
    docked(read(1, 0, 700, 700), act(ACT.SEND, ref.u8(90)), act(ACT.STORAGE, ref.u8(1)), status),
    docked(receipt(1, 0), receipt(1, 0), list),
    docked(receipt(2, 1)),
    docked(receipt(7, 4)),
    docked(rate, status, act(ACT.TICK, ref.u8(200)), act(ACT.NOISE, ref.u16(7)), act(ACT.TICK)),
    docked(rate, act(ACT.TICK, ref.u8(100)), status, rate, act(8), rate),
    docked(read(1, 0, 700, 64), act(ACT.SEND, ref.u8(30)), act(ACT.LINE_LOST), status),
    Buffer.concat([ref.u8(0), ...greeting.map((frame) => act(ACT.NOISE, frame))]),
    Buffer.concat([
      ref.u8(0),
      act(ACT.NOISE, Buffer.from('d0c406000100000000080000', 'hex')),
      act(ACT.TICK, ref.u8(20)),
      act(0x7f),
      act(0x82),
    ]),
  ];
}

export function corpusFiles(): { url: URL; bytes: Buffer }[] {
  const seeds = { decoder: decoderSeeds(), camera: cameraSeeds() };
  return Object.entries(seeds).flatMap(([name, all]) =>
    all.map((bytes, i) => ({
      url: new URL(`${name}/seed-${String(i).padStart(2, '0')}`, CORPUS),
      bytes,
    })),
  );
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  for (const { url, bytes } of corpusFiles()) {
    mkdirSync(new URL('./', url), { recursive: true });
    writeFileSync(url, bytes);
  }
}
