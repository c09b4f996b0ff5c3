import { clockOffsetOf, firstUnmarked } from '../core/dock/camera-clocks.ts';
import { isDockError } from '../core/errors.ts';
import { cameraDigest } from '../core/evidence/gaps.ts';
import type { CameraStatus } from '../ports/camera-link.ts';
import type { VisitDeps } from './camera-visit.ts';

/** The camera's clock as the answer to one STATUS shows it. */
interface Look {
  /** By how much it is ahead, taken half the way there and back. */
  readonly offsetMs: number;
  /** It may be wrong by so much: half the way there and back. */
  readonly errorMs: number;
  readonly status: CameraStatus;
}

const LOOKS = 3;

/**
 * The docked camera's own clock, and what else it says of itself. A recording keeps the offset that was measured first after it: that is in the
 * log before the clock is set, so that neither a line that fails nor a dock that loses power makes a wrong time look right.
 */
export class CameraClock {
  readonly #deps: VisitDeps;
  readonly #camera: string;
  /** Before the clock was set. */
  #docking: Look | undefined;
  /** What the camera answered when it was set; undefined: never set in this visit. */
  #answeredMs: number | undefined;

  constructor(deps: VisitDeps) {
    this.#deps = deps;
    this.#camera = cameraDigest(deps.session.serial, deps.evidence.crypto.sha256);
  }

  get isSet(): boolean {
    return this.#answeredMs !== undefined;
  }

  /** Measures, enters what it found, sets. */
  async set(): Promise<void> {
    const { session } = this.#deps;
    this.#docking = await this.#measure();
    if (this.#docking !== undefined) {
      const { offsetMs } = this.#docking;
      this.#tell(this.#docking);
      const isNews = await this.mark(offsetMs, session.lastCounter);
      this.#judge(offsetMs, isNews);
    }
    await this.setOnly();
  }

  async setOnly(): Promise<void> {
    const { session, evidence, signal, input } = this.#deps;
    this.#answeredMs = await session.setClock(evidence.clock.nowMs(), signal);
    input({ kind: 'clock-set' });
  }

  /** Looks again while the camera stays. */
  async look(): Promise<Look | undefined> {
    const look = await this.#look();
    if (look !== undefined) this.#tell(look);
    return look;
  }

  /** The one that the line delayed least. */
  async #measure(): Promise<Look | undefined> {
    let best = await this.#look();
    for (let looks = 1; looks < LOOKS && best !== undefined; looks++) {
      const next = await this.#look();
      if (next !== undefined && next.errorMs < best.errorMs) best = next;
    }
    return best;
  }

  /** Undefined when the camera does not say. */
  async #look(): Promise<Look | undefined> {
    const { session, evidence, signal, bay } = this.#deps;
    const { clock, logger } = evidence;
    const [askedMs, startedMs] = [clock.nowMs(), clock.monotonicMs()];
    try {
      const status = await session.status(signal);
      const errorMs = (clock.monotonicMs() - startedMs) / 2;
      return { status, errorMs, offsetMs: Math.round(status.clockMs - askedMs - errorMs) };
    } catch (error) {
      if (!isDockError(error, 'CAMERA_REFUSED') && !isDockError(error, 'LINK_PROTOCOL'))
        throw error;
      logger.warn('camera-status-unknown', { bay, code: error.code, why: error.message });
      return undefined;
    }
  }

  #tell(look: Look): void {
    const { batteryPercent, charging, storageBytes, storageFreeBytes, firmware } = look.status;
    const before = this.#docking ?? look;
    const report = {
      ...{ batteryPercent, charging, storageBytes, storageFreeBytes, firmware },
      clockQuality: before.status.clockQuality,
      clockOffsetMs: before.offsetMs,
    };
    this.#deps.input({ kind: 'report', report });
  }

  /** False when every recording up to that counter has its offset in the log. */
  async mark(offsetMs: number, last: number): Promise<boolean> {
    const { custody } = this.#deps.evidence;
    const first = firstUnmarked(custody.state.clocks, this.#camera);
    if (last < first) return false;
    const camera = this.#camera;
    await custody.append([{ kind: 'clock-offset', camera, first, last, ms: offsetMs }]);
    return true;
  }

  offsetOf(counter: number): number | undefined {
    const { clocks } = this.#deps.evidence.custody.state;
    const isMarked = counter < firstUnmarked(clocks, this.#camera);
    return isMarked ? clockOffsetOf(clocks, this.#camera, counter) : this.#answeredMs;
  }

  /** The alarm is over when the camera comes back with recordings that a right clock made. */
  #judge(offsetMs: number, isNews: boolean): void {
    const { session, alarms, bay, cameraClockOffsetMsMax, onEvent } = this.#deps;
    const { serial } = session;
    if (Math.abs(offsetMs) > cameraClockOffsetMsMax) {
      alarms.raise('CAMERA_CLOCK_OFF', serial, bay);
      onEvent('camera-clock-off', { bay, camera: serial, offsetMs });
    } else if (isNews) alarms.clear('CAMERA_CLOCK_OFF', serial);
  }
}
