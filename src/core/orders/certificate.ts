import type { ReasonCode } from '../custody/entry-grammar.ts';
import { parseReason } from '../custody/entry-grammar.ts';
import {
  FieldReader,
  formatFields,
  formatIsoMs,
  parseDecimal,
  parseFields,
  parseIsoMs,
} from '../custody/fields.ts';
import { DockError } from '../errors.ts';
import { type ClipId, type DockId, parseClipId, parseDockId } from '../evidence/clip.ts';
import type { TimeSource } from '../time/trusted-time.ts';
import { parseDigest } from './order.ts';

export const CERTIFICATE_TYPE = 'docket/certificate/v1';
const SOURCES: readonly string[] = ['witness', 'nts', 'rtc', 'none'] satisfies (
  | TimeSource
  | 'none'
)[];

/** What stays of a clip that was disposed of. Signed by the dock's manifest key; its digest is in the log. */
export interface Certificate {
  readonly dock: DockId;
  readonly clip: ClipId;
  /** The clip's own in its entry, so that whoever has a copy can show that it was this one. Empty when it never had one. */
  readonly commitment: string;
  readonly sizeBytes: number;
  readonly segments: number;
  readonly reason: ReasonCode;
  /** Of the entry with which the disposal began. */
  readonly begunIndex: number;
  /** It was done at this time or later, says `source`. */
  readonly atMs: number;
  readonly source: TimeSource | 'none';
}

export function formatCertificate(certificate: Certificate): string {
  return formatFields(CERTIFICATE_TYPE, [
    ['dock', certificate.dock],
    ['clip', certificate.clip],
    ...(certificate.commitment === '' ? [] : [['commitment', certificate.commitment] as const]),
    ['size', String(certificate.sizeBytes)],
    ['segments', String(certificate.segments)],
    ['reason', certificate.reason],
    ['begun', String(certificate.begunIndex)],
    ['not-before', formatIsoMs(certificate.atMs)],
    ['source', certificate.source],
  ]);
}

/** NOTE_INVALID. The text of a certificate, without its signature. */
export function parseCertificate(text: string): Certificate {
  const result = parseFields(CERTIFICATE_TYPE, text);
  if (!result.ok) throw new DockError('NOTE_INVALID', result.finding.detail);
  const reader = new FieldReader(result.fields, 'NOTE_INVALID');
  const dock = reader.takeParsed('dock', parseDockId);
  const clip = reader.takeParsed('clip', parseClipId);
  const commitment = reader.takeOptional('commitment') ?? '';
  if (commitment !== '' && parseDigest(commitment) === undefined) {
    throw reader.refuse('commitment is not a digest', 0);
  }
  const certificate = {
    ...{ dock, clip, commitment },
    sizeBytes: reader.takeParsed('size', parseDecimal),
    segments: reader.takeParsed('segments', parseDecimal),
    reason: reader.takeParsed('reason', parseReason),
    begunIndex: reader.takeParsed('begun', parseDecimal),
    atMs: reader.takeParsed('not-before', parseIsoMs),
    source: reader.takeParsed('source', parseSource),
  };
  reader.end();
  return certificate;
}

function parseSource(text: string): Certificate['source'] | undefined {
  return SOURCES.includes(text) ? (text as Certificate['source']) : undefined;
}
