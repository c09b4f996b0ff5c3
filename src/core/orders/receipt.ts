import { formatBase64, parseBase64 } from '../bytes.ts';
import { type Entry, parseEntry } from '../custody/entry.ts';
import type { NoteCrypto, VerifierKey } from '../custody/note.ts';
import { formatLogProof, type LogProof, verifyLogProof } from '../custody/proof.ts';
import { DockError } from '../errors.ts';

const RECEIPT_TYPE = 'docket/order-receipt/v1';
export const ORDER_RECEIPT_BYTES_MAX = 16_384;

/** How an order ended: its entry, and the proof that the dock's log has it. What follows the blank line is a C2SP tlog-proof. */
export function formatOrderReceipt(leaf: Uint8Array, proof: LogProof): string {
  return `${RECEIPT_TYPE}\nentry ${formatBase64(leaf, true)}\n\n${formatLogProof(proof)}`;
}

export type OrderOutcome = Extract<Entry, { kind: 'order-accepted' | 'order-refused' }>;

export interface VerifiedReceipt {
  readonly outcome: OrderOutcome;
  /** Of its entry in the log. */
  readonly index: number;
  readonly treeSize: number;
}

/** PROOF_INVALID says what does not hold. `logKey` came to the centre by hand and not over the broker. */
export function verifyOrderReceipt(
  text: string,
  { logKey, crypto }: { readonly logKey: VerifierKey; readonly crypto: NoteCrypto },
): VerifiedReceipt {
  const [, encoded = '', proof = ''] =
    /^docket\/order-receipt\/v1\nentry ([A-Za-z0-9+/=]{1,1024})\n\n([\s\S]+)$/.exec(text) ?? [];
  const leaf = parseBase64(encoded, true);
  if (leaf === undefined || text.length > ORDER_RECEIPT_BYTES_MAX) throw invalid('it is not one');
  const verdict = verifyLogProof(proof, leaf, { keys: [logKey], crypto });
  if (verdict.checkpoint === undefined) {
    throw invalid(verdict.findings.map(({ detail }) => detail).join('; '));
  }
  const { entry, index } = readEntry(leaf);
  if (entry.kind !== 'order-accepted' && entry.kind !== 'order-refused') {
    throw invalid('its entry is about no order');
  }
  return { outcome: entry, index, treeSize: verdict.checkpoint.treeSize };
}

function readEntry(leaf: Uint8Array): ReturnType<typeof parseEntry> {
  try {
    return parseEntry(leaf);
  } catch (error) {
    throw invalid('its entry does not parse', error);
  }
}

function invalid(why: string, cause?: unknown): DockError {
  return new DockError('PROOF_INVALID', `the receipt is refused: ${why}`, { cause });
}
