/** The published light table (one row a name): what an officer sees, and what it means. */
export type LightName =
  | 'off'
  | 'steady-green'
  | 'slow-amber'
  | 'green-double-blink'
  | 'fast-red'
  | 'steady-amber';

/** Played once over the light, as the answer to a press; then the light goes on. */
export type FlashName =
  | 'incident-seen'
  | 'nothing-to-mark'
  | 'progress-none'
  | 'progress-1-quarter'
  | 'progress-2-quarters'
  | 'progress-3-quarters'
  | 'progress-all';

export interface Lamps {
  readonly green: boolean;
  readonly amber: boolean;
  readonly red: boolean;
}

export interface LightStep extends Lamps {
  readonly ms: number;
}

export interface LightRow {
  /** Repeated for as long as the light is shown. */
  readonly rhythm: readonly LightStep[];
  readonly look: string;
  readonly meaning: string;
  /** What the officer does. */
  readonly action: string;
}

export interface FlashRow {
  readonly rhythm: readonly LightStep[];
  readonly look: string;
  readonly meaning: string;
}

export const DARK: Lamps = { green: false, amber: false, red: false };

const off = (ms: number): LightStep => ({ ...DARK, ms });
const green = (ms: number): LightStep => ({ ...DARK, green: true, ms });
const amber = (ms: number): LightStep => ({ ...DARK, amber: true, ms });
const red = (ms: number): LightStep => ({ ...DARK, red: true, ms });
const allLamps = (ms: number): LightStep => ({ green: true, amber: true, red: true, ms });
const quarters = (count: number): readonly LightStep[] => [
  off(400),
  ...Array.from({ length: count }, () => [green(250), off(250)]).flat(),
  off(400),
];

/**
 * INVARIANTS: no two rows have the same on and off times, so that the table reads without colour; the only light that shines without a
 * break is the one that says take it; nothing flashes more than three times in a second (WCAG 2.3.1: seizures).
 */
export const LIGHTS: Readonly<Record<LightName, LightRow>> = {
  off: {
    rhythm: [off(1000)],
    look: 'no light',
    meaning: 'The bay is empty.',
    action: 'Put your camera in.',
  },
  'steady-green': {
    rhythm: [green(1000)],
    look: 'green, without a break',
    meaning:
      'Everything on the camera is safe in the dock, and the camera is charged and up to date.',
    action: 'Take the camera.',
  },
  'slow-amber': {
    rhythm: [amber(1000), off(1000)],
    look: 'amber, one second on and one second off',
    meaning: 'The dock is working: reading, storing or charging.',
    action: 'Leave the camera in.',
  },
  'green-double-blink': {
    rhythm: [green(150), off(200), green(150), off(1000)],
    look: 'green, two short blinks and a pause',
    meaning: 'Your incident is held, and everything on the camera is safe in the dock.',
    action: 'Take the camera.',
  },
  'fast-red': {
    rhythm: [red(200), off(200)],
    look: 'red, fast blinking',
    meaning: 'Something is wrong; the status page says what.',
    action: 'Take the camera to your supervisor.',
  },
  'steady-amber': {
    rhythm: [amber(2700), off(300)],
    look: 'amber, on but for a wink every three seconds',
    meaning: 'The dock cannot store now; your recordings stay on the camera.',
    action: 'Leave the camera in; it goes on by itself.',
  },
};

export const FLASHES: Readonly<Record<FlashName, FlashRow>> = {
  'incident-seen': {
    rhythm: [allLamps(1500), off(300)],
    look: 'all three lamps, once and long',
    meaning: 'Your long press was seen: the last recording is marked as an incident.',
  },
  'nothing-to-mark': {
    rhythm: [off(300), red(700), off(300)],
    look: 'red, once',
    meaning: 'There is no recording here to mark.',
  },
  'progress-none': {
    rhythm: [off(400), amber(1000), off(400)],
    look: 'amber, once',
    meaning: 'Less than a quarter is done.',
  },
  'progress-1-quarter': {
    rhythm: quarters(1),
    look: 'green, one blink',
    meaning: 'A quarter is done.',
  },
  'progress-2-quarters': {
    rhythm: quarters(2),
    look: 'green, two blinks',
    meaning: 'Half is done.',
  },
  'progress-3-quarters': {
    rhythm: quarters(3),
    look: 'green, three blinks',
    meaning: 'Three quarters are done.',
  },
  'progress-all': {
    rhythm: quarters(4),
    look: 'green, four blinks',
    meaning: 'All is done.',
  },
};

export const LIGHT_NAMES = Object.keys(LIGHTS) as readonly LightName[];
export const FLASH_NAMES = Object.keys(FLASHES) as readonly FlashName[];

export function durationMs(rhythm: readonly LightStep[]): number {
  return rhythm.reduce((sum, step) => sum + step.ms, 0);
}

/** The lamps at `tMs` on a clock that all bays share, so that equal lights blink together. */
export function lampsAt(light: LightName, tMs: number): Lamps {
  return stepAt(LIGHTS[light].rhythm, tMs).step;
}

/** Milliseconds until the lamps change; undefined for a light that never does. */
export function msUntilChange(light: LightName, tMs: number): number | undefined {
  const { rhythm } = LIGHTS[light];
  return rhythm.length === 1 ? undefined : stepAt(rhythm, tMs).leftMs;
}

/** The lamps `elapsedMs` after the flash began; undefined once it is over. */
export function flashAt(
  flash: FlashName,
  elapsedMs: number,
): { readonly lamps: Lamps; readonly leftMs: number } | undefined {
  const { rhythm } = FLASHES[flash];
  if (elapsedMs < 0 || elapsedMs >= durationMs(rhythm)) return undefined;
  const { step, leftMs } = stepAt(rhythm, elapsedMs);
  return { lamps: step, leftMs };
}

export function progressFlash(doneBytes: number, totalBytes: number): FlashName {
  if (doneBytes >= totalBytes) return 'progress-all';
  const done = Math.floor((doneBytes * 4) / totalBytes);
  if (done >= 3) return 'progress-3-quarters';
  if (done === 2) return 'progress-2-quarters';
  return done === 1 ? 'progress-1-quarter' : 'progress-none';
}

function stepAt(
  rhythm: readonly LightStep[],
  tMs: number,
): { readonly step: LightStep; readonly leftMs: number } {
  const periodMs = durationMs(rhythm);
  let leftMs = ((tMs % periodMs) + periodMs) % periodMs;
  for (const step of rhythm) {
    if (leftMs < step.ms) return { step, leftMs: step.ms - leftMs };
    leftMs -= step.ms;
  }
  return { step: rhythm[0] as LightStep, leftMs: 1 };
}
