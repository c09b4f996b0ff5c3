import { type Lamps, LIGHT_NAMES, LIGHTS, type LightName, lampsAt } from './lights.ts';

const STRIP_MS = 3000;
const STRIP_STEP_MS = 100;

/** Three lamps as an officer sees them, by letter and place and so without colour: `[G..]`, `[.A.]`, `[..R]`. */
export function drawLamps(lamps: Lamps): string {
  return `[${lamps.green ? 'G' : '.'}${lamps.amber ? 'A' : '.'}${lamps.red ? 'R' : '.'}]`;
}

/** Three seconds of a light, one character for 100 ms: `GG..GG..........` */
export function drawRhythm(light: LightName): string {
  let strip = '';
  for (let tMs = 0; tMs < STRIP_MS; tMs += STRIP_STEP_MS) {
    const lamps = lampsAt(light, tMs);
    if (lamps.green) strip += 'G';
    else if (lamps.amber) strip += 'A';
    else strip += lamps.red ? 'R' : '.';
  }
  return strip;
}

/** The published table as text, one light a line. */
export function drawLightTable(): string {
  const width = Math.max(...LIGHT_NAMES.map((name) => name.length));
  return LIGHT_NAMES.map((name) => {
    const { meaning, action } = LIGHTS[name];
    return `${name.padEnd(width)}  ${drawRhythm(name)}  ${meaning} ${action}`;
  }).join('\n');
}
