import { type FindingName, Malformed, type Report } from '../report.ts';
import {
  Lines,
  matching,
  type Parse,
  parseBase64Bytes,
  parseClipId,
  parseCount,
  parseDigestHex,
  parseDockId,
  parseTime,
  readUtf8,
} from './text.ts';

const ENTRY_SIZE_MAX = 512;
const parseReason = matching(/^[A-Z]+([-_][A-Z]+)*$/);
const parseBay = matching(/^[1-9]\d?$/);
const parseKeyText: Parse<string> = (text) =>
  parseBase64Bytes(text, '=')?.length === 32 ? text : undefined;
const parseCountText: Parse<string> = (text) => (parseCount(text) === undefined ? undefined : text);
const parseSignedCount = matching(/^(0|-?[1-9]\d{0,15})$/);
const parseVersion = matching(/^\d{1,6}\.\d{1,6}\.\d{1,6}$/);
const parseYesNo = matching(/^(yes|no)$/);

/** Fields of each kind of entry, in order; a key that ends in `?` may be left out. */
const KINDS: Readonly<Record<string, Readonly<Record<string, Parse<string>>>>> = {
  'log-opened': {
    dock: parseDockId,
    'manifest-key': parseKeyText,
    'receipt-key': parseKeyText,
    'link-key': parseKeyText,
  },
  'dock-started': { version: parseVersion, clean: parseYesNo, 'retention-days?': parseCountText },
  'dock-stopped': {},
  'clip-vaulted': {
    clip: parseClipId,
    commitment: parseDigestHex,
    segments: parseCountText,
    bytes: parseCountText,
    'camera-auth': matching(/^(ed25519|none)$/),
  },
  'clip-released': { clip: parseClipId },
  'clip-quarantined': { clip: parseClipId, reason: parseReason },
  'clip-refused': { 'counter?': parseCountText, reason: parseReason },
  'draft-removed': { clip: parseClipId, reason: parseReason },
  'clip-recovered': { clip: parseClipId },
  'counter-gap': { camera: parseDigestHex, first: parseCountText, last: parseCountText },
  'camera-refused': { bay: parseBay, reason: parseReason },
  'hold-placed': { clip: parseClipId, reason: parseReason },
  'hold-lifted': { clip: parseClipId },
  'incident-marked': { clip: parseClipId },
  'clip-missing': { clip: parseClipId },
  'clip-restricted': { clip: parseClipId, reason: parseReason },
  'clip-unrestricted': { clip: parseClipId, reason: parseReason },
  'disposal-begun': {
    clip: parseClipId,
    reason: parseReason,
    'camera?': parseDigestHex,
    'recording?': parseCountText,
  },
  'clip-disposed': { clip: parseClipId, reason: parseReason, certificate: parseDigestHex },
  'roles-accepted': { version: parseCountText, roles: parseDigestHex },
  'order-accepted': {
    counter: parseCountText,
    order: parseDigestHex,
    action: matching(/^[a-z]{1,32}$/),
    subject: matching(/^[a-z-]{1,32} [!-~]{1,128}$/),
    reason: parseReason,
    signers: matching(/^[0-9a-f]{8}(,[0-9a-f]{8}){0,3}$/),
    'reference?': parseDigestHex,
  },
  'order-refused': { counter: parseCountText, order: parseDigestHex, reason: parseReason },
  'orders-discarded': { reason: parseReason, count: parseCountText },
  'custody-repaired': { 'torn-bytes': parseCountText },
  'bay-fault': { bay: parseBay, reason: parseReason },
  'clock-offset': {
    'camera?': parseDigestHex,
    'first?': parseCountText,
    'last?': parseCountText,
    'clip?': parseClipId,
    ms: parseSignedCount,
  },
};

/** Kinds of entries that this verifier knows; any other is a finding. */
export const KNOWN_KINDS: readonly string[] = Object.keys(KINDS);

export interface LogEntry {
  readonly index: number;
  readonly atMs: number;
  readonly actor: string;
  readonly kind: string;
  readonly isKnown: boolean;
  readonly fields: Readonly<Record<string, string>>;
}

/** One act, as the log has it. An entry of a kind that is not known has no fields. */
export function parseLogEntry(leaf: Uint8Array): LogEntry {
  if (leaf.length > ENTRY_SIZE_MAX) throw new Malformed('it is too long');
  const lines = new Lines('docket/entry/v1', readUtf8(leaf));
  const index = lines.take('index', parseCount);
  const atMs = lines.take('at', parseTime);
  lines.take('clock', matching(/^system$/));
  lines.take('boot', matching(/^[0-9a-f]{8}$/));
  const actor = lines.take('actor', matching(/^(dock|wearer|operator|centre)$/));
  const kind = lines.take('kind', matching(/^[a-z0-9-]+$/));
  const grammar = Object.hasOwn(KINDS, kind) ? KINDS[kind] : undefined;
  const fields: Record<string, string> = {};
  if (grammar === undefined) return { index, atMs, actor, kind, isKnown: false, fields };
  for (const [name, parse] of Object.entries(grammar)) {
    const key = name.replace('?', '');
    const value = name === key ? lines.take(key, parse) : lines.optional(key, parse);
    if (value !== undefined) fields[key] = value;
  }
  lines.end();
  return { index, atMs, actor, kind, isKnown: true, fields };
}

