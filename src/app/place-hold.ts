import { decide } from '../core/dock/decide.ts';
import type { ClipRecord } from '../core/evidence/clip.ts';
import type { VisitDeps } from './camera-visit.ts';

/** Holds the clip of that counter if the vault has it, and leaves it wanted while it is still to come from the camera. */
export async function placeHold(
  { evidence, session, input }: VisitDeps,
  counter: number,
  records: readonly ClipRecord[],
): Promise<void> {
  const record = records.find((listed) => listed.counter === counter);
  const known = evidence.index.find({ serial: session.serial, counter });
  if (known === undefined) {
    if (record === undefined) input({ kind: 'nothing-to-hold', counter });
    return;
  }
  const reason = record?.incident === true ? 'INCIDENT' : 'WEARER-BUTTON';
  let isKnown = false;
  await evidence.custody.appendDecided((state) => {
    const decision = decide(
      state,
      { action: 'mark-incident', clip: known.clip, reason },
      { atMs: evidence.clock.nowMs(), clock: 'system', boot: evidence.boot, actor: 'wearer' },
    );
    isKnown = decision.ok;
    return decision.ok ? decision.entries : [];
  });
  input({ kind: isKnown ? 'held' : 'nothing-to-hold', counter });
}
