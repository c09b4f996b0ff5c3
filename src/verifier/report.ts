/** What the checks read. Paths have forward slashes and begin below the folder or pack. */
export interface Source {
  list(): Promise<readonly SourceEntry[]>;
  /** The whole content; throws Malformed when there is none or it is longer. */
  read(path: string, bytesMax: number): Promise<Uint8Array>;
  /** The content in pieces, for what does not fit into memory. */
  pieces(path: string): AsyncIterable<Uint8Array>;
}

export interface SourceEntry {
  readonly path: string;
  readonly sizeBytes: number;
  /** `other`: a symbolic link, a socket, a device: never followed or opened. */
  readonly kind: 'file' | 'folder' | 'other';
}

export interface Digest {
  update(bytes: Uint8Array): void;
  /** 32 bytes; once. */
  digest(): Uint8Array;
}

/** The two primitives that everything rests on. The command line brings those of Node, the page its own. */
export interface Crypto {
  newSha256(): Digest;
  /** RFC 8032, strict: false for a signature that was altered to another spelling. */
  verifyEd25519(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean;
}

/** Something that does not have the form it must have. The message says why, for people. */
export class Malformed extends Error {}

/** Every finding that there is, and what it means. A finding fails the verification. */
export const FINDINGS = {
  LOG_MISSING: 'There is no custody log, so nothing can be proven.',
  LOG_NOT_IN_POLICY:
    'The policy does not name the key of this log, so its signatures mean nothing.',
  LOG_OPENED_WRONG: 'The log does not begin with the entry that names the dock and its keys.',
  RECORD_DAMAGED: 'A record of a journal does not have its own checksum or length.',
  LOG_ENTRY_MALFORMED: 'An entry is not written in the grammar of entries.',
  LOG_ENTRY_UNKNOWN: 'An entry is of a kind that this verifier does not know.',
  LOG_ENTRY_ORDER: 'An entry says that it stands at another place of the log.',
  LOG_ENTRY_ALTERED: 'Entries are not those over which the checkpoint was signed.',
  LOG_ENTRY_MISSING: 'The log has fewer entries than were signed.',
  LOG_FORKED: 'The witness was shown a checkpoint that contradicts this log, and has kept it.',
  LOG_ENTRY_UNSIGNED: 'No checkpoint was signed over the last entries.',
  CHECKPOINT_MISSING: 'There is no checkpoint.',
  CHECKPOINT_MALFORMED: 'A checkpoint is not written in the grammar of checkpoints.',
  CHECKPOINT_SIGNATURE: 'A checkpoint is not signed by the log, or the signature is wrong.',
  CHECKPOINT_ORDER: 'A checkpoint is smaller than one that was signed before it.',
  CHECKPOINT_HISTORY: 'The history of checkpoints does not end with the one that is published.',
  COSIGNATURE_WRONG: 'The cosignature of a witness of the policy does not verify.',
  COSIGNATURE_MISSING: 'No checkpoint has the cosignatures that the policy demands.',
  TILE_ALTERED: 'A tile is not what the entries of the log give.',
  KEY_ALTERED: 'A public key of the folder is not the one that policy and log name.',
  CLIP_WITHOUT_ENTRY: 'A clip is in the vault and no entry of the log tells of it.',
  ENTRY_WITHOUT_CLIP: 'The log vouches for a clip that is not there and was not disposed of.',
  MANIFEST_MISSING: 'A clip has no manifest.',
  MANIFEST_MALFORMED: 'A manifest is not written in the grammar of manifests.',
  MANIFEST_SIGNATURE: 'A manifest is not signed by the key that the log names.',
  MANIFEST_OTHER_CLIP: 'A manifest is of another clip or dock.',
  MANIFEST_COMMITMENT: 'A manifest is not the one that the log was given.',
  SEGMENT_MISSING: 'A segment that the manifest names is not there.',
  SEGMENT_SIZE: 'A segment is longer or shorter than the manifest says.',
  SEGMENT_DIGEST: 'A segment does not have the digest that the manifest says.',
  SEAL_HEADER: 'A sealed file does not begin as an age file.',
  SEAL_RECIPIENTS:
    'A sealed file can be opened by more or fewer recipients than the manifest says.',
  DETAILS_MISSING: 'The sealed details that the manifest names are not there.',
  DETAILS_DIGEST: 'The sealed details do not have the size or digest that the manifest says.',
  RECEIPT_MISSING: 'The camera was told to erase a clip, and the receipt is not there.',
  RECEIPT_MALFORMED: 'A receipt is not written in the grammar of receipts.',
  RECEIPT_SIGNATURE: 'A receipt is not signed by the key that the log names.',
  RECEIPT_OTHER_CLIP: 'A receipt is of another clip or dock.',
  RECEIPT_PROOF: 'A receipt does not prove that the entry of its clip is in the log.',
  RULE_UNKNOWN_CLIP: 'An entry is about a clip that the log was never given.',
  RULE_VAULTED_TWICE: 'The log was given the same clip twice.',
  RULE_RELEASED_NOT_VAULTED: 'A camera was told to erase a clip that was not safely vaulted.',
  RULE_LIFTED_NOT_HELD: 'A hold was lifted from a clip that was not held.',
  RULE_DISPOSED_WHILE_HELD: 'A clip was disposed of while it was held.',
  RULE_DISPOSED_WHILE_RESTRICTED: 'A clip was disposed of while its use was restricted.',
  RULE_DISPOSED_NOT_BEGUN: 'A disposal has an end in the log and no beginning.',
  RULE_AFTER_DISPOSAL: 'An act is entered on a clip that was disposed of before.',
  DISPOSED_CLIP_PRESENT: 'A clip that was disposed of is still there.',
  CERTIFICATE_MISSING: 'A clip was disposed of and its certificate is not there.',
  CERTIFICATE_DIGEST: 'The certificate of a disposal is not the one that the log was given.',
  CERTIFICATE_MALFORMED: 'A certificate is not written in the grammar of certificates.',
  CERTIFICATE_SIGNATURE: 'A certificate is not signed by the key that the log names.',
  CERTIFICATE_FIELDS: 'A certificate says something else than the log of its clip.',
  ROLES_MISSING: 'The log names a roles file that is not there.',
  ROLES_MALFORMED: 'A roles file is not written in the grammar of roles files.',
  ROLES_SIGNATURE: 'A roles file is not signed by the root key of the policy.',
  ROLES_OTHER_DOCK: 'A roles file was taken that is for other docks.',
  ROLES_SEQUENCE: 'A roles file was taken that is not newer than the one before it.',
  ORDER_MISSING: 'The log has answered an order that is not there.',
  ORDER_MALFORMED: 'An order is not written in the grammar of orders.',
  ORDER_ALTERED: 'An order is not the one that the log has answered.',
  ORDER_ENTRY: 'The entry of an order says something else than the order.',
  ORDER_OTHER_DOCK: 'An order is for another dock.',
  ORDER_SEQUENCE: 'An order is not the one after the order before it.',
  ORDER_ROLES: 'An order was taken under another roles file than it was signed for.',
  ORDER_SIGNATURE: 'The signature of somebody who may sign orders does not verify.',
  ORDER_THRESHOLD: 'An order is not signed by as many different people as its action needs.',
  ORDER_RECEIPT: 'A receipt does not prove that the answer to its order is in the log.',
  RULE_WITHOUT_ORDER: 'An entry says what only an order may bring about, and no order did.',
  RULE_ORDER_NOT_DONE: 'An order was accepted, and what it brings about does not follow it.',
  UNEXPECTED_FILE: 'Something is there that a dock does not write.',
  FILE_UNREADABLE: 'Something cannot be read, or is not a plain file.',
  PACK_ZIP: 'The pack is not a zip file of the strict kind that is written here.',
  PACK_MALFORMED: 'The pack does not have the parts that it must have.',
  PACK_SUM: 'A file of the pack does not have the digest that SHA256SUMS says.',
  PROOF_MALFORMED: 'A proof is not written in the grammar of proofs.',
  PROOF_WRONG: 'A proof does not lead from its entry to its checkpoint.',
} as const;
export type FindingName = keyof typeof FINDINGS;

/** What is worth knowing and fails nothing. */
export const NOTES = {
  COUNTER_GAP: 'A camera never offered these recordings.',
  CLIP_QUARANTINED: 'The dock keeps this clip as one that failed a check.',
  DISPOSAL_UNFINISHED:
    'A disposal has begun and not ended: what is left of the clip was not checked.',
  CLIP_RECORDED_MISSING: 'The dock itself has entered that the clip is missing.',
  CLOCK_WENT_BACK: "The dock's clock went back between two entries.",
  LOG_REPAIRED: 'The dock cut off what a power cut had left half written.',
  LOG_TAIL_TORN:
    'The last record is half written, as a power cut leaves it; nothing signed is lost.',
  CHECKPOINT_BEHIND: 'The published checkpoint is the last but one, as a power cut may leave it.',
  LOG_ONLY: 'This is a log without a vault: no clip was looked at.',
  NOT_COSIGNED_YET: 'No witness has seen the last entries yet: only the dock vouches for them.',
  SIGNATURE_UNKNOWN: 'Somebody whom the policy does not name has signed too.',
  ORDERS_NOT_CHECKED: 'Nobody has checked who ordered what the log says was ordered.',
  ORDER_NOT_ENTERED: 'An order was kept and has no entry: it was not carried out.',
  SECRET_NOT_READ: 'A signing key of the dock: not read.',
  NOT_EVIDENCE: 'Not evidence: not checked.',
  DRAFT: 'A clip that was never completed: not evidence.',
} as const;
export type NoteName = keyof typeof NOTES;

export interface Remark<Name extends string> {
  readonly name: Name;
  /** Below the folder or pack. */
  readonly path: string;
  readonly detail: string;
}

export interface Counts {
  entries: number;
  checkpoints: number;
  /** Entries under a checkpoint that has the cosignatures that the policy demands. */
  cosignedEntries: number;
  clips: number;
  segments: number;
  bytes: number;
}

/** Of one name; what comes after is counted and not kept, because a hostile log could make them by the million. */
const LISTED_MAX = 1_000;

/** Collects what the checks find. */
export class Report {
  readonly kind: 'dock' | 'log' | 'pack';
  dock: string | undefined;
  readonly findings: Remark<FindingName>[] = [];
  /** Those that are not listed too. */
  findingCount = 0;
  readonly notes: Remark<NoteName>[] = [];
  readonly counts: Counts = {
    ...{ entries: 0, checkpoints: 0, cosignedEntries: 0, clips: 0, segments: 0, bytes: 0 },
  };

