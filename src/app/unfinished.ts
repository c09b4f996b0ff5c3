import { formatHex } from '../core/bytes.ts';
import type { ReasonCode } from '../core/custody/entry-grammar.ts';
import type { CameraSerial } from '../core/evidence/clip.ts';
import type { DraftState } from '../core/evidence/draft-state.ts';
import type { ClipIntake } from './clip-intake.ts';
import type { Evidence } from './evidence.ts';

/** In memory, at the byte where the camera was taken out. */
interface ParkedClip {
  readonly kind: 'parked';
  readonly intake: ClipIntake;
  readonly sinceMs: number;
}

/** On the disk, after its last segment. */
interface LeftDraft {
  readonly kind: 'draft';
  readonly state: DraftState;
}

export type UnfinishedClip = ParkedClip | LeftDraft;

interface UnfinishedSource {
  readonly camera: CameraSerial;
  readonly cameraKey: Uint8Array | undefined;
  readonly recordSha256: string;
}

/** Each holds a sealing of 2.4 MiB: one a bay is plenty. */
const PARKED_MAX = 8;
/** Received and not yet sealed, of all of them together. */
const CARRIED_BYTES_MAX = 16_777_216;
const KEPT_MS = 7 * 86_400_000;

/**
 * Clips that did not come whole, by the record that the camera signed. Nothing here is evidence: the camera has the clip, and what is
 * forgotten is asked for again.
 *
 * INVARIANTS: a clip that somebody works on is not in it. The oldest is first.
 */
export class Unfinished {
  readonly #clips = new Map<string, UnfinishedClip>();

  /** The caller has it alone from now on. */
  claim(source: UnfinishedSource): UnfinishedClip | undefined {
    const key = keyOf(source);
    const found = this.#clips.get(key);
    this.#clips.delete(key);
    return found;
  }

  /** Of two for one recording the one with more of it stays; the other one is given back. */
  add(clip: UnfinishedClip): UnfinishedClip | undefined {
    const key = keyOf(sourceOfUnfinished(clip));
    const other = this.#clips.get(key);
    if (other !== undefined && doneBytesOf(other) >= doneBytesOf(clip)) return clip;
    this.#clips.set(key, clip);
    return other;
  }

  /** Keeps it as it is in memory; the oldest ones give up theirs when that is too much. */
  async park({ clock }: Pick<Evidence, 'clock'>, intake: ClipIntake): Promise<void> {
    await intake.rest();
    this.add({ kind: 'parked', intake, sinceMs: clock.nowMs() });
    const parked = [...this.#clips.values()].filter((clip) => clip.kind === 'parked');
    let carriedBytes = parked.reduce((sum, clip) => sum + carriedBytesOf(clip.intake), 0);
    for (const { intake: oldest } of parked) {
      if (carriedBytes <= CARRIED_BYTES_MAX) break;
      carriedBytes -= carriedBytesOf(oldest);
      oldest.carry.held = undefined;
    }
    for (const clip of parked.slice(0, -PARKED_MAX)) await this.#putDown(clip);
  }

  /** In memory, the oldest first. */
  get parked(): readonly ClipIntake[] {
    const clips = [...this.#clips.values()];
    return clips.flatMap((clip) => (clip.kind === 'parked' ? [clip.intake] : []));
  }

  /** What giving all of it up would free on the disk. */
  get sizeBytes(): number {
    return [...this.#clips.values()].reduce((sum, clip) => sum + doneBytesOf(clip), 0);
  }

  /** Makes room. False when there is none to give up. */
  async giveUpOldest(evidence: Evidence): Promise<boolean> {
    const [oldest] = this.#clips.values();
    if (oldest === undefined) return false;
    await this.#giveUp(evidence, oldest, 'VAULT_FULL');
    return true;
  }

  /** Cameras that nobody brings back. The clock may have been wrong, either way. */
  async expire(evidence: Evidence): Promise<void> {
    const nowMs = evidence.clock.nowMs();
    for (const clip of [...this.#clips.values()]) {
      const sinceMs = clip.kind === 'draft' ? clip.state.savedAtMs : clip.sinceMs;
      if (Math.abs(nowMs - sinceMs) > KEPT_MS) await this.#giveUp(evidence, clip, 'ABANDONED');
    }
  }

  /** The run ends: only what is on the disk stays. */
  async stop(): Promise<void> {
    for (const clip of [...this.#clips.values()]) {
      if (clip.kind === 'parked') await this.#putDown(clip);
    }
  }

  async #putDown(clip: ParkedClip): Promise<void> {
    const { intake } = clip;
    if (!this.#takes(clip)) return;
    const state = await intake.putDown();
    if (state !== undefined) this.add({ kind: 'draft', state });
  }

  /** False when somebody else has it by now. */
  #takes(clip: UnfinishedClip): boolean {
    const key = keyOf(sourceOfUnfinished(clip));
    return this.#clips.get(key) === clip && this.#clips.delete(key);
  }

  /** Recorded first: an entry said twice is better than a removal that no entry tells of. */
  async #giveUp(evidence: Evidence, found: UnfinishedClip, reason: ReasonCode): Promise<void> {
    if (!this.#takes(found)) return;
    const clip = found.kind === 'draft' ? found.state.clip : found.intake.draft.clip;
    await evidence.custody.append([{ kind: 'draft-removed', clip, reason }]);
    if (found.kind === 'parked') await found.intake.abandon();
    else await evidence.vault.removeDraft(clip);
  }
}

export function doneBytesOf(clip: UnfinishedClip): number {
  return clip.kind === 'draft' ? clip.state.midstate.sizeBytes : clip.intake.doneBytes;
}

function carriedBytesOf({ carry }: ClipIntake): number {
  return carry.held?.sizeBytes ?? 0;
}

function sourceOfUnfinished(clip: UnfinishedClip): UnfinishedSource {
  return clip.kind === 'draft' ? clip.state : clip.intake.source;
}

function keyOf({ camera, cameraKey, recordSha256 }: UnfinishedSource): string {
  return `${camera} ${cameraKey === undefined ? 'none' : formatHex(cameraKey)} ${recordSha256}`;
}
