import { type Checkpoint, verifyCheckpoint } from '../custody/checkpoint.ts';
import { parseDecimal } from '../custody/fields.ts';
import { type Finding, finding } from '../custody/finding.ts';
import {
  ED25519_TYPE,
  type NoteCrypto,
  parseVerifierKey,
  type VerifierKey,
} from '../custody/note.ts';
import type { Sha256 } from '../custody/primitives.ts';
import { DockError } from '../errors.ts';
import { COSIGNATURE_TYPE, type Cosignature, verifyCosignatures } from './cosignature.ts';

/** Whom a verifier believes: C2SP tlog-policy, narrowed to witnesses without groups. */
export interface VerifyPolicy {
  readonly logs: readonly VerifierKey[];
  readonly witnesses: readonly VerifierKey[];
  /** Witnesses that must have cosigned. */
  readonly quorum: number;
}

export interface CosignedVerdict {
  /** Undefined unless the policy is met. */
  readonly checkpoint: Checkpoint | undefined;
  readonly cosignatures: readonly Cosignature[];
  readonly findings: readonly Finding[];
}

/** Lines `log VKEY`, `witness [NAME] VKEY`, `quorum COUNT|none|NAME`, `root VKEY`; `#` begins a comment. CONFIG_INVALID, KEY_INVALID. */
export function parseVerifyPolicy(text: string, sha256: Sha256): VerifyPolicy {
  const logs: VerifierKey[] = [];
  const witnesses: VerifierKey[] = [];
  const names: string[] = [];
  let quorum = 0;
  for (const line of text.split('\n')) {
    const [word, ...values] = line.trim().split(/\s+/);
    const last = values.at(-1) ?? '';
    if (word === 'log') logs.push(keyOfType(last, ED25519_TYPE, sha256));
    else if (word === 'witness') {
      const key = keyOfType(last, COSIGNATURE_TYPE, sha256);
      witnesses.push(key);
      names.push(key.name, values[0] ?? '');
    } else if (word === 'quorum') quorum = parseQuorum(last, names);
    // Whose signature the roles have: docket-verify's business, but it must be a key.
    else if (word === 'root') keyOfType(last, ED25519_TYPE, sha256);
    else if (word !== '' && !word?.startsWith('#')) throw invalid(`it has a line ${word}`);
  }
  if (quorum > witnesses.length) throw invalid(`its quorum is ${quorum} of ${witnesses.length}`);
  return { logs, witnesses, quorum };
}

/** Holds when the log has signed the checkpoint and as many witnesses as the policy demands have cosigned it. */
export function verifyCosigned(
  note: string | Uint8Array,
  policy: VerifyPolicy,
  crypto: NoteCrypto,
): CosignedVerdict {
  const { checkpoint, findings } = verifyCheckpoint(note, policy.logs, crypto);
  if (checkpoint === undefined) return { checkpoint: undefined, cosignatures: [], findings };
  const verdict = verifyCosignatures(note, policy.witnesses, crypto);
  const { cosignatures } = verdict;
  if (verdict.findings.length > 0) return { checkpoint: undefined, ...verdict };
  const count = new Set(cosignatures.map(({ name }) => name)).size;
  if (count >= policy.quorum) return { checkpoint, cosignatures, findings: [] };
  const detail = `${count} witnesses have cosigned it, and ${policy.quorum} must`;
  const missing = [finding('COSIGNATURE_MISSING', detail)];
  return { checkpoint: undefined, cosignatures, findings: missing };
}

function keyOfType(text: string, type: number, sha256: Sha256): VerifierKey {
  const key = parseVerifierKey(text, sha256);
  if (key.type === type && key.publicKey.length === 32) return key;
  throw new DockError('KEY_INVALID', `the key of ${key.name} is of type ${key.type}, not ${type}`);
}

function parseQuorum(text: string, names: readonly string[]): number {
  if (text === 'none') return 0;
  const count = names.includes(text) ? 1 : parseDecimal(text);
  if (count === undefined) throw invalid('its quorum is not a count');
  return count;
}

function invalid(reason: string): DockError {
  return new DockError('CONFIG_INVALID', `the policy is refused: ${reason}`, {
    action: 'Write lines `log VKEY`, `witness VKEY` and `quorum COUNT`.',
  });
}
