// A dock's half of SPEC, no more than tests of the camera need, on the pty's slave as the camera made it.
import { closeSync, constants, openSync } from 'node:fs';
import { ReadStream } from 'node:tty';
import * as ref from '../vectors/link/reference.ts';

const DEADLINE_MS = 5_000;

export const TYPE = {
  HELLO: 0x01,
  PROVE: 0x02,
  STATUS: 0x03,
  LIST: 0x04,
  READ: 0x05,
  RECEIPT: 0x06,
  CLOCK: 0x07,
  BYE: 0x08,
  RATE: 0x09,
  HELLO_OK: 0x81,
  PROVED: 0x82,
  STATUS_OK: 0x83,
  RECORD: 0x84,
  RECORDS_END: 0x85,
  DATA: 0x86,
  RELEASED: 0x87,
  CLOCK_OK: 0x88,
  RATE_OK: 0x89,
  ERROR: 0x8f,
} as const;

export interface DockKeys {
  readonly dock: string;
  readonly link: ref.Key;
  readonly receipt: ref.Key;
}

export interface Listed {
  readonly raw: Buffer;
  readonly counter: number;
  readonly size: number;
  readonly sha256: Buffer;
  readonly name: string;
  readonly auth: number;
}

export class LinkClient {
  discarded = 0;
  isClosed = false;
  readonly #tty: ReadStream;
  readonly #fd: number;
  #held = Buffer.alloc(0);
  #frames: ref.Frame[] = [];
  #wake: () => void = () => undefined;
  #request = 0;

  constructor(link: string) {
    this.#fd = openSync(link, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK);
    this.#tty = new ReadStream(this.#fd);
    this.#tty.on('data', (bytes: Buffer) => this.#receive(bytes));
    const onClosed = () => {
      this.isClosed = true;
      this.#wake();
    };
    this.#tty.on('error', onClosed).on('close', onClosed).on('end', onClosed);
  }

