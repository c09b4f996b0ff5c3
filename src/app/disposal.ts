import { formatHex, utf8 } from '../core/bytes.ts';
import { readCheckpointNote } from '../core/custody/checkpoint.ts';
import { type Entry, parseEntry } from '../core/custody/entry.ts';
import type { ReasonCode } from '../core/custody/entry-grammar.ts';
import { ed25519Key, signNote, type VerifierKey } from '../core/custody/note.ts';
import { isGone } from '../core/dock/clip-table.ts';
import { asDockError, DockError, isDockError } from '../core/errors.ts';
import type { ClipId } from '../core/evidence/clip.ts';
import { cameraDigest } from '../core/evidence/gaps.ts';
import type { Manifest } from '../core/evidence/manifest.ts';
import { formatCertificate } from '../core/orders/certificate.ts';
import type { ClipFacts } from '../core/orders/decide.ts';
import { trustedDueAtMs } from '../core/time/trusted-due.ts';
import { verifyCosigned } from '../core/witness/policy.ts';
import type { OrderStore } from '../ports/order-store.ts';
import type { Evidence } from './evidence.ts';
import { isDamage, readVerifiedManifest } from './verify-clip.ts';

export interface DisposalDeps {
  readonly evidence: Evidence;
  readonly store: OrderStore;
  /** Without one nothing proves how old a clip is. */
  readonly witness: VerifierKey | undefined;
}

/**
 * The one doorway through which evidence leaves the vault. What may leave is decided by an order and by the log's state, in one step with the
 * entry `disposal-begun`; from that entry on this removes the clip, also after any number of interruptions.
 *
 * INVARIANTS: nothing is removed before its `disposal-begun` is durable. The certificate is durable before the first byte goes, and `clip-disposed` follows
 * the last.
 */
export class Disposal {
  readonly #deps: DisposalDeps;

  constructor(deps: DisposalDeps) {
    this.#deps = deps;
  }

  /** What an order to dispose is judged by. A clip that cannot tell is due never. */
  async factsOf(clip: ClipId): Promise<ClipFacts> {
    const unknown = { dueAtMs: undefined, camera: undefined, recording: undefined };
    const { evidence } = this.#deps;
    if (evidence.custody.state.clips.get(clip) === undefined) return unknown;
    try {
      const { manifest } = await readVerifiedManifest(evidence, clip);
      const camera = cameraDigest(manifest.camera, evidence.crypto.sha256);
      const dueAtMs = await this.#dueAtMs(clip, manifest);
      return { dueAtMs, camera, recording: manifest.counter };
    } catch (error) {
      if (!isDamage(error)) throw error;
      return unknown;
    }
  }

  /** Finishes what was begun. May be called again. VAULT_UNWRITABLE, and it stays begun. */
  async finish(clip: ClipId): Promise<void> {
    const { evidence, store } = this.#deps;
    const { custody, vault, crypto } = evidence;
    const status = custody.state.clips.get(clip);
    if (status === undefined || !isGone(status)) {
      throw new DockError('ARGUMENT_INVALID', `no disposal of clip ${clip} has begun`);
    }
    if (status.state === 'disposed') return await vault.disposeClip(clip);
    const begun = await this.#begunOf(clip);
    const note = (await store.readCertificate(clip)) ?? (await this.#certify(clip, begun));
    await this.#alone(clip, () => vault.disposeClip(clip));
    const certificate = formatHex(crypto.sha256(utf8(note)));
    await custody.append([{ kind: 'clip-disposed', clip, reason: begun.reason, certificate }]);
  }

  /** After a start, before anything else looks at the vault: also what somebody put back. */
  async resume(): Promise<number> {
    const { custody, vault } = this.#deps.evidence;
    const found = new Set(await vault.clips());
    const left = [...custody.state.clips.values()].filter(
      ({ clip, state }) => state === 'disposing' || (state === 'disposed' && found.has(clip)),
    );
    for (const { clip } of left) await this.finish(clip);
    return left.length;
  }

  /** A bay may be reading the clip's files: it gets its turn, and then no other. */
  async #alone(clip: ClipId, act: () => Promise<void>): Promise<void> {
    const { index } = this.#deps.evidence;
    const known = index.byClip(clip);
    if (known === undefined) return await act();
    await index.exclusively(known, async () => {
      await act();
      index.remove(known);
    });
  }

  async #certify(clip: ClipId, begun: Begun): Promise<string> {
    const { evidence, store } = this.#deps;
    const { custody, keys, crypto, dock, time } = evidence;
    const status = custody.state.clips.get(clip);
    const now = time.now();
    const text = formatCertificate({
      ...{ dock, clip, reason: begun.reason, begunIndex: begun.index },
      commitment: status?.commitment ?? '',
      sizeBytes: status?.bytes ?? 0,
      segments: status?.segments ?? 0,
      atMs: now.kind === 'known' ? now.earliestMs : now.floorMs,
      source: now.kind === 'known' ? now.source : 'none',
    });
    const note = signNote(text, keys.manifest, crypto.sha256);
    await store.putCertificate(clip, note);
    return note;
  }

  /** Read back, because it may have begun many starts ago. */
  async #begunOf(clip: ClipId): Promise<Begun> {
    const { custody } = this.#deps.evidence;
    const { treeSize } = custody.state;
    for (let to = treeSize; to > 0; to -= PIECE_ENTRIES) {
      const from = Math.max(0, to - PIECE_ENTRIES);
      const leaves = await custody.readLeaves(from, to);
      const found = leaves
        .map((leaf) => parseEntry(leaf))
        .findLast(({ entry }) => isBegun(entry) && entry.clip === clip);
      if (found !== undefined && isBegun(found.entry)) {
        return { index: found.index, reason: found.entry.reason };
      }
    }
    throw new DockError('CUSTODY_CORRUPT', `the log does not say how clip ${clip} came to go`);
  }

  /** The dock's own clock at the ingest is not believed here: the retention counts from the first cosignature over the clip's entry. */
  async #dueAtMs(clip: ClipId, manifest: Manifest): Promise<number | undefined> {
    const { evidence, witness } = this.#deps;
    const { state } = evidence.custody;
    const status = state.clips.get(clip);
    if (witness === undefined || status === undefined) return undefined;
    const cosignedAtMs = await this.#firstCosignedAtMs(status.entryIndex, witness);
    return trustedDueAtMs(manifest, state.retentionDays, { cosignedAtMs, clockAgreed: false });
  }

  async #firstCosignedAtMs(entryIndex: number, witness: VerifierKey): Promise<number | undefined> {
    const { custody, keys, crypto, logger } = this.#deps.evidence;
    const log = ed25519Key(keys.log.name, keys.log.publicKey);
    const policy = { logs: [log], witnesses: [witness], quorum: 1 };
    try {
      for (const note of await custody.readCosigned()) {
        if (readCheckpointNote(note).treeSize <= entryIndex) continue;
        const { checkpoint, cosignatures } = verifyCosigned(note, policy, crypto);
        if (checkpoint === undefined) continue;
        return Math.max(...cosignatures.map(({ atMs }) => atMs));
      }
    } catch (error) {
      if (!isDockError(error)) throw error;
      const { code } = asDockError(error, 'CUSTODY_CORRUPT', 'the cosignatures are not read');
      logger.warn('due-unknown', { code });
    }
    return undefined;
  }
}

interface Begun {
  readonly index: number;
  readonly reason: ReasonCode;
}

const PIECE_ENTRIES = 1_024;

function isBegun(entry: Entry): entry is Extract<Entry, { kind: 'disposal-begun' }> {
  return entry.kind === 'disposal-begun';
}
