import { CAP_PERIOD_MS, type IngestCap, nextCap, startCap } from '../core/dock/ingest-cap.ts';
import {
  chooseNext,
  joinBay,
  type ServedBytes,
  TURN_BYTES,
  TURN_MS,
  type WaitingClip,
} from '../core/dock/ingest-order.ts';
import { DockError } from '../core/errors.ts';
import type { Clock } from '../ports/clock.ts';

/** What a clip under way does with each piece that arrived. */
export interface IngestTurn {
  /** Writes when it is this clip's turn. LINK_CLOSED when the camera was taken out while it waited. */
  seal(sizeBytes: number, write: () => Promise<void>): Promise<void>;
}

export interface IngestWish {
  /** Asked for each time that a place is free: a clip may become an incident while it waits. */
  readonly clip: () => WaitingClip;
  /** Settles when the camera was taken out. */
  readonly closed: Promise<void>;
  readonly signal: AbortSignal;
}

export interface IngestLimits {
  readonly bays: number;
  readonly cores: number;
  /** Undefined: as many as there are bays. */
  readonly most: number | undefined;
}

interface Ticket {
  readonly wish: IngestWish;
  /** Why it must not wait any more. */
  failure: unknown;
  admit: () => void;
  refuse: (failure: unknown) => void;
}

interface Period {
  readonly startedMs: number;
  bytes: number;
  placeMs: number;
  sealMs: number;
  kept: boolean;
}

/**
 * Places for the ingests of all bays. A clip keeps its place for a turn at a time, so that with fewer places than bays each bay moves on.
 *
 * INVARIANTS: who has a place is in `#placed`, who waits is in `#waiting`, nobody is in both; places are given in `#fill` alone.
 */
export class IngestQueue {
  readonly #clock: Clock;
  readonly #joined = new Set<number>();
  readonly #waiting = new Set<Ticket>();
  readonly #placed = new Set<Ticket>();
  #served: ServedBytes = new Map();
  #cap: IngestCap;
  #period: Period;

  constructor(clock: Clock, limits: IngestLimits) {
    this.#clock = clock;
    this.#cap = startCap(limits);
    this.#period = newPeriod(clock.monotonicMs());
  }

  /** How many bays may ingest at once now. */
  get cap(): number {
    return this.#cap.cap;
  }

  /** Before the first clip of a camera's list, and after a pause that was not the queue's. */
  join(bay: number): void {
    this.#served = joinBay(this.#served, bay, this.#joined);
    this.#joined.add(bay);
  }

  leave(bay: number): void {
    this.#joined.delete(bay);
  }

  /** Runs the ingest of one clip when it has a place. One at a time for a bay. */
  async run<T>(wish: IngestWish, work: (turn: IngestTurn) => Promise<T>): Promise<T> {
    const { signal, closed } = wish;
    const ticket: Ticket = { wish, failure: undefined, admit: ignore, refuse: ignore };
    const onAbort = () => this.#cancel(ticket, signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    void closed.then(() => this.#cancel(ticket, goneWhileWaiting()));
    try {
      await this.#place(ticket);
      return await work(new Turn(this.#clock, this.#endsOf(ticket)));
    } finally {
      signal.removeEventListener('abort', onAbort);
      this.#placed.delete(ticket);
      this.#fill();
    }
  }

  #endsOf(ticket: Ticket): TurnEnds {
    return {
      yield: async () => {
        if (this.#waiting.size === 0) return;
        this.#placed.delete(ticket);
        await this.#place(ticket);
      },
      wrote: (piece) => this.#count(ticket.wish.clip(), piece),
    };
  }

  #place(ticket: Ticket): Promise<void> {
    if (ticket.failure !== undefined) return Promise.reject(ticket.failure);
    return new Promise((resolve, reject) => {
      ticket.admit = resolve;
      ticket.refuse = reject;
      this.#waiting.add(ticket);
      this.#fill();
    });
  }

  /** A clip that has its place learns from its camera's line that it is over. */
  #cancel(ticket: Ticket, failure: unknown): void {
    ticket.failure = failure;
    if (this.#waiting.delete(ticket)) ticket.refuse(failure);
  }

  #fill(): void {
    while (this.#placed.size < this.#cap.cap) {
      const waiting = [...this.#waiting].map((ticket) => ({ ...ticket.wish.clip(), ticket }));
      const next = chooseNext(waiting, this.#served, this.#joined);
      if (next === undefined) return;
      this.#waiting.delete(next.ticket);
      this.#placed.add(next.ticket);
      next.ticket.admit();
    }
    if (this.#waiting.size > 0) this.#period.kept = true;
  }

  #count({ bay, incident }: WaitingClip, { sizeBytes, placeMs, sealMs }: Piece): void {
    if (!incident) {
      this.#served = new Map(this.#served).set(bay, (this.#served.get(bay) ?? 0) + sizeBytes);
    }
    const period = this.#period;
    period.bytes += sizeBytes;
    period.placeMs += placeMs;
    period.sealMs += sealMs;
    const nowMs = this.#clock.monotonicMs();
    const durationMs = nowMs - period.startedMs;
    if (durationMs < CAP_PERIOD_MS) return;
    this.#cap = nextCap(this.#cap, { ...period, durationMs });
    this.#period = newPeriod(nowMs);
    this.#fill();
  }
}

interface Piece {
  readonly sizeBytes: number;
  /** With a place: for the line and for the sealer. */
  readonly placeMs: number;
  /** The part of it that was the sealer's. */
  readonly sealMs: number;
}

interface TurnEnds {
  /** Gives the place to a bay that comes first, if there is one. */
  readonly yield: () => Promise<void>;
  readonly wrote: (piece: Piece) => void;
}

class Turn implements IngestTurn {
  readonly #clock: Clock;
  readonly #ends: TurnEnds;
  #bytes = 0;
  #startedMs: number;
  #wroteMs: number;

  constructor(clock: Clock, ends: TurnEnds) {
    this.#clock = clock;
    this.#ends = ends;
    this.#startedMs = clock.monotonicMs();
    this.#wroteMs = this.#startedMs;
  }

  async seal(sizeBytes: number, write: () => Promise<void>): Promise<void> {
    const arrivedMs = this.#clock.monotonicMs();
    const lineMs = arrivedMs - this.#wroteMs;
    if (this.#bytes >= TURN_BYTES || arrivedMs - this.#startedMs >= TURN_MS) {
      await this.#ends.yield();
      this.#bytes = 0;
      this.#startedMs = this.#clock.monotonicMs();
    }
    const beganMs = this.#clock.monotonicMs();
    await write();
    this.#wroteMs = this.#clock.monotonicMs();
    const sealMs = this.#wroteMs - beganMs;
    this.#bytes += sizeBytes;
    this.#ends.wrote({ sizeBytes, placeMs: lineMs + sealMs, sealMs });
  }
}

function newPeriod(startedMs: number): Period {
  return { startedMs, bytes: 0, placeMs: 0, sealMs: 0, kept: false };
}

function goneWhileWaiting(): DockError {
  return new DockError('LINK_CLOSED', 'the camera was taken out while it waited for its turn');
}

function ignore(): undefined {
  return undefined;
}
