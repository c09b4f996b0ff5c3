import { readCheckpointNote } from '../core/custody/checkpoint.ts';
import { formatIsoMs } from '../core/custody/fields.ts';
import type { DockId } from '../core/evidence/clip.ts';
import type { WitnessFinding, WitnessFindingCode } from '../core/witness/rules.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/logger.ts';
import type { Mirrors, WitnessBus } from '../ports/witness.ts';

interface FindingDeps {
  readonly bus: WitnessBus;
  readonly mirrors: Mirrors;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly observer?: { onFinding?(dock: DockId, code: WitnessFindingCode): void };
}

const TEXTS: Readonly<Record<WitnessFindingCode, { text: string; action: string }>> = {
  CUSTODY_FORK: {
    text: 'The log of this dock was signed with two histories.',
    action:
      'Take the dock out of service, keep its disk and this folder, and call the evidence team.',
  },
  CUSTODY_ROLLBACK: {
    text: 'This dock runs on an old copy of its log.',
    action: 'Stop the dock, keep its disk, put the newest one back, and call the evidence team.',
  },
};
const CODES = Object.keys(TEXTS) as readonly WitnessFindingCode[];

/** Path below the dock's topics; retained. */
export function findingPath(code: WitnessFindingCode): string {
  return `witness/${code.toLowerCase().replaceAll('_', '-')}`;
}

/** What the witness tells people. A proven contradiction stays until a person removes the checkpoint that was kept; a doubt ends with the next cosignature. */
export class WitnessFindings {
  readonly #deps: FindingDeps;
  readonly #raised = new Map<DockId, Map<WitnessFindingCode, WitnessFinding>>();
  #count = 0;

  constructor(deps: FindingDeps) {
    this.#deps = deps;
  }

  get count(): number {
    return this.#count;
  }

  /** `note` is the checkpoint that contradicts: it is the evidence. */
  async raise(dock: DockId, finding: WitnessFinding, note: string): Promise<void> {
    const { mirrors, logger, observer } = this.#deps;
    const raised = this.#raised.get(dock) ?? new Map<WitnessFindingCode, WitnessFinding>();
    const before = raised.get(finding.code);
    if (before?.isProven) return;
    if (!finding.isProven && before?.treeSize === finding.treeSize) return;
    if (finding.isProven) await mirrors.keepConflict(dock, note);
    raised.set(finding.code, finding);
    this.#raised.set(dock, raised);
    this.#count += 1;
    const { code, treeSize, isProven } = finding;
    logger.error('contradiction', { dock, code, treeSize, isProven });
    this.#publish(dock, finding);
    observer?.onFinding?.(dock, code);
  }

  /** At the first word of a dock since the start. */
  async recall(dock: DockId, cosignedSize: number): Promise<void> {
    const note = await this.#deps.mirrors.conflictOf(dock);
    if (note === undefined) return;
    const { treeSize } = readCheckpointNote(note);
    const code = treeSize < cosignedSize ? 'CUSTODY_ROLLBACK' : 'CUSTODY_FORK';
    await this.raise(dock, { code, treeSize, isProven: true }, note);
  }

  clearDoubts(dock: DockId): void {
    const raised = this.#raised.get(dock);
    if (raised === undefined) return;
    for (const code of CODES) {
      if (raised.get(code)?.isProven !== false) continue;
      raised.delete(code);
      this.#deps.bus.say({ dock, path: findingPath(code), body: null, retain: true });
    }
  }

  #publish(dock: DockId, { code, treeSize, isProven }: WitnessFinding): void {
    const at = formatIsoMs(this.#deps.clock.nowMs());
    const body = { code, severity: 'critical', ...TEXTS[code], treeSize, isProven, at };
    this.#deps.bus.say({ dock, path: findingPath(code), body, retain: true });
  }
}
