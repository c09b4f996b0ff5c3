import { formatHex } from '../core/bytes.ts';
import { ed25519Key, type NoteCrypto, verifyNote } from '../core/custody/note.ts';
import { verifyReceipt } from '../core/custody/receipt.ts';
import { verifyInclusion } from '../core/custody/verify-merkle.ts';
import { isVouched } from '../core/dock/clip-table.ts';
import { isDockError } from '../core/errors.ts';
import type { ClipId, ClipRecord } from '../core/evidence/clip.ts';
import { type Details, parseDetails } from '../core/evidence/details.ts';
import { commitmentOf, type Manifest, parseManifest } from '../core/evidence/manifest.ts';
import { segmentName } from '../core/evidence/naming.ts';
import { parseClipRecord, verifyClipRecord } from '../core/link/record.ts';
import type { Opener } from '../ports/opener.ts';
import type { Vault } from '../ports/vault.ts';
import type { CheckedCustody, OpenFinding } from './read-custody.ts';

export interface OpenClipDeps {
  readonly vault: Vault;
  readonly opener: Opener;
  readonly crypto: NoteCrypto;
  readonly custody: CheckedCustody;
}

export interface OpenedClip {
  /** What is wrong; empty when everything that can be checked holds. */
  readonly findings: readonly OpenFinding[];
  /** What was checked and holds, one sentence each. */
  readonly checked: readonly string[];
  readonly manifest: Manifest | undefined;
  readonly details: Details | undefined;
  readonly sha256: string | undefined;
}

interface Report {
  readonly findings: OpenFinding[];
  readonly checked: string[];
}

/**
 * Opens a clip into `fdOut`, and checks everything that is known of it: log, manifest, segments, digest, the camera's own record, the
 * receipt. The output is to be thrown away unless there are no findings.
 */
export async function openClip(
  deps: OpenClipDeps,
  clip: ClipId,
  fdOut: number,
): Promise<OpenedClip> {
  const report: Report = { findings: [...deps.custody.findings], checked: [] };
  const read = await readManifest(deps, clip, report);
  if (read === undefined) {
    return { ...report, manifest: undefined, details: undefined, sha256: undefined };
  }
  const { manifest, note } = read;
  checkEntry(deps, { manifest, note }, report);
  const sha256 = await openSegments(deps, { manifest, fdOut }, report);
  const details = await openDetails(deps, manifest, report);
  await checkReceipt(deps, manifest, report);
  return { ...report, manifest, details, sha256 };
}

async function readManifest(
  { vault, crypto, custody }: OpenClipDeps,
  clip: ClipId,
  { findings, checked }: Report,
): Promise<{ manifest: Manifest; note: string } | undefined> {
  const name = 'manifest.note';
  try {
    const note = await vault.readManifest(clip);
    const keyName = `${custody.opened.dock}/manifest`;
    const verdict = verifyNote(note, [ed25519Key(keyName, custody.opened.manifestKey)], crypto);
    for (const found of verdict.findings) findings.push({ name, problem: found.detail });
    if (!verdict.ok || verdict.text === undefined) return undefined;
    const manifest = parseManifest(verdict.text);
    if (manifest.clip !== clip)
      findings.push({ name, problem: 'it is the manifest of another clip' });
    checked.push(`manifest.note is signed by ${keyName}`);
    return { manifest, note };
  } catch (error) {
    if (!isDockError(error)) throw error;
    findings.push({ name, problem: error.message });
    return undefined;
  }
}

function checkEntry(
  { custody, crypto }: OpenClipDeps,
  { manifest, note }: { manifest: Manifest; note: string },
  { findings, checked }: Report,
): void {
  const status = custody.state.clips.get(manifest.clip);
  const name = 'custody/entries';
  if (status === undefined) {
    findings.push({ name, problem: `no entry tells of clip ${manifest.clip}` });
    return;
  }
  if (!isVouched(status)) {
    findings.push({ name, problem: `the log says that the clip is ${status.state}` });
  }
  if (status.commitment !== commitmentOf(note, manifest.salt, crypto.sha256)) {
    findings.push({
      name: 'manifest.note',
      problem: 'it is not the manifest that the log vouches for',
    });
    return;
  }
  const { checkpointSize: treeSize, tree } = custody;
  if (status.entryIndex >= treeSize) {
    findings.push({ name, problem: `entry ${status.entryIndex} is not under the checkpoint` });
    return;
  }
  const proof = tree.inclusionProof(status.entryIndex, treeSize);
  const leafHash = tree.subtree(0, status.entryIndex);
  const root = tree.root(treeSize);
  const verdict = verifyInclusion(
    { leafHash, index: status.entryIndex, treeSize, root, proof },
    crypto.sha256,
  );
  for (const found of verdict.findings) findings.push({ name, problem: found.detail });
  if (!verdict.ok) return;
  checked.push(
    `entry ${status.entryIndex} of the custody log vouches for it: proof of ${proof.length} hashes to the signed checkpoint of ${treeSize} entries, root ${formatHex(root)}`,
  );
}

