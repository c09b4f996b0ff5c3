import { createHash } from 'node:crypto';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isDockError } from '../../../src/core/errors.ts';
import type { CameraSerial, ClipId, DockId } from '../../../src/core/evidence/clip.ts';
import {
  type DraftState,
  formatDraftState,
  parseDraftState,
} from '../../../src/core/evidence/draft-state.ts';
import { MIB, SEGMENT_COUNT_MAX } from '../../../src/core/evidence/naming.ts';

const states = suite('draft state');

const digest = (text: string) => createHash('sha256').update(text).digest('hex');

function sample(count = 2, changes: Partial<DraftState> = {}): DraftState {
  return {
    dock: 'north-depot/dock-1' as DockId,
    clip: '0123456789abcdef0123456789abcdef' as ClipId,
    camera: 'CAM-1' as CameraSerial,
    cameraKey: new Uint8Array(32).fill(7),
    recordSha256: digest('record'),
    sizeBytes: count * MIB + 1,
    segmentBytes: MIB,
    recipientsSha256: digest('recipients'),
    savedAtMs: 1_700_000_000_123,
    midstate: { sizeBytes: count * MIB, words: new Uint8Array(32).fill(3) },
    segments: Array.from({ length: count }, (_, index) => {
      return { index, plainBytes: MIB, fileBytes: MIB + 400, sha256: digest(`${index}`) };
    }),
    ...changes,
  };
}

function isRefused(text: string): void {
  assert.throws(
    () => parseDraftState(text),
    (error: unknown) => isDockError(error, 'NOTE_INVALID'),
    text.slice(0, 400),
  );
}

states('is read as it was written', () => {
  for (const state of [sample(1), sample(2, { cameraKey: undefined }), sample(511)]) {
    assert.equal(parseDraftState(formatDraftState(state)), state);
  }
});

states('fits into a note, however many segments there are', () => {
  const text = formatDraftState(sample(SEGMENT_COUNT_MAX - 1));
  assert.ok(Buffer.byteLength(text) < 65_536, `${text.length} bytes`);
});

states('names the beginning of a clip, without gaps, and never all of it', () => {
  const good = sample(3);
  const { segments } = good;
  const midstate = (sizeBytes: number) => ({ ...good.midstate, sizeBytes });
  const [first, second, third] = segments;
  assert.ok(first && second && third);
  const bad: Partial<DraftState>[] = [
    { segments: [] },
    { segments: segments.slice(1) },
    { segments: segments.slice(0, 2) },
    { segments: [first, third, second] },
    { segments: [first, { ...second, plainBytes: MIB - 1 }, third] },
    { segments: [first, { ...second, fileBytes: MIB }, third] },
    { sizeBytes: 3 * MIB },
    { segmentBytes: MIB + 64 },
    { segmentBytes: 0 },
    { midstate: midstate(2 * MIB) },
    { midstate: midstate(3 * MIB + 64) },
  ];
  for (const changes of bad) isRefused(formatDraftState({ ...good, ...changes }));
});

states('refuses a midstate between no two blocks', () => {
  const segment = { index: 0, plainBytes: 100, fileBytes: 500, sha256: digest('0') };
  const midstate = { sizeBytes: 100, words: new Uint8Array(32) };
  isRefused(
    formatDraftState(
      sample(1, { sizeBytes: 150, segmentBytes: 100, segments: [segment], midstate }),
    ),
  );
});

states('refuses any text that is not exactly its own', () => {
  const text = formatDraftState(sample());
  const lines = text.trimEnd().split('\n');
  for (let index = 0; index < lines.length; index++) {
    isRefused(`${lines.filter((_, each) => each !== index).join('\n')}\n`);
    isRefused(`${lines.map((line, each) => (each === index ? `${line}  x` : line)).join('\n')}\n`);
  }
  isRefused(`${text}more 1\n`);
  isRefused(text.replace(/midstate (\d+) /, 'midstate 0$1 '));
  isRefused(text.slice(0, -1));
});

states.run();
