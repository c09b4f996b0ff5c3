import { z } from 'zod';

/** One thing wrong in a configuration: where, what, and what to write instead. Quotes no text value, which may be a secret. */
export interface Fault {
  /** As a person would write it: `bays[2].serial`; empty for the whole document. */
  readonly path: string;
  readonly problem: string;
  readonly action: string;
}

export type Parsed<T> = { readonly value: T } | { readonly faults: readonly Fault[] };

type Path = readonly PropertyKey[];
type Issue = z.core.$ZodIssue;
type Node = Readonly<Record<string, unknown>>;

/** The schema's faults and the cross checks' together, so that one reading of the list mends the document. */
export function parseWith<T>(
  schema: z.ZodType<T>,
  value: unknown,
  crossCheck: (value: unknown) => readonly Fault[],
): Parsed<T> {
  const result = schema.safeParse(value);
  const faults = [...(result.error?.issues ?? []).flatMap((issue) => faultsOf(issue, schema))];
  faults.push(...crossCheck(value));
  return result.success && faults.length === 0 ? { value: result.data } : { faults };
}

export function formatFault({ path, problem, action }: Fault): string {
  return `${path === '' ? 'the document' : path}: ${problem}; ${action}`;
}

export function formatPath(path: Path): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else text += text === '' ? String(step) : `.${String(step)}`;
  }
  return text;
}

/** For cross checks, which look at documents that the schema may have refused. */
export function field(value: unknown, key: string): unknown {
  return isRecord(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

export function items(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

export function isRecord(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A fault for every value that occurred before; undefined values are not compared. */
export function findRepeats(
  values: readonly { readonly path: string; readonly value: unknown }[],
  what: string,
  action: string,
): Fault[] {
  const firsts = new Map<unknown, string>();
  const faults: Fault[] = [];
  for (const { path, value } of values) {
    if (value === undefined) continue;
    const first = firsts.get(value);
    if (first === undefined) firsts.set(value, path);
    else faults.push({ path, problem: `${what} is already that of ${first}`, action });
  }
  return faults;
}

function faultsOf(issue: Issue, schema: z.ZodType): Fault[] {
  if (issue.code === 'unrecognized_keys') {
    const known = Object.keys(propertiesAt(schema, issue.path));
    return issue.keys.map((key) => ({
      path: formatPath([...issue.path, printable(key)]),
      problem: 'this key is not known',
      action: `remove it or correct its spelling; known here: ${known.join(', ')}`,
    }));
  }
  const description = descriptionAt(schema, issue.path);
  return [
    {
      path: formatPath(issue.path),
      problem: problemOf(issue),
      action: description === undefined ? 'correct it' : `write ${description}`,
    },
  ];
}

function problemOf(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return issue.message.endsWith('received undefined')
        ? 'it is missing'
        : `it is not of type ${issue.expected}`;
    case 'invalid_format':
      return 'it has not the right form';
    case 'too_small':
      return `it is less than ${issue.minimum}${issue.origin === 'array' ? ' items' : ''}`;
    case 'too_big':
      return `it is more than ${issue.maximum}${issue.origin === 'array' ? ' items' : ''}`;
    case 'invalid_value':
      return `it is not one of ${issue.values.map(String).join(', ')}`;
    default:
      return issue.message;
  }
}

function printable(key: string): string {
  return /^[\w-]{1,64}$/.test(key) ? key : JSON.stringify(key.slice(0, 64));
}

function descriptionAt(schema: z.ZodType, path: Path): string | undefined {
  const description = nodeAt(schema, path)?.description;
  return typeof description === 'string' ? description : undefined;
}

function propertiesAt(schema: z.ZodType, path: Path): Node {
  const properties = nodeAt(schema, path)?.properties;
  return isRecord(properties) ? properties : {};
}

function nodeAt(schema: z.ZodType, path: Path): Node | undefined {
  let node: unknown = z.toJSONSchema(schema, { io: 'input', reused: 'inline' });
  for (const step of path) {
    node = typeof step === 'number' ? field(node, 'items') : stepInto(node, String(step));
  }
  return isRecord(node) ? node : undefined;
}

function stepInto(node: unknown, key: string): unknown {
  return field(field(node, 'properties'), key);
}
