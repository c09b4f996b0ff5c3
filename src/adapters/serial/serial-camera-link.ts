import { assert } from '../../core/assert.ts';
import type { VerifyEd25519 } from '../../core/custody/primitives.ts';
import { DockError, isDockError } from '../../core/errors.ts';
import type { DockId } from '../../core/evidence/clip.ts';
import { NONCE_SIZE } from '../../core/link/message.ts';
import { FAST_BAUD } from '../../core/link/pace.ts';
import type {
  CameraLink,
  CameraRegistry,
  CameraSession,
  DockOptions,
} from '../../ports/camera-link.ts';
import type { Clock } from '../../ports/clock.ts';
import type { OpenFrameReader } from '../../ports/frame-reader.ts';
import type { Logger } from '../../ports/logger.ts';
import type { Random } from '../../ports/random.ts';
import type { Signer } from '../../ports/signer.ts';
import { throwIfAborted } from './exchange.ts';
import { Handshake } from './handshake.ts';
import { SerialLine } from './line.ts';
import { type BayLine, deviceAt } from './port.ts';
import { negotiateRate } from './rate.ts';
import { SerialCameraSession } from './serial-session.ts';
import { LINK_TIMINGS, type LinkTimings } from './timings.ts';

// A line that opens only to say that it is gone is a fault and not an empty bay.
const VANISHED_MAX = 40;

export interface SerialCameraLinkOptions {
  readonly bays: ReadonlyMap<number, BayLine>;
  readonly dockId: DockId;
  readonly linkKey: Signer;
  readonly registry: CameraRegistry;
  readonly verify: VerifyEd25519;
  readonly random: Random;
  readonly clock: Clock;
  readonly openReader: OpenFrameReader;
  readonly logger: Logger;
  readonly timings?: Partial<LinkTimings>;
}

/** Cameras on serial lines: UART, USB CDC-ACM or pty. */
export class SerialCameraLink implements CameraLink {
  private readonly options: SerialCameraLinkOptions;
  private readonly timings: LinkTimings;

  constructor(options: SerialCameraLinkOptions) {
    this.options = options;
    this.timings = { ...LINK_TIMINGS, ...options.timings };
  }

  async dock(bay: number, options: DockOptions): Promise<CameraSession> {
    const place = this.placeOf(bay);
    const onPresent = once(options.onPresent);
    for (let tries = 1; ; tries++) {
      const line = await this.openWhenPlugged(place, options.signal);
      try {
        throwIfAborted(options.signal);
        if (place.fixed !== true) onPresent();
        return await this.greet(bay, line, { signal: options.signal, onPresent });
      } catch (error) {
        const { heardBytes, discardedBytes } = line;
        await line.close();
        throwIfAborted(options.signal);
        const { fixedRetryMs, lookMs } = this.timings;
        const isMute = place.fixed === true && isDockError(error, 'LINK_TIMEOUT');
        // A camera that was just closed may take its device away once more before it is there to stay.
        const isBack = isDockError(error, 'LINK_CLOSED') && tries < VANISHED_MAX;
        if (heardBytes > 0 || !(isMute || isBack)) {
          this.options.logger.warn('link.refused', { bay, code: codeOf(error), discardedBytes });
          throw error;
        }
        await this.pause(isMute ? fixedRetryMs : lookMs, options.signal);
      }
    }
  }

  async gone(bay: number, signal: AbortSignal): Promise<void> {
    const place = this.placeOf(bay);
    if (place.fixed === true) return this.pause(this.timings.fixedRetryMs, signal);
    const device = await deviceAt(place.path);
    while (device !== undefined && (await deviceAt(place.path)) === device) {
      await this.pause(this.timings.lookMs, signal);
    }
  }

  private placeOf(bay: number): BayLine {
    const place = this.options.bays.get(bay);
    assert(place !== undefined, `bay ${bay} is on this board`);
    return place;
  }

  private newLine(place: BayLine): SerialLine {
    const { random, clock, openReader } = this.options;
    const [a = 0, b = 0, c = 0, d = 0] = random.bytes(4);
    const firstRequest = (a | (b << 8) | (c << 16) | ((d & 0x7f) << 24)) + 1;
    return new SerialLine(place, firstRequest, { clock, openReader, timings: this.timings });
  }

  /** A device that is gone again before it is open is an empty bay, and no error. */
  private async openWhenPlugged(place: BayLine, signal: AbortSignal): Promise<SerialLine> {
    for (let tries = 1; ; tries++) {
      await this.plugged(place.path, signal);
      const line = this.newLine(place);
      try {
        await line.open();
        return line;
      } catch (error) {
        if (!isDockError(error, 'LINK_CLOSED') || tries >= VANISHED_MAX) throw error;
        await this.pause(this.timings.lookMs, signal);
      }
    }
  }

  /** Resolves when the path leads to a device. */
  private async plugged(path: string, signal: AbortSignal): Promise<void> {
    throwIfAborted(signal);
    while ((await deviceAt(path)) === undefined) await this.pause(this.timings.lookMs, signal);
  }

  private async pause(ms: number, signal: AbortSignal): Promise<void> {
    await this.options.clock.delay(ms, signal).catch((error: unknown) => {
      throwIfAborted(signal);
      throw error;
    });
  }

  private async greet(bay: number, line: SerialLine, options: DockOptions): Promise<CameraSession> {
    const { dockId, linkKey, registry, verify, random, logger } = this.options;
    line.onTick = () => {
      if (line.heardBytes > 0) options.onPresent();
    };
    const handshake = new Handshake(line, {
      dock: dockId,
      dockNonce: random.bytes(NONCE_SIZE),
      sign: (message) => linkKey.sign(message),
      verify,
      publicKeyOf: (serial) => registry.publicKeyOf(serial),
      allowKeyless: registry.allowKeyless,
      tryTimeoutsMs: this.timings.handshakeMs,
    });
    const camera = await handshake.run(options.signal);
    options.onPresent();
    line.onTick = () => undefined;
    line.docked = true;
    const { baudRateMax = 0 } = line.bay;
    // From FAST_BAUD on the number says nothing about the line.
    if (baudRateMax > line.baudRate && line.baudRate < FAST_BAUD) {
      await negotiateRate(line, baudRateMax, options.signal);
    }
    const { serial, auth } = camera;
    logger.info('link.docked', { bay, serial, auth, baudRate: line.baudRate });
    void line.closed.then(() => this.report(bay, line));
    return new SerialCameraSession(line, camera, verify);
  }

  private report(bay: number, line: SerialLine): void {
    const { heardBytes, discardedBytes, strayFrames } = line;
    const code = codeOf(line.failure);
    this.options.logger.info('link.closed', { bay, code, heardBytes, discardedBytes, strayFrames });
  }
}

function codeOf(error: unknown): string {
  return error instanceof DockError ? error.code : 'unknown';
}

function once(act: () => void): () => void {
  let acted = false;
  return () => {
    if (acted) return;
    acted = true;
    act();
  };
}
