import { parseUtf8, utf8 } from '../bytes.ts';
import { DockError } from '../errors.ts';
import { actionGrammar, subjectGrammar } from '../orders/state.ts';
import type { Grammar, OptionalGrammar } from './entry-grammar.ts';
import {
  actor,
  bayNumber,
  bootId,
  cameraAuth,
  clipId,
  decimal,
  digest,
  dockId,
  keyIds,
  optional,
  publicKey,
  reason,
  retentionDays,
  signedDecimal,
  systemClock,
  time,
  version,
  yesNo,
} from './entry-grammar.ts';
import type { Field } from './fields.ts';
import { FieldReader, formatFields, parseFields } from './fields.ts';

const ENTRY_TYPE = 'docket/entry/v1';
export const ENTRY_BYTES_MAX = 512;

/** What every entry says beside its index. The system clock may be wrong, and says that it is no other. */
const STAMP_FIELDS = { atMs: time, clock: systemClock, boot: bootId, actor } as const;

/**
 * Every act that the log can hold, and all that may be said of it, in the order of the text. Nothing else parses, so no entry can
 * name a person, a place or a clip's own name. Keys in the text are these names in kebab case, without the unit of a time.
 */
export const ENTRY_FIELDS = {
  /** The first entry of a log: whose it is, and the dock's public keys. */
  'log-opened': { dock: dockId, manifestKey: publicKey, receiptKey: publicKey, linkKey: publicKey },
  /** `clean`: the run before ended with `dock-stopped`. `retentionDays`: the policy of this run. */
  'dock-started': { version, clean: yesNo, retentionDays: optional(retentionDays) },
  'dock-stopped': {},
  /** `commitment` is SHA-256(salt || manifest note). */
  'clip-vaulted': {
    clip: clipId,
    commitment: digest,
    segments: decimal,
    bytes: decimal,
    cameraAuth,
  },
  /** The camera said that it has erased its copy. */
  'clip-released': { clip: clipId },
  'clip-quarantined': { clip: clipId, reason },
  /** Nothing was kept, so there is no clip id. */
  'clip-refused': { counter: optional(decimal), reason },
  'draft-removed': { clip: clipId, reason },
  /** Found whole in the vault without its entry; its `clip-vaulted` follows. */
  'clip-recovered': { clip: clipId },
  /** Counters `first` to `last` were never offered. `camera` is SHA-256 of `docket/camera/v1`, LF and the serial. */
  'counter-gap': { camera: digest, first: decimal, last: decimal },
  'camera-refused': { bay: bayNumber, reason },
  'hold-placed': { clip: clipId, reason },
  'hold-lifted': { clip: clipId },
  'incident-marked': { clip: clipId },
  'clip-missing': { clip: clipId },
  /** A clip that nobody may consult, offload or disclose; its bytes stay. */
  'clip-restricted': { clip: clipId, reason },
  'clip-unrestricted': { clip: clipId, reason },
  /**
   * From here on the clip is gone for everybody, and whatever interrupts its removal, it is finished. `recording` is the counter of the
   * camera that stands behind `camera`: known to be no gap when the clip no longer tells.
   */
  'disposal-begun': {
    clip: clipId,
    reason,
    camera: optional(digest),
    recording: optional(decimal),
  },
  /** Nothing of it is left. `certificate` is SHA-256 of the certificate's note. */
  'clip-disposed': { clip: clipId, reason, certificate: digest },
  /** `roles` is SHA-256 of the note that says who may sign orders from now on. */
  'roles-accepted': { version: decimal, roles: digest },
  /** `order` is SHA-256 of the order's text, `signers` are the ids of the keys that counted. What it brought about follows it. */
  'order-accepted': {
    counter: decimal,
    order: digest,
    action: actionGrammar,
    subject: subjectGrammar,
    reason,
    signers: keyIds,
    reference: optional(digest),
  },
  /** Signed by enough people and in its turn, and refused all the same: its counter is used up. */
  'order-refused': { counter: decimal, order: digest, reason },
  /** Messages that were no orders for this dock or not in their turn, since the last such entry. */
  'orders-discarded': { reason, count: decimal },
  'custody-repaired': { tornBytes: decimal },
  'bay-fault': { bay: bayNumber, reason },
  /** Measured before the clock was set: the recordings `first` to `last` of `camera` were made with a clock that was ahead by so much. */
  'clock-offset': {
    camera: optional(digest),
    first: optional(decimal),
    last: optional(decimal),
    clip: optional(clipId),
    ms: signedDecimal,
  },
} as const satisfies Record<string, Record<string, Grammar<unknown>>>;

