import { z } from 'zod';
import {
  type Fault,
  field,
  findRepeats,
  formatPath,
  items,
  type Parsed,
  parseWith,
} from './faults.ts';

export const BAYS_MAX = 64;

const chip = z
  .string()
  .regex(/^[\w.:-]{1,64}$/)
  .describe('the label of the GPIO chip, such as pinctrl-bcm2711');
const line = z.int().min(0).max(1023).describe("the line's number on its chip, from 0");
const activeLow = z
  .boolean()
  .default(false)
  .describe('true where the line is low when the lamp is lit or the contact is closed');

const output = z.strictObject({ chip, line, activeLow }).describe('{ chip, line, activeLow }');
const input = z
  .strictObject({
    chip,
    line,
    activeLow,
    pull: z
      .enum(['up', 'down', 'none'])
      .optional()
      .describe('up, down or none: the resistor that holds the open line, set by the firmware'),
  })
  .describe('{ chip, line, activeLow, pull }');

export const serialPath = z
  .string()
  .regex(/^\/[!-~]{1,255}$/)
  .describe('the absolute path of the serial line, such as /dev/serial/by-path/...');
export const baudRate = z
  .int()
  .min(1_200)
  .max(12_000_000)
  .describe('bits a second, such as 921600');
export const bayNumber = z.int().min(1).max(BAYS_MAX).describe("the bay's number, from 1");

const bay = z
  .strictObject({
    bay: bayNumber,
    serial: serialPath,
    baudRate: baudRate
      .default(115_200)
      .describe('bits a second at which every session begins; from 2000000 on it is never changed'),
    baudRateMax: baudRate
      .default(3_000_000)
      .describe('the highest rate that the dock asks the camera for; baudRate for none'),
    rtscts: z.boolean().default(false).describe('true where the line has hardware flow control'),
    fixed: z
      .boolean()
      .default(false)
      .describe('true where the line is there without a camera too, such as a UART'),
    lights: z
      .strictObject({ green: output, amber: output, red: output })
      .describe('the three lights, { green, amber, red }'),
    button: input.optional().describe("the bay's button, { chip, line, activeLow, pull }"),
    present: input.optional().describe('closed when a camera is in the bay'),
    charged: input.optional().describe('closed when the camera is charged'),
  })
  .describe('{ bay, serial, baudRate, baudRateMax, lights, button, present, charged }');

export const boardSchema = z
  .strictObject({
    $schema: z.string().optional().describe('the path of board.schema.json, for editors'),
    name: z
      .string()
      .regex(/^[a-z0-9-]{1,64}$/)
      .describe("the board's name: lower-case letters, digits and dashes"),
    gpio: z.enum(['sysfs', 'simulated']).describe('sysfs for real lines, simulated for none'),
    bays: z.array(bay).min(1).max(BAYS_MAX).describe('the bays, numbered from 1 without gaps'),
    longPressMs: z
      .int()
      .min(300)
      .max(10_000)
      .default(800)
      .describe('milliseconds from which a press is long'),
    debounceMs: z
      .int()
      .min(0)
      .max(200)
      .default(20)
      .describe('milliseconds for which a contact must rest'),
  })
  .describe('a board: { name, gpio, bays, longPressMs, debounceMs }');

export type BoardConfig = Omit<z.output<typeof boardSchema>, '$schema'>;
export type BayConfig = BoardConfig['bays'][number];
export type OutputLine = BayConfig['lights']['green'];
export type InputLine = NonNullable<BayConfig['button']>;

export function parseBoard(value: unknown): Parsed<BoardConfig> {
  const parsed = parseWith(boardSchema, value, crossCheck);
  if ('faults' in parsed) return parsed;
  const { $schema: _editorsOnly, ...board } = parsed.value;
  return { value: board };
}

/** JSON Schema of a board file, as published beside the boards. */
export function boardJsonSchema(): Readonly<Record<string, unknown>> {
  const schema = z.toJSONSchema(boardSchema, { io: 'input', reused: 'inline' });
  return { title: 'Docket board', ...schema };
}

function crossCheck(value: unknown): Fault[] {
  return [
    ...checkNumbering(value),
    ...checkSerials(value),
    ...checkRates(value),
    ...checkLines(value),
  ];
}

function checkNumbering(value: unknown): Fault[] {
  const faults: Fault[] = [];
  const bays = items(field(value, 'bays'));
  for (const [index, entry] of bays.entries()) {
    const number = field(entry, 'bay');
    if (!Number.isInteger(number) || number === index + 1) continue;
    const path = formatPath(['bays', index, 'bay']);
    const problem = `bay ${number} stands where bay ${index + 1} belongs`;
    faults.push({ path, problem, action: 'number the bays from 1, in order and without gaps' });
  }
  return faults;
}

function checkSerials(value: unknown): Fault[] {
  const serials = items(field(value, 'bays')).map((entry, index) => ({
    path: formatPath(['bays', index, 'serial']),
    value: field(entry, 'serial'),
  }));
  return findRepeats(serials, 'this serial line', 'give each bay a serial line of its own');
}

function checkRates(value: unknown): Fault[] {
  return items(field(value, 'bays')).flatMap((entry, index) => {
    const base = field(entry, 'baudRate');
    const max = field(entry, 'baudRateMax');
    if (typeof base !== 'number' || typeof max !== 'number' || max >= base) return [];
    const path = formatPath(['bays', index, 'baudRateMax']);
    return [{ path, problem: 'it is below baudRate', action: 'write baudRate or more' }];
  });
}

function checkLines(value: unknown): Fault[] {
  const lines = items(field(value, 'bays')).flatMap((entry, index) => [
    ...['green', 'amber', 'red'].map((name) => ({
      path: formatPath(['bays', index, 'lights', name]),
      value: lineKey(field(field(entry, 'lights'), name)),
    })),
    ...['button', 'present', 'charged'].map((name) => ({
      path: formatPath(['bays', index, name]),
      value: lineKey(field(entry, name)),
    })),
  ]);
  return findRepeats(lines, 'this line', 'give each light, button and contact a line of its own');
}

function lineKey(value: unknown): string | undefined {
  const label = field(value, 'chip');
  const number = field(value, 'line');
  return typeof label === 'string' && typeof number === 'number' ? `${label} ${number}` : undefined;
}
