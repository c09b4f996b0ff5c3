import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isDockError } from '../../../src/core/errors.ts';
import type { DockId } from '../../../src/core/evidence/clip.ts';
import {
  encodeClock,
  encodeHello,
  encodeList,
  encodeRate,
  encodeRead,
  parseCameraError,
  parseClockOk,
  parseData,
  parseEmpty,
  parseHelloOk,
  parseRateOk,
  parseRecordsEnd,
  parseReleased,
  parseStatusOk,
} from '../../../src/core/link/message.ts';
import { encodeTranscript } from '../../../src/core/link/transcript.ts';
import { hex, readVectors } from './vectors.ts';

const message = suite('message');
const toHex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const frames = new Map(
  readVectors<{ name: string; payload: string }[]>('frames').map((each) => [
    each.name,
    hex(each.payload),
  ]),
);
const payloadOf = (name: string) => frames.get(name) ?? new Uint8Array(0);
const transcripts = readVectors<Record<string, string>[]>('transcripts');

const PARSERS: readonly [string, (payload: Uint8Array) => unknown][] = [
  ['HELLO_OK', parseHelloOk],
  ['PROVED', (payload) => parseEmpty(payload, 'PROVED')],
  ['STATUS_OK', parseStatusOk],
  ['RECORDS_END', parseRecordsEnd],
  ['RELEASED', parseReleased],
  ['CLOCK_OK', parseClockOk],
  ['RATE_OK', parseRateOk],
  ['ERROR', parseCameraError],
];

message('encodes what the dock sends as the shared vectors have it', () => {
  const nonce = hex(transcripts[0]?.dockNonce ?? '');
  const hello = encodeHello('leeds-north/dock-1' as DockId, nonce);
  assert.is(toHex(hello), toHex(payloadOf('HELLO')));
  assert.is(toHex(encodeList(1, 16)), toHex(payloadOf('LIST')));
  const read = { counter: 3, offset: 0, lengthBytes: 300, dataBytes: 128 };
  assert.is(toHex(encodeRead(read)), toHex(payloadOf('READ')));
  const time = Number(Buffer.from(payloadOf('CLOCK')).readBigInt64LE());
  assert.is(toHex(encodeClock(time)), toHex(payloadOf('CLOCK')));
  assert.is(toHex(encodeRate(3_000_000)), toHex(payloadOf('RATE')));
});

message('reads what the camera sends', () => {
  const hello = parseHelloOk(payloadOf('HELLO_OK'));
  assert.is(hello.serial, 'CAM-0001');
  assert.is(hello.auth, 'ed25519');
  assert.is(hello.lastCounter, 3);
  const status = parseStatusOk(payloadOf('STATUS_OK'));
  assert.is(status.batteryPercent, 80);
  assert.is(status.charging, true);
  assert.is(status.firmware, 'fwb-test 1.0');
  assert.equal(parseRecordsEnd(payloadOf('RECORDS_END')), { nextCounter: 0, recordCount: 1 });
  const data = parseData(payloadOf('DATA'));
  assert.is(data.offset, 0);
  assert.is(data.bytes.length, 128);
  assert.is(parseRateOk(payloadOf('RATE_OK')), 921_600);
  assert.is(parseReleased(payloadOf('RELEASED')), 3);
  assert.is(parseClockOk(payloadOf('CLOCK_OK')), -1000);
  const error = parseCameraError(payloadOf('ERROR'));
  assert.equal(error, { code: 5, name: 'NO_CLIP', detail: 'no clip 9' });
});

message('refuses a payload that is one byte too long or short', () => {
  for (const [name, parse] of PARSERS) {
    const payload = payloadOf(name);
    const wrong = [new Uint8Array([...payload, 0]), payload.slice(0, -1)];
    for (const each of wrong) {
      if (each.length === payload.length) continue;
      assert.throws(
        () => parse(each),
        (error: unknown) => isDockError(error, 'LINK_PROTOCOL'),
        name,
      );
    }
  }
});

message('parses or refuses any bytes, and throws nothing else', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      for (const [, parse] of PARSERS) {
        try {
          parse(bytes);
        } catch (error) {
          assert.ok(isDockError(error, 'LINK_PROTOCOL'));
        }
      }
    }),
    { numRuns: 500 },
  );
});

message('makes the detail of an error printable', () => {
  const payload = new Uint8Array([9, 0, 4, 27, 91, 50, 74]);
  assert.is(parseCameraError(payload).detail, '?[2J');
});

message('writes the transcripts that both sides sign', () => {
  for (const vector of transcripts) {
    const transcript = {
      protocol: Number(vector.protocol),
      dock: vector.dock as DockId,
      serial: vector.serial as never,
      dockNonce: hex(vector.dockNonce ?? ''),
      cameraNonce: hex(vector.cameraNonce ?? ''),
      lastCounter: Number(vector.lastCounter),
    };
    assert.is(toHex(encodeTranscript('camera', transcript)), vector.camera);
    assert.is(toHex(encodeTranscript('dock', transcript)), vector.dockTranscript);
  }
});

message.run();
