// An independent reading of SPEC with node:crypto alone: it shares no code with the dock or the camera library.
import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';

export const FRAME_PAYLOAD_MAX = 65_568;
const PKCS8_ED25519 = Buffer.from('302e020100300506032b657004220420', 'hex');

export interface Frame {
  readonly type: number;
  readonly request: number;
  readonly payload: Buffer;
}

export const u8 = (value: number) => Buffer.from([value]);
export function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}
export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
export function u64(value: number | bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}
export function i64(value: number | bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(BigInt(value));
  return bytes;
}
export function string8(text: string | Buffer): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([u8(bytes.length), bytes]);
}

/** SPEC 1: bit by bit, so that a table with one wrong entry cannot hide. */
export function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

/** SPEC 2 */
export function encodeFrame(type: number, request: number, payload: Uint8Array): Buffer {
  const head = Buffer.concat([
    Buffer.from([0xd0, 0xc4, type, 0]),
    u32(request),
    u32(payload.length),
  ]);
  return Buffer.concat([head, u32(crc32(head)), payload, u32(crc32(payload))]);
}

function headerHolds(bytes: Buffer, at: number): boolean {
  return (
    bytes[at] === 0xd0 &&
    bytes[at + 1] === 0xc4 &&
    bytes[at + 3] === 0 &&
    bytes.readUInt32LE(at + 8) <= FRAME_PAYLOAD_MAX &&
    bytes.readUInt32LE(at + 12) === crc32(bytes.subarray(at, at + 12))
  );
}

/** SPEC 2, over bytes held whole. `ended`: no byte came for FRAME_GAP_MS. */
export function decodeFrames(
  bytes: Buffer,
  ended: boolean,
): { frames: Frame[]; discarded: number } {
  const frames: Frame[] = [];
  let at = 0;
  let discarded = 0;
  while (at < bytes.length) {
    const left = bytes.length - at;
    const whole = left >= 16 && headerHolds(bytes, at) ? 20 + bytes.readUInt32LE(at + 8) : 0;
    if (!ended && (left < 16 || whole > left)) break;
    const payload =
      whole > 0 && whole <= left ? bytes.subarray(at + 16, at + whole - 4) : undefined;
    if (payload && bytes.readUInt32LE(at + whole - 4) === crc32(payload)) {
      frames.push({ type: bytes[at + 2] as number, request: bytes.readUInt32LE(at + 4), payload });
      at += whole;
    } else {
      at += 1;
      discarded += 1;
    }
  }
  return { frames, discarded };
}

export function sha256(...parts: readonly Uint8Array[]): Buffer {
  return createHash('sha256').update(Buffer.concat(parts)).digest();
}

export interface Key {
  readonly seed: Buffer;
  readonly publicKey: Buffer;
  sign(message: Uint8Array): Buffer;
}

export function keyFromSeed(seed: Buffer): Key {
  const secret: KeyObject = createPrivateKey({
    key: Buffer.concat([PKCS8_ED25519, seed]),
    format: 'der',
    type: 'pkcs8',
  });
  const spki = createPublicKey(secret).export({ format: 'der', type: 'spki' });
  return {
    seed,
    publicKey: spki.subarray(spki.length - 32),
    sign: (message) => sign(null, message, secret),
  };
}

export interface Hello {
  readonly dock: string;
  readonly serial: string;
  readonly dockNonce: Buffer;
  readonly cameraNonce: Buffer;
  readonly lastCounter: number;
}

/** SPEC 4 */
export function transcript(direction: 'camera' | 'dock', hello: Hello): Buffer {
  return Buffer.concat([
    Buffer.from(`docket-link/1 ${direction}\0`),
    u8(1),
    string8(hello.dock),
    string8(hello.serial),
    hello.dockNonce,
    hello.cameraNonce,
    u64(hello.lastCounter),
  ]);
}

export interface RecordFields {
  readonly auth: number;
  readonly serial: string;
  readonly counter: number;
  readonly size: number;
  readonly sha256: Buffer;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  readonly clockQuality: number;
  readonly trigger: number;
  readonly flags: number;
  readonly name: string;
  readonly wearer: string;
}

/** SPEC 5, without its signature. */
export function recordBody(fields: RecordFields): Buffer {
  return Buffer.concat([
    u8(1),
    u8(fields.auth),
    string8(fields.serial),
    u64(fields.counter),
    u64(fields.size),
    fields.sha256,
    i64(fields.startedAtMs),
    i64(fields.endedAtMs),
    Buffer.from([fields.clockQuality, fields.trigger, fields.flags]),
    string8(fields.name),
    string8(fields.wearer),
  ]);
}

export function recordMessage(body: Buffer): Buffer {
  return Buffer.concat([Buffer.from('docket-clip/1\0'), body]);
}

export function signRecord(fields: RecordFields, key: Key | undefined): Buffer {
  const body = recordBody(fields);
  return Buffer.concat([body, key ? key.sign(recordMessage(body)) : Buffer.alloc(64)]);
}

const node = (left: Buffer, right: Buffer) => sha256(u8(1), left, right);

/** RFC 6962 2.1, over leaf hashes. */
export function treeRoot(leaves: readonly Buffer[]): Buffer {
  if (leaves.length === 1) return leaves[0] as Buffer;
  const split = largestPowerOfTwoBelow(leaves.length);
  return node(treeRoot(leaves.slice(0, split)), treeRoot(leaves.slice(split)));
}

/** RFC 6962 2.1.1 */
export function inclusionProof(index: number, leaves: readonly Buffer[]): Buffer[] {
  if (leaves.length === 1) return [];
  const split = largestPowerOfTwoBelow(leaves.length);
  return index < split
    ? [...inclusionProof(index, leaves.slice(0, split)), treeRoot(leaves.slice(split))]
    : [...inclusionProof(index - split, leaves.slice(split)), treeRoot(leaves.slice(0, split))];
}

function largestPowerOfTwoBelow(size: number): number {
  let power = 1;
  while (power * 2 < size) power *= 2;
  return power;
}

export interface ReceiptFields {
  readonly dock: string;
  readonly camera: string;
  readonly counter: number | string;
  readonly size: number | string;
  readonly sha256: string;
  readonly clip: string;
  readonly leaf: string;
  readonly index: number | string;
  readonly tree: number | string;
  readonly root: string;
  readonly proof: readonly string[];
}

/** SPEC 7: the signed text. */
export function receiptText(fields: ReceiptFields): string {
  const { dock, camera, counter, size, clip, leaf, index, tree, root } = fields;
  const lines = [
    'docket/receipt/v1',
    `dock ${dock}`,
    `camera ${camera}`,
    `counter ${counter}`,
    `size ${size}`,
    `sha256 ${fields.sha256}`,
    `clip ${clip}`,
    `leaf ${leaf}`,
    `index ${index}`,
    `tree ${tree}`,
    `root ${root}`,
    ...fields.proof.map((hash) => `proof ${hash}`),
  ];
  return `${lines.join('\n')}\n`;
}

/** C2SP signed-note */
export function noteSignature(name: string, key: Key, text: string): string {
  const keyId = sha256(Buffer.from(`${name}\n`), u8(1), key.publicKey).subarray(0, 4);
  const signature = Buffer.concat([keyId, key.sign(Buffer.from(text))]);
  return `\u2014 ${name} ${signature.toString('base64')}\n`;
}

export function signNote(text: string, key: Key, name: string): string {
  return `${text}\n${noteSignature(name, key, text)}`;
}