  readonly #tally = new Map<string, number>();

  constructor(kind: Report['kind']) {
    this.kind = kind;
  }

  get ok(): boolean {
    return this.findingCount === 0;
  }

  find(name: FindingName, path: string, detail: string): void {
    this.findingCount += 1;
    if (this.#isListed(name)) this.findings.push({ name, path, detail });
  }

  note(name: NoteName, path: string, detail: string): void {
    if (this.#isListed(name)) this.notes.push({ name, path, detail });
  }

  /** What is malformed becomes a finding; anything else is a defect and goes on up. */
  async guard(name: FindingName, path: string, act: () => Promise<void> | void): Promise<boolean> {
    try {
      await act();
      return true;
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      this.find(name, path, error.message);
      return false;
    }
  }

  #isListed(name: string): boolean {
    const count = (this.#tally.get(name) ?? 0) + 1;
    this.#tally.set(name, count);
    return count <= LISTED_MAX;
  }
}

/** The verdict in one sentence, for a terminal and for the page. */
export function verdictOf(report: Report): string {
  const { findingCount, counts, kind } = report;
  if (!report.ok) return `FAILED: ${findingCount} ${findingCount === 1 ? 'finding' : 'findings'}`;
  const looked =
    kind === 'log'
      ? 'no clips'
      : `${counts.clips} clips in ${counts.segments} segments, ${counts.bytes} bytes`;
  return `VERIFIED: ${counts.entries} entries, ${counts.cosignedEntries} of them cosigned, ${looked}`;
}

export function plainReport(report: Report): Readonly<Record<string, unknown>> {
  const { kind, ok, findings, findingCount, notes, counts } = report;
  const verdict = ok ? 'verified' : 'failed';
  return { verdict, kind, dock: report.dock ?? null, counts, findingCount, findings, notes };
}