type Fields = typeof ENTRY_FIELDS;
export type EntryKind = keyof Fields;

type ValueOf<G> = G extends Grammar<infer T> ? T : never;
type RequiredKeys<S> = { [K in keyof S]: S[K] extends OptionalGrammar<infer _> ? never : K };
type OptionalKeys<S> = { [K in keyof S]: S[K] extends OptionalGrammar<infer _> ? K : never };
type Values<S> = { readonly [K in RequiredKeys<S>[keyof S] & keyof S]: ValueOf<S[K]> } & {
  readonly [K in OptionalKeys<S>[keyof S] & keyof S]?: ValueOf<S[K]> | undefined;
};

export type EntryBodyOf<K extends EntryKind> = { readonly kind: K } & Values<Fields[K]>;
/** The act itself. */
export type EntryBody = { [K in EntryKind]: EntryBodyOf<K> }[EntryKind];
/** When, in which run, and by whom. */
export type EntryStamp = Values<typeof STAMP_FIELDS>;
export type EntryOf<K extends EntryKind> = EntryStamp & EntryBodyOf<K>;
export type Entry = { [K in EntryKind]: EntryOf<K> }[EntryKind];

/** The one text of this entry: the leaf of the log. ENTRY_INVALID when a value is outside its grammar. */
export function formatEntry(entry: Entry, index: number): Uint8Array {
  const values: Readonly<Record<string, unknown>> = { ...entry, index };
  const lines = [
    ...linesOf({ index: decimal, ...STAMP_FIELDS }, values),
    ['kind', entry.kind] as const,
    ...linesOf(ENTRY_FIELDS[entry.kind], values),
  ];
  const leaf = utf8(formatFields(ENTRY_TYPE, lines));
  if (leaf.length > ENTRY_BYTES_MAX) throw invalid('it is too long');
  return leaf;
}

/** ENTRY_INVALID says the line. Only what `formatEntry` writes is taken. */
export function parseEntry(leaf: Uint8Array): { readonly entry: Entry; readonly index: number } {
  const text = leaf.length > ENTRY_BYTES_MAX ? undefined : parseUtf8(leaf);
  if (text === undefined) throw invalid('it is too long or is not text');
  const result = parseFields(ENTRY_TYPE, text);
  if (!result.ok) throw invalid(result.finding.detail);
  const reader = new FieldReader(result.fields, 'ENTRY_INVALID');
  const index = reader.takeParsed('index', decimal.parse);
  const stamp = valuesOf(STAMP_FIELDS, reader);
  const kind = reader.takeParsed('kind', parseKind);
  const body = valuesOf(ENTRY_FIELDS[kind], reader);
  reader.end();
  return { entry: { ...stamp, kind, ...body } as unknown as Entry, index };
}

function parseKind(text: string): EntryKind | undefined {
  return Object.hasOwn(ENTRY_FIELDS, text) ? (text as EntryKind) : undefined;
}

/** The table's types vanish here: each value meets the grammar of its own name, which refuses a value of another type. */
type AnyTable = Readonly<Record<string, Grammar<unknown> & { readonly optional?: true }>>;

function linesOf(table: object, values: Readonly<Record<string, unknown>>): Field[] {
  const lines: Field[] = [];
  for (const [name, grammar] of Object.entries(table as AnyTable)) {
    const value = values[name];
    if (value === undefined && grammar.optional) continue;
    const text = value === undefined ? undefined : grammar.format(value);
    const read = text === undefined ? undefined : grammar.parse(text);
    if (text === undefined || read === undefined || grammar.format(read) !== text) {
      throw invalid(`${name} is outside its grammar`);
    }
    lines.push([keyOf(name), text]);
  }
  return lines;
}

function valuesOf(table: object, reader: FieldReader): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const [name, grammar] of Object.entries(table as AnyTable)) {
    if (grammar.optional) {
      const text = reader.takeOptional(keyOf(name));
      if (text === undefined) continue;
      values[name] = grammar.parse(text);
      if (values[name] === undefined) throw reader.refuse(`${name} is outside its grammar`, 0);
    } else {
      values[name] = reader.takeParsed(keyOf(name), grammar.parse);
    }
  }
  return values;
}

function keyOf(name: string): string {
  return name.replace(/Ms$/, '').replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function invalid(why: string): DockError {
  return new DockError('ENTRY_INVALID', `the entry is refused: ${why}`);
}
