/** What goes wrong, as `--fault` says it. Shares are 0 to 1; counts are of bytes sent from then on. */
export interface CameraFaults {
  readonly drop?: number;
  readonly corrupt?: number;
  readonly dropIn?: number;
  readonly corruptIn?: number;
  readonly stallAfter?: number;
  readonly stallMs?: number;
  readonly vanishAfter?: number;
  readonly vanishBackMs?: number;
  readonly powerAfter?: number;
  readonly powerBackMs?: number;
  readonly garbage?: boolean;
  readonly claim4g?: boolean;
  readonly flipContent?: boolean;
  readonly noEraseAnswer?: boolean;
  readonly noRateAnswer?: boolean;
  readonly lieDigest?: boolean;
  readonly name?: string;
}

type Parse = (value: string) => CameraFaults;

const FAULTS: Readonly<Record<string, Parse>> = {
  drop: (value) => ({ drop: parseShare(value) }),
  corrupt: (value) => ({ corrupt: parseShare(value) }),
  'drop-in': (value) => ({ dropIn: parseShare(value) }),
  'corrupt-in': (value) => ({ corruptIn: parseShare(value) }),
  stall: (value) => {
    const [stallAfter, stallMs] = parsePair(value);
    if (stallMs === undefined) throw new Error('stall needs AFTER_BYTES:MS');
    return { stallAfter, stallMs };
  },
  vanish: (value) => {
    const [vanishAfter, vanishBackMs] = parsePair(value);
    return vanishBackMs === undefined ? { vanishAfter } : { vanishAfter, vanishBackMs };
  },
  'power-loss': (value) => {
    const [powerAfter, powerBackMs] = parsePair(value);
    return powerBackMs === undefined ? { powerAfter } : { powerAfter, powerBackMs };
  },
  name: (value) => ({ name: value }),
  garbage: () => ({ garbage: true }),
  'claim-4g': () => ({ claim4g: true }),
  'flip-content': () => ({ flipContent: true }),
  'no-erase-answer': () => ({ noEraseAnswer: true }),
  'no-rate-answer': () => ({ noRateAnswer: true }),
  'lie-digest': () => ({ lieDigest: true }),
};

export const FAULT_NAMES: readonly string[] = Object.keys(FAULTS);

function parseShare(text: string): number {
  const share = Number(text);
  if (text === '' || !(share >= 0 && share <= 1))
    throw new Error(`not a share from 0 to 1: ${text}`);
  return share;
}

function parseCount(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new Error(`not a whole number: ${text}`);
  return Number(text);
}

function parsePair(text: string): [number, number | undefined] {
  const [first = '', second] = text.split(':');
  return [parseCount(first), second === undefined ? undefined : parseCount(second)];
}

/** `drop=0.01`, `stall=100000:500`, `garbage`, ...; throws an Error that names what is wrong. */
export function parseFault(spec: string): CameraFaults {
  const [name = ''] = spec.split('=', 1);
  const parse = FAULTS[name];
  if (parse === undefined) throw new Error(`no fault ${name}; there are ${FAULT_NAMES.join(', ')}`);
  return parse(spec.slice(name.length + 1));
}

export function parseFaults(specs: readonly string[]): CameraFaults {
  return Object.assign({}, ...specs.map(parseFault)) as CameraFaults;
}
