/** What a verification found wrong. Codes are contract, the detail is for people. */
export interface Finding {
  readonly code: FindingCode;
  readonly detail: string;
}

export type FindingCode =
  | 'NOTE_MALFORMED'
  | 'NOTE_UNSIGNED'
  | 'SIGNATURE_WRONG'
  | 'SIGNER_WRONG'
  | 'FIELDS_MALFORMED'
  | 'CHECKPOINT_MALFORMED'
  | 'COSIGNATURE_WRONG'
  | 'COSIGNATURE_MISSING'
  | 'PROOF_MALFORMED'
  | 'RECEIPT_MALFORMED'
  | 'INDEX_OUTSIDE_TREE'
  | 'SIZES_REVERSED'
  | 'HASH_SIZE_WRONG'
  | 'PROOF_TOO_SHORT'
  | 'PROOF_TOO_LONG'
  | 'ROOT_MISMATCH'
  | 'OLD_ROOT_MISMATCH';

export interface Verdict {
  readonly ok: boolean;
  readonly findings: readonly Finding[];
}

export const HOLDS: Verdict = { ok: true, findings: [] };

export function finding(code: FindingCode, detail: string): Finding {
  return { code, detail };
}

export function fails(code: FindingCode, detail: string): Verdict {
  return { ok: false, findings: [finding(code, detail)] };
}
