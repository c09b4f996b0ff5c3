import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FsOrderStore } from '../../src/adapters/fs/order-store.ts';
import { parseNote } from '../../src/core/custody/note.ts';
import type { ClipId } from '../../src/core/evidence/clip.ts';
import { ORDERS_PATH, type OrdersBody } from '../../src/core/orders/messages.ts';
import { NO_ORDER, type Order, orderDigest } from '../../src/core/orders/order.ts';
import { Bench, bytesOf, KEYS, type Run, settle, until } from '../app/bench.ts';
import { sha256 } from '../core/custody/keys.ts';
import {
  AT_MS,
  orderOf,
  PEOPLE,
  type Person,
  ROOT_KEY,
  rolesNote,
  sign,
} from '../core/orders/kit.ts';
import { FakeCamera } from '../fakes/fake-link.ts';
import { type Files, loadFiles, policyOf, vkeyOf } from './kit.ts';
import { logFiles } from './logs.ts';

const ROOT_LINE = `root ${vkeyOf(PEOPLE.root.name, 1, PEOPLE.root.publicKey)}`;
const LINES = [`log ${vkeyOf(KEYS.log.name, 1, KEYS.log.publicKey)}`, 'quorum none'];
export const POLICY = policyOf(...LINES, ROOT_LINE);
export const ROOTLESS = policyOf(...LINES);
export const OTHER_ROOT = policyOf(
  ...LINES,
  `root ${vkeyOf(PEOPLE.root.name, 1, PEOPLE.stranger.publicKey)}`,
);

/** What a dock left behind that took orders: its log, and what its order store wrote. */
export interface Ordered {
  readonly leaves: readonly Uint8Array[];
  /** Below `orders/` and `certificates/`. */
  readonly texts: Files;
  /** The first is disposed of. */
  readonly clips: readonly ClipId[];
}

/** The people of a centre, and the chain of what they order. */
class Centre {
  #counter = 0;
  #previous = NO_ORDER;
  readonly #run: Run;

  constructor(run: Run) {
    this.#run = run;
  }

  async order(changes: Partial<Order>, ...people: Person[]): Promise<void> {
    this.#counter += 1;
    const order = orderOf({ counter: this.#counter, previous: this.#previous, ...changes });
    const note = sign(order, ...people);
    this.#previous = orderDigest(parseNote(note).text, sha256);
    this.#run.broker.say('cmd/order', { note });
    await this.#untilSaid('counter', this.#counter);
  }

  async roles(note: string, version: number): Promise<void> {
    this.#run.broker.say('cmd/roles', { note });
    await this.#untilSaid('roles', version);
  }

  async #untilSaid(what: 'counter' | 'roles', value: number): Promise<void> {
    await until(this.#run, () => {
      const body = this.#run.broker.topics.get(ORDERS_PATH) as Partial<OrdersBody> | undefined;
      return body?.[what] === value;
    });
  }
}

/** A dock of the runtime's own code takes two clips and orders of every kind that matters, under two roles files, and one that it refuses. */
export async function makeOrdered(roles2: string): Promise<Ordered> {
  const bench = new Bench();
  try {
    bench.authority = { rootKey: ROOT_KEY, configuredRoles: rolesNote() };
    const run = await bench.start();
    const clips = [{ bytes: bytesOf(9_000) }, { bytes: bytesOf(8_000, 3) }];
    run.link.plug(1, new FakeCamera({ serial: 'CAM-0001', clips }));
    await until(run, () => bench.entriesOf('clip-released').length === 2);
    run.link.unplugAll();
    await settle();
    run.evidence.time.now = () => ({
      ...{ kind: 'known', earliestMs: AT_MS + 1, latestMs: AT_MS + 2, source: 'witness' },
    });
    const [gone, kept] = bench.entriesOf('clip-vaulted').map(({ clip }) => clip);
    if (gone === undefined || kept === undefined) throw new Error('there are no two clips');
    await orderAll(new Centre(run), { gone, kept, roles2 });
    await bench.stop(run);
    const texts = await filesOf(bench.orderStore.texts, [rolesNote(), roles2]);
    return { leaves: bench.custody.leaves, texts, clips: [gone, kept] };
  } finally {
    bench.dispose();
  }
}

/** The texts as the real store lays them down. */
async function filesOf(
  texts: ReadonlyMap<string, string>,
  roles: readonly string[],
): Promise<Files> {
  const folder = await mkdtemp(join(tmpdir(), 'order-folder-'));
  try {
    const store = new FsOrderStore(folder);
    await store.start();
    for (const note of roles) await store.putRoles(note);
    for (const [name, text] of texts) {
      const [stem = '', ending] = name.split('.');
      if (ending === 'note') await store.putOrder(Number(stem), text);
      else if (ending === 'receipt') await store.putReceipt(Number(stem), text);
      else if (name !== 'roles') await store.putCertificate(name as ClipId, text);
    }
    return loadFiles(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function orderAll(
  centre: Centre,
  { gone, kept, roles2 }: { gone: ClipId; kept: ClipId; roles2: string },
): Promise<void> {
  const on = (id: ClipId) => ({ subject: { kind: 'clip', id } }) as const;
  const dispose = { ...on(gone), action: 'dispose', reason: 'ERASURE-GRANTED' } as const;
  await centre.order(on(gone), 'operator');
  await centre.order(dispose, 'operator', 'officer');
  const lift = { ...on(gone), action: 'lift', reason: 'CASE-CLOSED' } as const;
  await centre.order(lift, 'operator', 'evidence');
  await centre.order({ ...on(kept), action: 'restrict', reason: 'OBJECTION' }, 'officer');
  await centre.roles(roles2, 2);
  const later = { rolesVersion: 2 };
  const unrestrict = { ...on(kept), ...later, action: 'unrestrict' } as const;
  await centre.order({ ...unrestrict, reason: 'CASE-CLOSED' }, 'evidence', 'officer');
  await centre.order({ ...dispose, ...later }, 'evidence', 'officer');
  await centre.order({ ...on(kept), ...later }, 'officer');
}

/** The folder of that dock, its log signed anew by whoever has the dock's key. There is no vault. */
export function folderOf({ leaves, texts }: Pick<Ordered, 'leaves' | 'texts'>): Files {
  const files = logFiles(leaves, KEYS.log);
  for (const [path, bytes] of texts) files.set(path, bytes);
  return files.set('cache.json', new Uint8Array(0));
}
