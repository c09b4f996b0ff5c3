import { gapsOf } from '../core/dock/state.ts';
import type { ClipRecord } from '../core/evidence/clip.ts';
import { cameraDigest, findCounterGaps } from '../core/evidence/gaps.ts';
import type { CameraInventory } from '../ports/camera-link.ts';
import type { VisitDeps } from './camera-visit.ts';

/** The times that a manifest can say: from the year 0 to the year 9999. */
const TIME_MS_MIN = -62_167_219_200_000;
const TIME_MS_MAX = 253_402_300_799_999;

/** Refuses, before a byte is asked for, what no manifest could describe. */
export function readInventory({ records, refused }: CameraInventory): CameraInventory {
  const reason = 'its times are in no calendar';
  const wrong = records.filter((record) => !isDescribable(record));
  return {
    records: records.filter(isDescribable),
    refused: [...refused, ...wrong.map(({ counter }) => ({ counter, reason }))],
  };
}

function isDescribable({ startedAtMs, endedAtMs }: ClipRecord): boolean {
  return [startedAtMs, endedAtMs].every((atMs) => atMs >= TIME_MS_MIN && atMs <= TIME_MS_MAX);
}

/** Recordings that the camera counted and nobody has: once in the log, however often the camera comes back. */
export async function recordGaps(
  { evidence, session, alarms, onEvent, bay }: VisitDeps,
  { records, refused }: CameraInventory,
): Promise<void> {
  const { serial, lastCounter } = session;
  const camera = cameraDigest(serial, evidence.crypto.sha256);
  const known = [
    ...evidence.index.of(serial).map(({ counter }) => counter),
    ...records.map(({ counter }) => counter),
    ...refused.flatMap(({ counter }) => counter ?? []),
    ...gapsOf(evidence.custody.state, camera),
  ];
  for (const gap of findCounterGaps(known, lastCounter)) {
    await evidence.custody.append([{ kind: 'counter-gap', camera, ...gap }]);
    alarms.raise('COUNTER_GAP', serial, bay);
    onEvent('counter-gap', { bay, camera: serial, ...gap });
  }
}

export async function recordRefused(
  { evidence, session, bay, onEvent, refusals }: VisitDeps,
  { refused }: CameraInventory,
): Promise<void> {
  for (const { counter, reason } of refused) {
    const key = `${session.serial} ${counter} ${reason}`;
    if (refusals.has(key)) continue;
    refusals.add(key);
    await evidence.custody.append([
      { kind: 'clip-refused', counter, reason: 'CLIP_RECORD_INVALID' },
    ]);
    evidence.logger.warn('record-refused', { bay, counter, reason });
    onEvent('clip-refused', { bay, code: 'CLIP_RECORD_INVALID' });
  }
}