async function openSegments(
  { vault, opener }: OpenClipDeps,
  { manifest, fdOut }: { manifest: Manifest; fdOut: number },
  { findings, checked }: Report,
): Promise<string | undefined> {
  const opening = opener.begin();
  try {
    for (const segment of manifest.segments) {
      const name = segmentName(segment.index);
      try {
        const file = await vault.openSegment(manifest.clip, segment.index);
        try {
          const opened = await opening.openSegment({ fdIn: file.fd, fdOut });
          if (opened.sha256 !== segment.sha256) {
            findings.push({ name, problem: 'its digest is not the one in the manifest' });
          }
          if (opened.stanzaCount !== manifest.recipientCount) {
            findings.push({ name, problem: `it is sealed to ${opened.stanzaCount} recipients` });
          }
        } finally {
          await vault.closeSegment(file);
        }
      } catch (error) {
        if (!isDockError(error)) throw error;
        findings.push({ name, problem: error.message });
        return undefined;
      }
    }
    const { sha256, sizeBytes } = opening.finish();
    if (sha256 !== manifest.sha256 || sizeBytes !== manifest.sizeBytes) {
      findings.push({ name: 'clip', problem: 'its digest or size is not the one in the manifest' });
    } else {
      checked.push(`${sizeBytes} bytes in ${manifest.segments.length} segments, sha256 ${sha256}`);
    }
    return sha256;
  } finally {
    opening.abort();
  }
}

async function openDetails(
  { vault, opener, crypto }: OpenClipDeps,
  manifest: Manifest,
  { findings, checked }: Report,
): Promise<Details | undefined> {
  const name = 'details.age';
  try {
    const sealed = await vault.readDetails(manifest.clip);
    if (formatHex(crypto.sha256(sealed)) !== manifest.details.sha256) {
      findings.push({ name, problem: 'its digest is not the one in the manifest' });
    }
    const details = parseDetails(opener.openSmall(sealed));
    const record = parseClipRecord(details.record);
    const problem = recordProblem({ manifest, record }, crypto);
    if (problem !== undefined) findings.push({ name, problem });
    else if (manifest.cameraKey === undefined)
      checked.push('the camera has no key: it signed nothing');
    else checked.push(`camera ${manifest.camera} signed this digest when recording ended`);
    return details;
  } catch (error) {
    if (!isDockError(error)) throw error;
    findings.push({ name, problem: error.message });
    return undefined;
  }
}

function recordProblem(
  { manifest, record }: { manifest: Manifest; record: ClipRecord },
  crypto: NoteCrypto,
): string | undefined {
  if (formatHex(crypto.sha256(record.raw)) !== manifest.recordSha256) {
    return "the camera's record is not the one that the manifest names";
  }
  if (record.sha256 !== manifest.sha256) return "the camera's record has another digest";
  if (record.serial !== manifest.camera || record.counter !== manifest.counter) {
    return "the camera's record is of another clip";
  }
  if (manifest.cameraKey === undefined) return undefined;
  const isSigned = verifyClipRecord(record, manifest.cameraKey, crypto.verify);
  return isSigned ? undefined : "the camera's signature is wrong";
}

async function checkReceipt(
  { vault, crypto, custody }: OpenClipDeps,
  manifest: Manifest,
  { findings, checked }: Report,
): Promise<void> {
  const name = 'receipt.note';
  const note = await readReceipt(vault, manifest.clip, findings);
  if (note === undefined) return;
  const key = ed25519Key(`${custody.opened.dock}/receipt`, custody.opened.receiptKey);
  const { receipt, findings: found } = verifyReceipt(note, [key], crypto);
  for (const { detail } of found) findings.push({ name, problem: detail });
  if (receipt === undefined) return;
  const isOfClip =
    receipt.clip === manifest.clip &&
    receipt.sha256 === manifest.sha256 &&
    receipt.counter === manifest.counter &&
    receipt.sizeBytes === manifest.sizeBytes &&
    receipt.camera === manifest.camera;
  if (!isOfClip) findings.push({ name, problem: 'it is the receipt of another clip' });
  const { tree } = custody;
  const isOfLog =
    receipt.treeSize <= tree.size &&
    formatHex(tree.root(receipt.treeSize)) === formatHex(receipt.root);
  if (!isOfLog) findings.push({ name, problem: 'its root is not a root of this log' });
  if (isOfClip && isOfLog)
    checked.push(`receipt.note is signed by ${key.name}, and is of this log`);
}

async function readReceipt(
  vault: Vault,
  clip: ClipId,
  findings: OpenFinding[],
): Promise<string | undefined> {
  try {
    return await vault.readReceipt(clip);
  } catch (error) {
    if (!isDockError(error)) throw error;
    findings.push({ name: 'receipt.note', problem: error.message });
    return undefined;
  }
}
