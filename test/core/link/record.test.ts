import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isDockError } from '../../../src/core/errors.ts';
import {
  AUTHS,
  CLOCK_QUALITIES,
  encodeClipRecord,
  parseClipRecord,
  peekCounter,
  TRIGGERS,
  verifyClipRecord,
} from '../../../src/core/link/record.ts';
import { testKey, verifyEd25519 } from './ed25519.ts';
import { hex, readVectors } from './vectors.ts';

interface RecordVector {
  readonly name: string;
  readonly ok: boolean;
  readonly reason?: 'grammar' | 'signature';
  readonly record: string;
  readonly fields?: Readonly<Record<string, number | string>>;
}

const record = suite('record');
const vectors = readVectors<RecordVector[]>('records');
const camera = testKey(hex(readVectors<{ camera: { seed: string } }>('keys').camera.seed));
const invalid = (error: unknown) => isDockError(error, 'CLIP_RECORD_INVALID');

for (const vector of vectors) {
  record(`judges the shared record: ${vector.name}`, () => {
    const raw = hex(vector.record);
    if (vector.reason === 'grammar') {
      assert.throws(() => parseClipRecord(raw), invalid);
      return;
    }
    const parsed = parseClipRecord(raw);
    const key = parsed.auth === 'none' ? undefined : camera.publicKey;
    assert.is(verifyClipRecord(parsed, key, verifyEd25519), vector.ok);
    const { fields } = vector;
    if (fields === undefined) return;
    assert.is(AUTHS.indexOf(parsed.auth), fields.auth);
    assert.is(parsed.serial, fields.serial);
    assert.is(parsed.counter, fields.counter);
    assert.is(parsed.sizeBytes, fields.size);
    assert.is(parsed.sha256, fields.sha256);
    assert.is(parsed.startedAtMs, fields.startedAtMs);
    assert.is(parsed.endedAtMs, fields.endedAtMs);
    assert.is(CLOCK_QUALITIES.indexOf(parsed.clockQuality), fields.clockQuality);
    assert.is(TRIGGERS.indexOf(parsed.trigger), fields.trigger);
    assert.is(parsed.incident, fields.flags === 1);
    assert.is(parsed.name, fields.name);
    assert.is(parsed.wearer, fields.wearer);
  });
}

record('is written back to the same bytes', () => {
  for (const vector of vectors.filter((each) => each.ok)) {
    const parsed = parseClipRecord(hex(vector.record));
    const again = encodeClipRecord(parsed, (message) => camera.sign(message));
    assert.is(Buffer.from(again).toString('hex'), vector.record);
  }
});

record('keeps its own copy of the bytes it was parsed from', () => {
  const raw = hex(vectors[0]?.record ?? '');
  const parsed = parseClipRecord(raw);
  raw.fill(0);
  assert.is(Buffer.from(parsed.raw).toString('hex'), vectors[0]?.record);
});

record('does not hold without a signature when the camera has a key', () => {
  const keyless = vectors.find((each) => each.name === 'no key')?.record ?? '';
  assert.not(verifyClipRecord(parseClipRecord(hex(keyless)), camera.publicKey, verifyEd25519));
});

record('does not hold when any byte is changed', () => {
  const good = hex(vectors[0]?.record ?? '');
  for (let at = 0; at < good.length; at++) {
    const raw = good.slice();
    raw[at] = (raw[at] ?? 0) ^ 1;
    let holds = false;
    try {
      holds = verifyClipRecord(parseClipRecord(raw), camera.publicKey, verifyEd25519);
    } catch (error) {
      assert.ok(invalid(error));
    }
    assert.not(holds, `byte ${at}`);
  }
});

record('refuses a time that is in no calendar', () => {
  const parsed = parseClipRecord(hex(vectors[0]?.record ?? ''));
  for (const startedAtMs of [8.64e15 + 1, -8.64e15 - 1]) {
    const raw = encodeClipRecord({ ...parsed, startedAtMs }, (message) => camera.sign(message));
    assert.throws(() => parseClipRecord(raw), invalid);
  }
});

record('shows its counter even where the rest is broken', () => {
  const good = hex(vectors[0]?.record ?? '');
  assert.is(peekCounter(good.slice(0, 40)), 3);
  assert.is(peekCounter(good.slice(0, 12)), undefined);
});

record('is refused, and nothing worse, for any bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 700 }), (bytes) => {
      peekCounter(bytes);
      assert.throws(() => parseClipRecord(bytes), invalid);
    }),
    { numRuns: 500 },
  );
});

record.run();
