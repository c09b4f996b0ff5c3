import { segmentPath } from '../core/evidence/naming.ts';
import { dueAtMs } from '../core/retention/due.ts';
import type { ListedClip } from './read-data.ts';

/** One clip as `list --json` prints it. Times are ISO 8601, UTC. */
export interface ClipView {
  readonly id: string;
  readonly camera: string | null;
  readonly counter: number | null;
  readonly capturedAt: string | null;
  readonly sizeBytes: number;
  readonly sha256: string | null;
  /** Paths below the data folder, in order. */
  readonly segments: readonly string[];
  readonly state: string;
  readonly dueAt: string | null;
  readonly held: boolean;
}

export function viewOf({ status, manifest }: ListedClip, retentionDays: number): ClipView {
  const { clip, state, held } = status;
  if (manifest === undefined) {
    return {
      ...{ id: clip, camera: null, counter: null, capturedAt: null, sha256: null, dueAt: null },
      ...{ sizeBytes: status.bytes, segments: [], state: 'unreadable', held },
    };
  }
  return {
    id: clip,
    camera: manifest.camera,
    counter: manifest.counter,
    capturedAt: new Date(manifest.startedAtMs).toISOString(),
    sizeBytes: manifest.sizeBytes,
    sha256: manifest.sha256,
    segments: manifest.segments.map(({ index }) => segmentPath(clip, index)),
    state,
    dueAt: new Date(dueAtMs(manifest, retentionDays)).toISOString(),
    held,
  };
}
