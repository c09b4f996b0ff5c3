import type { Checked } from '../checked.ts';
import { type SignedText, signersOf } from '../formats/notes.ts';
import type { Bearer, OrderText } from '../formats/orders.ts';

/** An entry names so many of those who signed. */
const NAMED_MAX = 4;

/** Whether enough different people signed an order. Returns their key ids as its entry names them; undefined when they are too few. */
export function checkOrderSigners(
  { report, crypto }: Pick<Checked, 'report' | 'crypto'>,
  of: {
    readonly path: string;
    readonly note: SignedText;
    readonly order: OrderText;
    readonly bearers: readonly Bearer[];
  },
): string | undefined {
  const { path, note, order, bearers } = of;
  const { rule, action } = order;
  const keys = bearers.map(({ key }) => key);
  const { by, wrong, unknown } = signersOf(note, keys, crypto);
  for (const name of new Set(wrong)) report.find('ORDER_SIGNATURE', path, `by ${name}`);
  for (const name of new Set(unknown)) report.note('SIGNATURE_UNKNOWN', path, `by ${name}`);
  const ids = new Set(by.map(({ id }) => id));
  const counting = bearers.filter(
    ({ key, roles }) => ids.has(key.id) && roles.some((role) => rule.roles.includes(role)),
  );
  const isAmong = ({ roles }: Bearer) => rule.among === undefined || roles.includes(rule.among);
  const people = new Set(counting.map(({ key }) => key.publicKey.join()));
  if (people.size < rule.signers || !counting.some(isAmong)) {
    const whom = rule.among === undefined ? '' : `, ${rule.among} among them`;
    const detail = `${people.size} have signed; to ${action} needs ${rule.signers}${whom}`;
    report.find('ORDER_THRESHOLD', path, detail);
    return undefined;
  }
  const sorted = [...counting].sort((a, b) => Number(isAmong(b)) - Number(isAmong(a)));
  return sorted
    .slice(0, NAMED_MAX)
    .map(({ key }) => key.id)
    .join(',');
}