  /** libuv opens the terminal anew for itself, so there are two descriptors to close. */
  async close(): Promise<void> {
    if (!this.#tty.closed) {
      const closed = new Promise((resolve) => this.#tty.once('close', resolve));
      this.#tty.destroy();
      await closed;
    }
    closeSync(this.#fd);
  }

  sendBytes(bytes: Uint8Array): void {
    this.#tty.write(bytes);
  }

  send(type: number, payload: Uint8Array = Buffer.alloc(0)): number {
    this.#request += 1;
    this.sendBytes(ref.encodeFrame(type, this.#request, payload));
    return this.#request;
  }

  /** The next frame that answers the request; undefined when none comes in time. */
  async answer(request: number, waitMs = DEADLINE_MS): Promise<ref.Frame | undefined> {
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      this.#wake();
    }, waitMs);
    try {
      for (;;) {
        const at = this.#frames.findIndex((frame) => frame.request === request);
        if (at >= 0) return this.#frames.splice(at, 1)[0];
        if (isLate || this.isClosed) return undefined;
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    } finally {
      clearTimeout(timer);
    }
  }

  async ask(type: number, payload: Uint8Array = Buffer.alloc(0)): Promise<ref.Frame> {
    const frame = await this.answer(this.send(type, payload));
    if (frame === undefined) throw new Error(`no answer to ${type}`);
    return frame;
  }

  /** Asks again and again: for lines that lose frames. */
  async persist(type: number, payload: Uint8Array, waitMs: number): Promise<ref.Frame> {
    for (let attempt = 0; attempt < 60; attempt++) {
      const frame = await this.answer(this.send(type, payload), waitMs);
      const wasDamaged = frame?.type === TYPE.ERROR && frame.payload.readUInt16LE(0) === 1;
      if (frame !== undefined && !wasDamaged) return frame;
      if (this.isClosed) break;
    }
    throw new Error(`no answer to ${type}, repeated`);
  }

  hello(dock: string, nonce: Buffer): Promise<ref.Frame> {
    const payload = Buffer.concat([Buffer.from([1, 1]), ref.string8(dock), nonce]);
    return this.persist(TYPE.HELLO, payload, 1_000);
  }

  /** SPEC 4, as far as PROVED or ERROR; gives what the camera said of itself. */
  async dock(
    keys: DockKeys,
  ): Promise<{ hello: ref.Hello; auth: number; signature: Buffer; answer: ref.Frame }> {
    const dockNonce = ref.sha256(Buffer.from(`nonce ${this.#request}`));
    const { payload } = await this.hello(keys.dock, dockNonce);
    const at = 3 + (payload[2] as number);
    const hello: ref.Hello = {
      dock: keys.dock,
      serial: payload.toString('utf8', 3, at),
      dockNonce,
      cameraNonce: payload.subarray(at, at + 32),
      lastCounter: Number(payload.readBigUInt64LE(at + 32)),
    };
    const proof = keys.link.sign(ref.transcript('dock', hello));
    const answer = await this.persist(TYPE.PROVE, proof, 1_000);
    return { hello, auth: payload[1] as number, signature: payload.subarray(at + 40), answer };
  }

  async list(from = 0): Promise<Listed[]> {
    const records: Listed[] = [];
    const request = this.send(TYPE.LIST, Buffer.concat([ref.u64(from), ref.u16(1000)]));
    for (;;) {
      const frame = await this.answer(request);
      if (frame?.type === TYPE.RECORDS_END) return records;
      if (frame?.type !== TYPE.RECORD) throw new Error('no RECORDS_END');
      records.push(parseRecord(frame.payload));
    }
  }

  /** One READ after the other, gaps asked for again. */
  async read(counter: number, size: number, waitMs = 1_000): Promise<Buffer> {
    const clip = Buffer.alloc(size);
    let offset = 0;
    for (let attempt = 0; offset < size && attempt < 400; attempt++) {
      const most = Math.min(size, 4_096);
      const range = [
        ref.u64(counter),
        ref.u64(offset),
        ref.u32(1 << 20),
        ref.u32(Math.max(most, 64)),
      ];
      const request = this.send(TYPE.READ, Buffer.concat(range));
      const first = offset;
      const end = Math.min(size, offset + (1 << 20));
      while (offset < end) {
        const frame = await this.answer(request, waitMs);
        if (frame?.type !== TYPE.DATA || frame.payload.readUInt32LE(0) !== offset - first) break;
        offset += frame.payload.copy(clip, offset, 4);
      }
      if (this.isClosed) throw new Error('the line is gone');
    }
    if (offset < size) throw new Error(`read ${offset} of ${size}`);
    return clip;
  }

  #receive(bytes: Buffer): void {
    this.#held = Buffer.concat([this.#held, bytes]);
    const { frames, discarded } = ref.decodeFrames(this.#held, false);
    const taken = frames.reduce((size, frame) => size + 20 + frame.payload.length, discarded);
    this.#held = this.#held.subarray(taken);
    this.discarded += discarded;
    this.#frames.push(...frames);
    if (frames.length > 0) this.#wake();
  }
}

export function parseRecord(raw: Buffer): Listed {
  const at = 3 + (raw[2] as number);
  const name = at + 8 + 8 + 32 + 8 + 8 + 3;
  return {
    raw,
    auth: raw[1] as number,
    counter: Number(raw.readBigUInt64LE(at)),
    size: Number(raw.readBigUInt64LE(at + 8)),
    sha256: raw.subarray(at + 16, at + 48),
    name: raw.toString('utf8', name + 1, name + 1 + (raw[name] as number)),
  };
}

/** A receipt that holds, for a tree of two entries. */
export function receiptFor(keys: DockKeys, serial: string, clip: Listed): string {
  const leaf = ref.sha256(Buffer.from([0]), clip.raw);
  const other = ref.sha256(Buffer.from('another entry'));
  const text = ref.receiptText({
    dock: keys.dock,
    camera: serial,
    counter: clip.counter,
    size: clip.size,
    sha256: clip.sha256.toString('hex'),
    clip: leaf.toString('hex').slice(0, 32),
    leaf: leaf.toString('hex'),
    index: 1,
    tree: 2,
    root: ref.treeRoot([other, leaf]).toString('hex'),
    proof: [other.toString('hex')],
  });
  return ref.signNote(text, keys.receipt, `${keys.dock}/receipt`);
}

export function receiptPayload(counter: number, note: string): Buffer {
  return Buffer.concat([ref.u64(counter), Buffer.from(note)]);
}
