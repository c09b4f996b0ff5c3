import { readdirSync, readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { concatBytes } from '../../src/core/bytes.ts';
import { isDockError } from '../../src/core/errors.ts';
import { FrameDecoder } from '../../src/core/link/decoder.ts';
import {
  encodeFrame,
  FRAME_CHECKSUM_SIZE,
  FRAME_HEADER_SIZE,
  FRAME_TYPE,
  type Frame,
} from '../../src/core/link/frame.ts';
import * as message from '../../src/core/link/message.ts';
import { parseClipRecord } from '../../src/core/link/record.ts';
import { hex, readVectors } from '../core/link/vectors.ts';
import * as ref from '../vectors/link/reference.ts';
import { Dice, Mutator } from './mutator.ts';

const SIZE_MAX = 512;
const CORPUS = new URL('../../firmware-bridge/test/fuzz/corpus/decoder/', import.meta.url);
/** Every so many executions the reference, which is slow, decodes the same bytes. */
const COMPARED_EVERY = 16;

type Parse = (payload: Uint8Array) => unknown;
const PARSERS: ReadonlyMap<number, Parse> = new Map<number, Parse>([
  [FRAME_TYPE.HELLO_OK, message.parseHelloOk],
  [FRAME_TYPE.PROVED, (payload) => message.parseEmpty(payload, 'PROVED')],
  [FRAME_TYPE.STATUS_OK, message.parseStatusOk],
  [FRAME_TYPE.RECORD, parseClipRecord],
  [FRAME_TYPE.RECORDS_END, message.parseRecordsEnd],
  [FRAME_TYPE.DATA, message.parseData],
  [FRAME_TYPE.RELEASED, message.parseReleased],
  [FRAME_TYPE.CLOCK_OK, message.parseClockOk],
  [FRAME_TYPE.RATE_OK, message.parseRateOk],
  [FRAME_TYPE.ERROR, message.parseCameraError],
]);
const TYPES = [...PARSERS.keys()];
const REFUSALS: readonly string[] = ['LINK_PROTOCOL', 'CLIP_RECORD_INVALID'];

export interface FuzzTally {
  executions: number;
  frames: number;
  discardedBytes: number;
  parsed: number;
  refused: number;
  growthBytes: number;
}

function newTally(): FuzzTally {
  return { executions: 0, frames: 0, discardedBytes: 0, parsed: 0, refused: 0, growthBytes: 0 };
}

function corpus(): Uint8Array[] {
  return readdirSync(CORPUS).map((name) => readFileSync(new URL(name, CORPUS)).subarray(2));
}

function payloads(): Uint8Array[] {
  const frames = readVectors<{ type: number; payload: string }[]>('frames');
  const records = readVectors<{ record: string }[]>('records');
  const answers = frames.filter(({ type }) => type >= 0x80).map(({ payload }) => hex(payload));
  return [...answers, ...records.map(({ record }) => hex(record))];
}

/** What JavaScript and its buffers hold once everything else has been thrown away. */
function heldBytes(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** One decoder that lives through all executions, as that of a line does, and what comes out of it. */
class Receiver {
  readonly tally: FuzzTally;
  private readonly decoder: FrameDecoder;
  private found: { type: number; request: number; payload: Uint8Array }[] = [];
  private discardedBytes = 0;
  private frameBytes = 0;

  constructor(tally: FuzzTally) {
    this.tally = tally;
    this.decoder = new FrameDecoder({
      frame: (frame) => this.onFrame(frame),
      discarded: (sizeBytes) => {
        assert.ok(sizeBytes > 0);
        this.discardedBytes += sizeBytes;
      },
    });
  }

  /** The bytes in pieces, then silence. Every byte leaves exactly once. */
  execute(bytes: Uint8Array, pieceBytes: number): void {
    this.found = [];
    this.discardedBytes = 0;
    this.frameBytes = 0;
    for (let at = 0; at < bytes.length; at += pieceBytes) {
      this.decoder.push(bytes.subarray(at, at + pieceBytes));
    }
    this.decoder.gap();
    assert.not(this.decoder.waiting);
    assert.is(this.frameBytes + this.discardedBytes, bytes.length);
    this.tally.executions++;
    this.tally.frames += this.found.length;
    this.tally.discardedBytes += this.discardedBytes;
    if (this.tally.executions % COMPARED_EVERY === 0) this.compare(bytes);
  }

  private onFrame({ type, request, payload }: Frame): void {
    this.frameBytes += FRAME_HEADER_SIZE + payload.length + FRAME_CHECKSUM_SIZE;
    this.found.push({ type, request, payload: payload.slice() });
    const parse = PARSERS.get(type);
    if (parse !== undefined) this.parse(parse, payload);
  }

  /** A parser gives a value or refuses with its code; nothing else. */
  private parse(parse: Parse, payload: Uint8Array): void {
    try {
      parse(payload);
      this.tally.parsed++;
    } catch (error) {
      const isRefusal = isDockError(error) && REFUSALS.includes(error.code);
      if (!isRefusal) throw error;
      this.tally.refused++;
    }
  }

  /** What the last execution found is what the reference finds. */
  compare(bytes: Uint8Array): void {
    const wanted = ref.decodeFrames(Buffer.from(bytes), true);
    assert.is(this.discardedBytes, wanted.discarded);
    assert.is(this.found.length, wanted.frames.length);
    for (const [i, frame] of wanted.frames.entries()) {
      const found = this.found[i];
      assert.is(found?.type, frame.type);
      assert.is(found?.request, frame.request);
      assert.ok(frame.payload.equals(found?.payload ?? new Uint8Array(0)));
    }
  }
}

/** The kept lines first. Then half of the executions change lines, the others change payloads and put them into whole frames. */
export function fuzzByMutation(executions: number, seed: number): FuzzTally {
  const dice = new Dice(seed);
  const lines = new Mutator(corpus(), dice, SIZE_MAX);
  const contents = new Mutator(payloads(), dice, SIZE_MAX);
  const receiver = new Receiver(newTally());
  const warmExecutions = Math.min(executions / 10, 10_000);
  let warmBytes = 0;
  for (const input of corpus()) {
    receiver.execute(input, SIZE_MAX);
    receiver.compare(input);
  }
  while (receiver.tally.executions < executions) {
    if (warmBytes === 0 && receiver.tally.executions >= warmExecutions) warmBytes = heldBytes();
    receiver.execute(lines.next(), 1 + dice.below(SIZE_MAX));
    const type = TYPES[dice.below(TYPES.length)] ?? FRAME_TYPE.DATA;
    const frame = encodeFrame({ type, request: 1 + dice.below(9), payload: contents.next() });
    receiver.execute(frame, 1 + dice.below(frame.length));
  }
  receiver.tally.growthBytes = heldBytes() - warmBytes;
  return receiver.tally;
}

/** Lines that fast-check builds from whole frames, parts of frames and noise, and shrinks when they fail. */
export function fuzzByProperty(executions: number, seed: number): FuzzTally {
  const tally = newTally();
  const known = fc.constantFrom(...payloads());
  const frame = fc
    .record({
      type: fc.oneof(fc.constantFrom(...TYPES), fc.nat(255)),
      request: fc.integer({ min: 1, max: 0xffffffff }),
      payload: fc.oneof(known, fc.uint8Array({ maxLength: 40 })),
    })
    .map(encodeFrame);
  const part = fc.tuple(frame, fc.nat(60)).map(([bytes, from]) => bytes.subarray(from));
  const noise = fc.uint8Array({ maxLength: 30 });
  const line = fc.array(fc.oneof(frame, part, noise), { maxLength: 5 });
  fc.assert(
    fc.property(line, fc.integer({ min: 1, max: 200 }), (parts, pieceBytes) => {
      // A failed run must not leave its bytes to the shorter ones that fast-check tries next.
      new Receiver(tally).execute(concatBytes(...parts), pieceBytes);
    }),
    { numRuns: executions, seed },
  );
  return tally;
}
