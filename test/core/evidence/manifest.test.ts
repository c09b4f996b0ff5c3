import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { concatBytes, formatHex, utf8 } from '../../../src/core/bytes.ts';
import { NOTE_TEXT_BYTES_MAX } from '../../../src/core/custody/note.ts';
import { isDockError } from '../../../src/core/errors.ts';
import type { CameraSerial, ClipId, DockId } from '../../../src/core/evidence/clip.ts';
import {
  commitmentOf,
  formatManifest,
  type Manifest,
  parseManifest,
} from '../../../src/core/evidence/manifest.ts';
import {
  MIB,
  SEGMENT_COUNT_MAX,
  segmentCount,
  segmentRange,
} from '../../../src/core/evidence/naming.ts';

const manifest = suite('manifest');

const sha256 = (bytes: Uint8Array) => new Uint8Array(createHash('sha256').update(bytes).digest());
const digest = (text: string) => formatHex(sha256(utf8(text)));

function segmentsOf(sizeBytes: number, segmentBytes: number) {
  return Array.from({ length: segmentCount(sizeBytes, segmentBytes) }, (_, index) => {
    const { fromByte, toByte } = segmentRange(index, sizeBytes, segmentBytes);
    const plainBytes = toByte - fromByte;
    return { index, plainBytes, fileBytes: plainBytes + 400, sha256: digest(`segment ${index}`) };
  });
}

function sample(changes: Partial<Manifest> = {}): Manifest {
  const sizeBytes = changes.sizeBytes ?? 2 * MIB + 1;
  const segmentBytes = changes.segmentBytes ?? MIB;
  return {
    dock: 'north-depot/dock-1' as DockId,
    clip: '0123456789abcdef0123456789abcdef' as ClipId,
    camera: 'CAM-1' as CameraSerial,
    cameraKey: new Uint8Array(32).fill(7),
    counter: 41,
    startedAtMs: 1_700_000_000_123,
    endedAtMs: 1_700_000_060_456,
    clockQuality: 'dock',
    cameraClockOffsetMs: -1_250,
    trigger: 'button',
    incident: false,
    bay: 2,
    ingestedAtMs: 1_700_000_100_000,
    sizeBytes,
    sha256: digest('clip'),
    recordSha256: digest('record'),
    segmentBytes,
    segments: segmentsOf(sizeBytes, segmentBytes),
    recipientCount: 2,
    recipientsSha256: digest('recipients'),
    details: { fileBytes: 812, sha256: digest('details') },
    salt: new Uint8Array(32).fill(9),
    software: 'docket/0.1.0',
    boot: 'c0ffee00',
    ...changes,
  };
}

function refused(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    assert.ok(isDockError(error, 'MANIFEST_INVALID'), String(error));
    return error.message;
  }
  return assert.unreachable('it was taken') as never;
}

manifest('is the text that the documents show', () => {
  const text = formatManifest(sample({ sizeBytes: 0, segments: segmentsOf(0, MIB) }));
  assert.is(
    text,
    [
      'docket/manifest/v1',
      'dock north-depot/dock-1',
      'clip 0123456789abcdef0123456789abcdef',
      'camera CAM-1',
      'camera-auth ed25519 BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=',
      'counter 41',
      'captured 2023-11-14T22:13:20.123Z 2023-11-14T22:14:20.456Z',
      'clock-quality dock',
      'camera-clock-offset -1250',
      'trigger button',
      'incident no',
      'bay 2',
      'ingested 2023-11-14T22:15:00.000Z system',
      'size 0',
      `sha256 ${digest('clip')}`,
      `record ${digest('record')}`,
      'segment-bytes 1048576',
      `recipients 2 ${digest('recipients')}`,
      `salt ${'09'.repeat(32)}`,
      `segment 0 0 400 ${digest('segment 0')}`,
      `details 812 ${digest('details')}`,
      'software docket/0.1.0',
      'boot c0ffee00',
      '',
    ].join('\n'),
  );
});

manifest('says the same after it was written and read', () => {
  fc.assert(
    fc.property(
      fc.record({
        cameraKey: fc.option(fc.uint8Array({ minLength: 32, maxLength: 32 }), { nil: undefined }),
        counter: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
        cameraClockOffsetMs: fc.option(fc.maxSafeInteger(), { nil: undefined }),
        startedAtMs: fc.integer({ min: 0, max: 4_000_000_000_000 }),
        sizeBytes: fc.integer({ min: 0, max: 20 * MIB }),
        incident: fc.boolean(),
        bay: fc.integer({ min: 1, max: 64 }),
        clockQuality: fc.constantFrom('unset', 'free-running', 'dock', 'satellite'),
        trigger: fc.constantFrom('unknown', 'button', 'pre-record', 'vehicle', 'remote'),
        salt: fc.uint8Array({ minLength: 32, maxLength: 32 }),
      }),
      (changes) => {
        const value = sample(changes as Partial<Manifest>);
        const text = formatManifest(value);
        assert.equal(parseManifest(text), value);
        assert.is(formatManifest(parseManifest(text)), text);
      },
    ),
  );
});

