/** Every wait of the link. Backoff is the growth within a list. */
export interface LinkTimings {
  /** Between two looks at a bay's path. */
  readonly lookMs: number;
  readonly tickMs: number;
  /** Deadlines of HELLO and PROVE, one a try. */
  readonly handshakeMs: readonly number[];
  /** Deadlines of any other request, one a try. */
  readonly answerMs: readonly number[];
  /** Quiet on the line, in the middle of a read, that makes all in flight lost; one a try without a byte. */
  readonly quietMs: readonly number[];
  /** A read that gained no byte for so long is over, whatever else the camera sends. */
  readonly stuckMs: number;
  /** From the switch to a new rate until the first byte at it: the camera switches too. */
  readonly rateSettleMs: number;
  /** Deadlines of STATUS at a new rate, one a try; within RATE_CONFIRM_MS together (SPEC 9). */
  readonly rateMs: readonly number[];
  readonly closeMs: number;
  /** For a line that is there without a camera: how long until it is tried again. */
  readonly fixedRetryMs: number;
}

export const LINK_TIMINGS: LinkTimings = {
  lookMs: 250,
  tickMs: 50,
  handshakeMs: [300, 500, 1000, 1000, 2000, 2000, 2000],
  answerMs: [1000, 2000, 4000, 4000, 4000, 4000],
  quietMs: [500, 1000, 2000, 4000, 4000, 4000],
  stuckMs: 30_000,
  rateSettleMs: 20,
  rateMs: [250, 250, 250],
  closeMs: 1000,
  fixedRetryMs: 2000,
};
