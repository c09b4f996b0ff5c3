import type { BayConfig, BoardConfig } from '../../core/config/board.ts';
import {
  type FlashName,
  flashAt,
  type Lamps,
  type LightName,
  lampsAt,
  msUntilChange,
} from '../../core/dock/lights.ts';
import type { BaySensors, BoardFault, Press } from '../../ports/board.ts';
import { type GpioChip, resolveLine } from './chips.ts';
import { type ContactState, type ContactTimes, newContact, nextContact } from './contact.ts';
import { lineFault } from './line-fault.ts';
import type { GpioLines, InputLine, OutputLine } from './lines.ts';

const COLOURS = ['green', 'amber', 'red'] as const;
const CONTACTS = ['button', 'present', 'charged'] as const;
type Colour = (typeof COLOURS)[number];
type ContactName = (typeof CONTACTS)[number];

interface Lamp {
  readonly line: OutputLine;
  readonly place: string;
  isLit: boolean;
  isBroken: boolean;
}

interface Contact {
  readonly line: InputLine;
  readonly place: string;
  readonly times: ContactTimes;
  state: ContactState;
  isBroken: boolean;
}

export interface BayLinesOptions {
  readonly board: Pick<BoardConfig, 'debounceMs' | 'longPressMs'>;
  readonly chips: readonly GpioChip[];
  readonly lines: GpioLines;
  readonly nowMs: number;
  readonly onEdge: () => void;
  readonly onFault: (fault: BoardFault) => void;
}

/** The lines of one bay. A line that fails is told once and left alone; the others go on. */
export class BayLines {
  readonly #options: BayLinesOptions;
  readonly #lamps = new Map<Colour, Lamp>();
  readonly #contacts = new Map<ContactName, Contact>();
  #light: LightName = 'off';
  #flash: { readonly name: FlashName; readonly sinceMs: number } | undefined;

  constructor(options: BayLinesOptions) {
    this.#options = options;
  }

  open(bay: BayConfig): void {
    for (const colour of COLOURS) this.#openLamp(bay, colour);
    for (const name of CONTACTS) this.#openContact(bay, name);
  }

  show(light: LightName): void {
    this.#light = light;
  }

  flash(name: FlashName, nowMs: number): void {
    this.#flash = { name, sinceMs: nowMs };
  }

  sensors(): BaySensors {
    return { present: this.#level('present'), charged: this.#level('charged') };
  }

  /** Reads every contact. `lookAgainMs` is when one must be read again. */
  readContacts(nowMs: number): { readonly press: Press | undefined; readonly lookAgainMs: number } {
    let press: Press | undefined;
    let lookAgainMs = Number.POSITIVE_INFINITY;
    for (const [name, contact] of this.#contacts) {
      if (contact.isBroken) continue;
      const step = this.#readContact(contact, nowMs);
      if (step === undefined) continue;
      contact.state = step.state;
      lookAgainMs = Math.min(lookAgainMs, step.lookAgainMs);
      if (name === 'button') press = step.press;
    }
    return { press, lookAgainMs };
  }

  /** Sets the lamps, and says when they change next. */
  playLamps(nowMs: number): number {
    // A press is told in the same turn, so the flash may begin after the turn's time was taken.
    const flash =
      this.#flash === undefined
        ? undefined
        : flashAt(this.#flash.name, Math.max(0, nowMs - this.#flash.sinceMs));
    if (flash === undefined) this.#flash = undefined;
    this.#setLamps(flash?.lamps ?? lampsAt(this.#light, nowMs));
    const leftMs = flash?.leftMs ?? msUntilChange(this.#light, nowMs);
    return leftMs === undefined ? Number.POSITIVE_INFINITY : nowMs + leftMs;
  }

  /** Lamps off, lines given back, however many of them fail. */
  close(): void {
    for (const lamp of this.#lamps.values()) {
      this.#attempt(lamp.place, () => {
        if (!lamp.isBroken) lamp.line.write(false);
      });
      this.#attempt(lamp.place, () => lamp.line.close());
    }
    for (const { line, place } of this.#contacts.values()) {
      this.#attempt(place, () => line.close());
    }
    this.#lamps.clear();
    this.#contacts.clear();
  }

  #openLamp(bay: BayConfig, colour: Colour): void {
    const wanted = bay.lights[colour];
    const number = this.#resolve(wanted);
    if (number === undefined) return;
    const place = `bay ${bay.bay} ${colour} light (${wanted.chip} line ${wanted.line})`;
    this.#attempt(place, () => {
      const line = this.#options.lines.openOutput(number, wanted.activeLow);
      this.#lamps.set(colour, { line, place, isLit: false, isBroken: false });
    });
  }

  #openContact(bay: BayConfig, name: ContactName): void {
    const wanted = bay[name];
    if (wanted === undefined) return;
    const number = this.#resolve(wanted);
    if (number === undefined) return;
    const { lines, board, nowMs, onEdge } = this.#options;
    const place = `bay ${bay.bay} ${name} line (${wanted.chip} line ${wanted.line})`;
    const longPressMs = name === 'button' ? board.longPressMs : Number.POSITIVE_INFINITY;
    this.#attempt(place, () => {
      const line = lines.openInput(number, wanted.activeLow, onEdge);
      this.#contacts.set(name, {
        line,
        place,
        times: { debounceMs: board.debounceMs, longPressMs },
        state: newContact(line.read(), nowMs),
        isBroken: false,
      });
    });
  }

  #resolve(wanted: { readonly chip: string; readonly line: number }): number | undefined {
    const number = resolveLine(this.#options.chips, wanted);
    if (typeof number === 'number') return number;
    this.#options.onFault(number);
    return undefined;
  }

  #readContact(contact: Contact, nowMs: number) {
    try {
      const reading = { isClosed: contact.line.read(), nowMs };
      return nextContact(contact.state, reading, contact.times);
    } catch (error) {
      contact.isBroken = true;
      this.#options.onFault(lineFault(error, contact.place));
      return undefined;
    }
  }

  #setLamps(lamps: Lamps): void {
    for (const [colour, lamp] of this.#lamps) {
      if (lamp.isBroken || lamp.isLit === lamps[colour]) continue;
      lamp.isBroken = !this.#attempt(lamp.place, () => lamp.line.write(lamps[colour]));
      lamp.isLit = lamps[colour];
    }
  }

  #level(name: ContactName): boolean | undefined {
    const contact = this.#contacts.get(name);
    return contact === undefined || contact.isBroken ? undefined : contact.state.isClosed;
  }

  #attempt(place: string, act: () => void): boolean {
    try {
      act();
      return true;
    } catch (error) {
      this.#options.onFault(lineFault(error, place));
      return false;
    }
  }
}