manifest('the longest manifest still fits a signed note', () => {
  const segmentBytes = 16 * 1_024 * MIB;
  const sizeBytes = segmentBytes * SEGMENT_COUNT_MAX;
  const text = formatManifest(sample({ sizeBytes, segmentBytes }));
  assert.ok(text.length <= NOTE_TEXT_BYTES_MAX, `${text.length} bytes`);
});

manifest('a line that is left out, doubled, moved or renamed is refused', () => {
  const lines = formatManifest(sample()).split('\n').slice(0, -1);
  const joined = (changed: readonly string[]) => `${changed.join('\n')}\n`;
  for (const [index, line] of lines.entries()) {
    refused(() => parseManifest(joined(lines.toSpliced(index, 1))));
    refused(() => parseManifest(joined(lines.toSpliced(index, 0, line))));
    refused(() => parseManifest(joined(lines.toSpliced(index, 1, `x${line}`))));
    if (index > 0) {
      const moved = lines.toSpliced(index, 1).toSpliced(index - 1, 0, line);
      refused(() => parseManifest(joined(moved)));
    }
  }
});

manifest('no text is read that would not be written so', () => {
  const text = formatManifest(sample());
  fc.assert(
    fc.property(fc.nat({ max: text.length - 1 }), fc.integer({ min: 0, max: 127 }), (at, code) => {
      const changed = text.slice(0, at) + String.fromCharCode(code) + text.slice(at + 1);
      try {
        assert.is(formatManifest(parseManifest(changed)), changed);
      } catch (error) {
        assert.ok(isDockError(error, 'MANIFEST_INVALID'), String(error));
      }
    }),
    { numRuns: 2_000 },
  );
});

manifest('segments that do not tile the clip are refused', () => {
  const good = segmentsOf(2 * MIB + 1, MIB);
  const [first, second, third] = good;
  assert.ok(first && second && third);
  assert.match(
    refused(() => formatManifest(sample({ segments: [first, second] }))),
    '2 segments',
  );
  assert.match(
    refused(() => formatManifest(sample({ segments: [second, first, third] }))),
    'out of order',
  );
  const short = { ...second, plainBytes: second.plainBytes - 1 };
  assert.match(
    refused(() => formatManifest(sample({ segments: [first, short, third] }))),
    'size',
  );
  const unsealed = { ...second, fileBytes: second.plainBytes };
  assert.match(
    refused(() => formatManifest(sample({ segments: [first, unsealed, third] }))),
    'size',
  );
});

manifest('values outside their grammar are refused before they are signed', () => {
  const wrong: Partial<Manifest>[] = [
    { camera: '../../etc' as CameraSerial },
    { camera: 'A\nwearer someone' as CameraSerial },
    { dock: 'North/dock' as DockId },
    { clip: 'abc' as ClipId },
    { counter: 0 },
    { counter: 1.5 },
    { sizeBytes: -1, segments: [] },
    { segmentBytes: 0, segments: [] },
    { bay: 65 },
    { startedAtMs: Number.NaN },
    { endedAtMs: 8.64e15 },
    { sha256: digest('clip').toUpperCase() },
    { salt: new Uint8Array(31) },
    { cameraKey: new Uint8Array(31) },
    { boot: 'C0FFEE00' },
    { software: 'docket 0.1.0' },
    { recipientCount: 0 },
    { cameraClockOffsetMs: Number.POSITIVE_INFINITY },
  ];
  for (const changes of wrong) {
    assert.match(
      refused(() => formatManifest({ ...sample(), ...changes })),
      /refused|line/,
    );
  }
});

manifest('the message names the line that is wrong', () => {
  const text = formatManifest(sample()).replace('clock-quality dock', 'clock-quality good');
  assert.match(
    refused(() => parseManifest(text)),
    /line 8: clock-quality/,
  );
});

manifest('has no place for a name or a wearer', () => {
  const text = formatManifest(sample());
  for (const line of ['name a.mp4', 'wearer 1234']) {
    refused(() => parseManifest(`${text}${line}\n`));
    refused(() => parseManifest(text.replace('counter 41', `${line}\ncounter 41`)));
  }
});

manifest('the commitment is over the salt and every byte of the note', () => {
  const salt = new Uint8Array(32).fill(9);
  const expected = formatHex(sha256(concatBytes(salt, utf8('note\n'))));
  assert.is(commitmentOf('note\n', salt, sha256), expected);
  assert.is.not(commitmentOf('note', salt, sha256), expected);
});

manifest.run();
