import type { TrustedNow } from '../core/time/trusted-time.ts';

/** The only time that retention and expiry may ask. The dock's own clock is for people to read. */
export interface TrustedTime {
  /** Never goes back while it is known. Unknown after a start until a witness has cosigned what this run signed. */
  now(): TrustedNow;
}
