import { formatHex } from '../core/bytes.ts';
import type { NoteCrypto } from '../core/custody/note.ts';
import type { ClipId, DockId } from '../core/evidence/clip.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/logger.ts';
import type { Random } from '../ports/random.ts';
import type { Sealer } from '../ports/sealer.ts';
import type { DockKeys } from '../ports/signer.ts';
import type { Vault } from '../ports/vault.ts';
import type { ClipIndex } from './clip-index.ts';
import type { CustodyLog } from './custody-log.ts';
import type { TrustedClock } from './trusted-clock.ts';

/** What every use case that touches evidence works with. */
export interface Evidence {
  readonly dock: DockId;
  readonly vault: Vault;
  readonly sealer: Sealer;
  readonly custody: CustodyLog;
  readonly index: ClipIndex;
  readonly keys: DockKeys;
  readonly crypto: NoteCrypto;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly boot: string;
  /** The only time that retention and expiry may ask. */
  readonly time: TrustedClock;
  /** `docket/<version>` */
  readonly software: string;
  readonly segmentBytes: number;
}

export function newClipId(random: Random): ClipId {
  return formatHex(random.bytes(16)) as ClipId;
}