/** What the log says of one clip, after all of its entries. */
export interface ClipHistory {
  readonly clip: string;
  /** Undefined for a clip that was quarantined without ever being vaulted. */
  vaulted:
    | {
        readonly index: number;
        readonly commitment: string;
        readonly segments: number;
        readonly bytes: number;
        readonly cameraAuth: string;
      }
    | undefined;
  released: boolean;
  quarantined: boolean;
  missing: boolean;
  held: boolean;
  restricted: boolean;
  /** From here on it is gone, finished or not. */
  disposing: boolean;
  /** How the disposal began. */
  begun: { readonly index: number; readonly reason: string } | undefined;
  /** Digest of the certificate, for a clip that was disposed of. */
  certificate: string | undefined;
}

/** Follows the entries in order, and says where they break the rules. */
export class History {
  readonly clips = new Map<string, ClipHistory>();
  readonly #report: Report;
  readonly #path: string;
  #lastMs = 0;

  constructor(report: Report, path: string) {
    this.#report = report;
    this.#path = path;
  }

  add(entry: LogEntry): void {
    const { kind, index, fields } = entry;
    if (entry.atMs < this.#lastMs) {
      this.#report.note('CLOCK_WENT_BACK', this.#path, `before entry ${index}`);
    }
    this.#lastMs = entry.atMs;
    if (kind === 'counter-gap') {
      const { camera = '', first, last } = fields;
      const which = `camera ${camera.slice(0, 8)}, recordings ${first} to ${last}`;
      this.#report.note('COUNTER_GAP', this.#path, `${which} (entry ${index})`);
    }
    if (kind === 'custody-repaired') {
      const cut = `${fields['torn-bytes']} bytes (entry ${index})`;
      this.#report.note('LOG_REPAIRED', this.#path, cut);
    }
    const { clip } = fields;
    // Neither is about a clip of the vault: a draft was never one, and what was recovered is entered next.
    if (clip === undefined || kind === 'draft-removed' || kind === 'clip-recovered') return;
    if (kind !== 'clock-offset') this.#addAct(entry, clip);
  }

  #addAct(entry: LogEntry, clip: string): void {
    const { kind, index, fields } = entry;
    const known = this.clips.get(clip);
    if (known !== undefined) this.#change(known, entry);
    else if (kind === 'clip-vaulted') this.clips.set(clip, firstHistory(clip, { index, fields }));
    else if (kind === 'clip-quarantined') this.clips.set(clip, firstHistory(clip, undefined));
    else this.#broke('RULE_UNKNOWN_CLIP', clip, entry);
  }

  #change(known: ClipHistory, entry: LogEntry): void {
    const { kind } = entry;
    const broke = (name: FindingName): void => this.#broke(name, known.clip, entry);
    if (kind === 'disposal-begun' || kind === 'clip-disposed') {
      this.#dispose(known, entry);
      return;
    }
    if (known.disposing) broke('RULE_AFTER_DISPOSAL');
    if (kind === 'clip-vaulted') broke('RULE_VAULTED_TWICE');
    if (kind === 'hold-lifted' && !known.held) broke('RULE_LIFTED_NOT_HELD');
    if (kind === 'clip-released') {
      const isGood = known.vaulted !== undefined && !known.quarantined && !known.missing;
      if (!isGood) broke('RULE_RELEASED_NOT_VAULTED');
    }
    known.released ||= kind === 'clip-released';
    known.quarantined ||= kind === 'clip-quarantined';
    known.missing ||= kind === 'clip-missing';
    known.held = kind === 'hold-placed' || (known.held && kind !== 'hold-lifted');
    known.restricted =
      kind === 'clip-restricted' || (known.restricted && kind !== 'clip-unrestricted');
  }

  /** What protects a clip is asked where the disposal begins; the end of it only follows. */
  #dispose(known: ClipHistory, entry: LogEntry): void {
    const broke = (name: FindingName): void => this.#broke(name, known.clip, entry);
    const isEnd = entry.kind === 'clip-disposed';
    if (known.certificate !== undefined || (known.disposing && !isEnd))
      broke('RULE_AFTER_DISPOSAL');
    if (known.held) broke('RULE_DISPOSED_WHILE_HELD');
    if (known.restricted) broke('RULE_DISPOSED_WHILE_RESTRICTED');
    if (isEnd && !known.disposing) broke('RULE_DISPOSED_NOT_BEGUN');
    known.disposing = true;
    if (!isEnd) known.begun ??= { index: entry.index, reason: entry.fields.reason ?? '' };
    if (isEnd) known.certificate ??= entry.fields.certificate;
  }

  #broke(name: FindingName, clip: string, { kind, index }: LogEntry): void {
    this.#report.find(name, this.#path, `entry ${index}: ${kind} of clip ${clip}`);
  }
}

function firstHistory(
  clip: string,
  vaulted: Pick<LogEntry, 'index' | 'fields'> | undefined,
): ClipHistory {
  const {
    commitment = '',
    segments,
    bytes,
    'camera-auth': cameraAuth = '',
  } = vaulted?.fields ?? {};
  return {
    clip,
    vaulted:
      vaulted === undefined
        ? undefined
        : {
            ...{ index: vaulted.index, commitment, cameraAuth },
            ...{ segments: Number(segments), bytes: Number(bytes) },
          },
    released: false,
    quarantined: vaulted === undefined,
    missing: false,
    held: false,
    restricted: false,
    disposing: false,
    begun: undefined,
    certificate: undefined,
  };
}
