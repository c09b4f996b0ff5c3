import { type Checked, isThere } from '../checked.ts';
import { checkSigners } from '../checkpoints.ts';
import type { DockKeys } from '../clips.ts';
import {
  formatNamedKey,
  NOTE_SIZE_MAX,
  parseSignedText,
  type SignedText,
} from '../formats/notes.ts';
import { type Bearer, type OrderText, parseOrderText, type RolesText } from '../formats/orders.ts';
import { hexOf, parseBase64Bytes, readUtf8, sameBytes, sha256, utf8 } from '../formats/text.ts';
import { hashLeaf, parseEntryProof, rootByInclusion } from '../formats/tree.ts';
import { Malformed } from '../report.ts';
import { type RolesFile, readRolesFiles, takeRoles } from './roles.ts';
import { checkOrderSigners } from './signers.ts';
import type { OrderStep } from './trail.ts';

const LOG = 'custody/entries';
const NO_ORDER = '0'.repeat(64);
const PATH = /^orders\/(\d{10})\.(note|receipt)$/;

/** What is known before an order. */
interface Standing {
  counter: number;
  previous: string;
  roles: RolesText | undefined;
  rolesVersion: number;
  /** Digests of keys that count for nothing. */
  readonly revoked: Set<string>;
}

interface OrderCheck extends Checked {
  readonly dock: string;
  readonly root: NonNullable<Checked['policy']['root']>;
}

/** Every order that the log has answered is there, in its turn, and signed by those whom its action needs. */
export async function checkOrders(checked: Checked, keys: DockKeys | undefined): Promise<void> {
  const { policy, report, trail, files } = checked;
  const { root } = policy;
  const isAny = trail.steps.length > 0 || [...files].some((path) => path.startsWith('orders/'));
  if (!isAny) return;
  if (root === undefined || keys === undefined) {
    const missing = root === undefined ? 'the policy names no root key' : 'the log names no dock';
    return report.note('ORDERS_NOT_CHECKED', 'orders', missing);
  }
  const check: OrderCheck = { ...checked, dock: keys.dock, root };
  if (report.kind === 'log') return checkTurnsOnly(check);
  const rolesFiles = await readRolesFiles(check);
  const standing = newStanding();
  const answered = new Map<string, OrderStep>();
  for (const step of trail.steps) {
    if (step.kind === 'roles-accepted') acceptRoles(check, { step, standing, rolesFiles });
    else {
      answered.set(nameOf(step), step);
      await checkOrder(check, step, standing);
    }
  }
  await checkOthers(check, answered, standing.counter + 1);
}

function newStanding(): Standing {
  return {
    ...{ counter: 0, previous: NO_ORDER, roles: undefined, rolesVersion: 0 },
    revoked: new Set(),
  };
}

function nameOf({ fields }: OrderStep): string {
  return (fields.counter ?? '').padStart(10, '0');
}

/** A mirror keeps the entries, and not what people signed. */
function checkTurnsOnly(check: OrderCheck): void {
  check.report.note('ORDERS_NOT_CHECKED', 'orders', 'a log has the entries of orders alone');
  const standing = newStanding();
  for (const step of check.trail.steps) {
    if (step.kind !== 'roles-accepted') takeTurn(check, step, standing);
  }
}

function acceptRoles(
  check: OrderCheck,
  {
    step,
    standing,
    rolesFiles,
  }: {
    readonly step: OrderStep;
    readonly standing: Standing;
    readonly rolesFiles: ReadonlyMap<string, RolesFile>;
  },
): void {
  standing.roles = takeRoles(check, { step, rolesFiles, before: standing.rolesVersion });
  standing.rolesVersion = Math.max(standing.rolesVersion, Number(step.fields.version));
}

/** An order is answered once: each has the counter after the last. */
function takeTurn({ report }: OrderCheck, step: OrderStep, standing: Standing): void {
  const counter = Number(step.fields.counter);
  if (counter !== standing.counter + 1) {
    const detail = `entry ${step.index}: order ${counter} after order ${standing.counter}`;
    report.find('ORDER_SEQUENCE', LOG, detail);
  }
  standing.counter = Math.max(standing.counter, counter);
}

async function checkOrder(check: OrderCheck, step: OrderStep, standing: Standing): Promise<void> {
  const { source, report } = check;
  const path = `orders/${nameOf(step)}.note`;
  takeTurn(check, step, standing);
  const { previous } = standing;
  standing.previous = step.fields.order ?? '';
  if (isThere(check, path)) {
    await report.guard('ORDER_MALFORMED', path, async () => {
      const note = parseSignedText(await source.read(path, NOTE_SIZE_MAX));
      checkNote(check, { path, note, step, standing, previous });
    });
  } else report.find('ORDER_MISSING', path, `entry ${step.index}`);
  if (step.kind === 'order-accepted') apply(step, standing.revoked);
}

