import { formatHex } from '../../core/bytes.ts';
import type { VerifyEd25519 } from '../../core/custody/primitives.ts';
import { DockError } from '../../core/errors.ts';
import type { ClipRecord } from '../../core/evidence/clip.ts';
import { FRAME_TYPE, type Frame, RECORD_SIZE_MAX } from '../../core/link/frame.ts';
import { encodeList, parseRecordsEnd } from '../../core/link/message.ts';
import { parseClipRecord, peekCounter, verifyClipRecord } from '../../core/link/record.ts';
import type { DockedCamera } from '../../core/link/session.ts';
import type { CameraInventory } from '../../ports/camera-link.ts';
import { exchange } from './exchange.ts';
import type { SerialLine } from './line.ts';

const PAGE_RECORDS = 64;
// Above this a camera is lying or broken: a shift makes some tens of clips.
const RECORDS_MAX = 16_384;

export interface InventoryContext {
  readonly line: SerialLine;
  readonly camera: DockedCamera;
  readonly verify: VerifyEd25519;
  readonly signal: AbortSignal;
  readonly durationMs: (sizeBytes: number) => number;
}

interface Page {
  readonly records: readonly Uint8Array[];
  readonly nextCounter: number;
}

export async function listRecords(context: InventoryContext): Promise<CameraInventory> {
  const records: ClipRecord[] = [];
  const refused: { counter: number | undefined; reason: string }[] = [];
  let fromCounter = 1;
  while (fromCounter !== 0) {
    const page = await askPage(context, fromCounter);
    for (const raw of page.records) {
      const last = records.at(-1)?.counter ?? 0;
      const checked = checkRecord(raw, context, last);
      if (typeof checked === 'string') refused.push({ counter: peekCounter(raw), reason: checked });
      else records.push(checked);
    }
    const ends = page.nextCounter === 0 || page.records.length > 0;
    if (!ends || (page.nextCounter !== 0 && page.nextCounter <= fromCounter)) {
      throw new DockError('LINK_PROTOCOL', 'the list of clips does not go on');
    }
    if (records.length + refused.length > RECORDS_MAX) {
      throw new DockError('LINK_PROTOCOL', `the camera lists more than ${RECORDS_MAX} clips`);
    }
    fromCounter = page.nextCounter;
  }
  return { records, refused };
}

/** The record, or why it is refused. */
function checkRecord(
  raw: Uint8Array,
  { camera, verify }: InventoryContext,
  lastCounter: number,
): ClipRecord | string {
  try {
    const record = parseClipRecord(raw);
    if (record.serial !== camera.serial) return 'it is of another camera';
    if (!verifyClipRecord(record, camera.publicKey, verify)) return 'its signature does not hold';
    if (record.counter <= lastCounter) return 'its counter does not ascend';
    return record;
  } catch (error) {
    if (error instanceof DockError && error.code === 'CLIP_RECORD_INVALID') return error.message;
    throw error;
  }
}

/** SPEC 5: a page is whole when as many records came as were sent. What a try lost, another may bring. */
function askPage(context: InventoryContext, fromCounter: number): Promise<Page> {
  const seen = new Map<string, Uint8Array>();
  const begin = () => {
    const arrived = new Map<string, Uint8Array>();
    return (frame: Frame): Page | undefined => {
      if (frame.type === FRAME_TYPE.RECORD && arrived.size < PAGE_RECORDS) {
        const raw = frame.payload.slice(0, RECORD_SIZE_MAX + 1);
        arrived.set(formatHex(raw), raw);
      }
      if (frame.type !== FRAME_TYPE.RECORDS_END) return undefined;
      const { nextCounter, recordCount } = parseRecordsEnd(frame.payload);
      for (const [key, raw] of arrived) seen.set(key, raw);
      for (const found of [arrived, seen]) {
        if (found.size === recordCount) return { records: byCounter(found.values()), nextCounter };
      }
      return undefined;
    };
  };
  return exchange(context.line, {
    name: 'LIST',
    type: FRAME_TYPE.LIST,
    payload: encodeList(fromCounter, PAGE_RECORDS),
    signal: context.signal,
    begin,
    lineMs: context.durationMs(PAGE_RECORDS * RECORD_SIZE_MAX),
  });
}

function byCounter(records: Iterable<Uint8Array>): readonly Uint8Array[] {
  return [...records].sort((a, b) => (peekCounter(a) ?? 0) - (peekCounter(b) ?? 0));
}