function checkNote(
  check: OrderCheck,
  of: {
    readonly path: string;
    readonly note: SignedText;
    readonly step: OrderStep;
    readonly standing: Standing;
    readonly previous: string;
  },
): void {
  const { report, crypto, dock } = check;
  const { path, note, step, standing, previous } = of;
  const { fields, index, kind } = step;
  if (hexOf(sha256(crypto, utf8(note.text))) !== fields.order) {
    report.find('ORDER_ALTERED', path, `entry ${index}`);
  }
  const order = parseOrderText(note.text);
  if (order.dock !== dock) report.find('ORDER_OTHER_DOCK', path, `it is for ${order.dock}`);
  if (String(order.counter) !== fields.counter || order.previous !== previous) {
    report.find('ORDER_SEQUENCE', path, `it is order ${order.counter}, entry ${index}`);
  }
  const signers = checkOrderSigners(check, {
    path,
    note,
    order,
    bearers: bearersOf(check, standing),
  });
  if (kind !== 'order-accepted') return;
  if (order.rolesVersion !== standing.rolesVersion) {
    report.find('ORDER_ROLES', path, `${order.rolesVersion}, and not ${standing.rolesVersion}`);
  }
  if (!isEntryOf(order, fields) || (signers !== undefined && signers !== fields.signers)) {
    report.find('ORDER_ENTRY', path, `entry ${index}`);
  }
}

/** The root key is the one of the policy, whatever a roles file says. */
function bearersOf({ crypto, root }: OrderCheck, { roles, revoked }: Standing): Bearer[] {
  const others = (roles?.bearers ?? []).map(({ key, roles: of }) => {
    return { key, roles: of.filter((role) => role !== 'root') };
  });
  return [...others, { key: root, roles: ['root'] }].filter(({ key, roles: of }) => {
    return of.length > 0 && !revoked.has(hexOf(sha256(crypto, utf8(formatNamedKey(key)))));
  });
}

function isEntryOf(order: OrderText, fields: OrderStep['fields']): boolean {
  return (
    order.action === fields.action &&
    order.subject === fields.subject &&
    order.reason === fields.reason &&
    order.references[0] === fields.reference
  );
}

function apply({ fields }: OrderStep, revoked: Set<string>): void {
  const id = (fields.subject ?? '').split(' ')[1] ?? '';
  if (fields.action === 'revoke') revoked.add(id);
  if (fields.action === 'enrol') revoked.delete(id);
}

/** Receipts, and what lies there of orders that have no entry. */
async function checkOthers(
  check: OrderCheck,
  answered: ReadonlyMap<string, OrderStep>,
  next: number,
): Promise<void> {
  const { report, files } = check;
  for (const path of files) {
    const [, name = '', ending] = PATH.exec(path) ?? [];
    if (ending === undefined) continue;
    const step = answered.get(name);
    if (step !== undefined && ending === 'receipt') await checkReceipt(check, path, step);
    if (step !== undefined) continue;
    // The order is kept before its entry, so a power cut can leave the next one there.
    if (ending === 'note' && Number(name) === next) report.note('ORDER_NOT_ENTERED', path, name);
    else report.find('UNEXPECTED_FILE', path, 'the log has answered no such order');
  }
}

async function checkReceipt(check: OrderCheck, path: string, step: OrderStep): Promise<void> {
  const { source, report, crypto, tree } = check;
  await report.guard('ORDER_RECEIPT', path, async () => {
    const text = readUtf8(await source.read(path, NOTE_SIZE_MAX));
    const [, encoded = '', rest = ''] =
      /^docket\/order-receipt\/v1\nentry (\S+)\n\n([\s\S]+)$/.exec(text) ?? [];
    const leaf = parseBase64Bytes(encoded, '=') ?? new Uint8Array(0);
    const { index, proof, checkpoint } = parseEntryProof(utf8(rest));
    const { size, root } = checkpoint;
    const leafHash = hashLeaf(leaf, crypto);
    const reached = rootByInclusion({ leafHash, index, size, proof }, crypto);
    const isProven =
      index === step.index &&
      sameBytes(leafHash, tree.node(0, index)) &&
      sameBytes(reached ?? new Uint8Array(0), root) &&
      sameBytes(tree.rootOf(size), root);
    if (!isProven) throw new Malformed(`entry ${step.index}`);
    checkSigners(check, { path, signed: checkpoint });
  });
}
