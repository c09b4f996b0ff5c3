import type { Checked } from '../checked.ts';
import { type NamedKey, NOTE_SIZE_MAX, parseSignedText, signersOf } from '../formats/notes.ts';
import { isForDock, parseRolesText, type RolesText } from '../formats/orders.ts';
import { hexOf, sha256, utf8 } from '../formats/text.ts';
import type { OrderStep } from './trail.ts';

/** The newest, and each by its version. */
const PATH = /^orders\/roles(-\d{10})?\.note$/;

export interface RolesFile {
  readonly path: string;
  readonly roles: RolesText;
}

/** By the digest of their text. One that the root key has not signed is a finding, whether the log names it or not. */
export async function readRolesFiles(
  checked: Checked & { readonly root: NamedKey },
): Promise<ReadonlyMap<string, RolesFile>> {
  const { source, crypto, report, files, root } = checked;
  const found = new Map<string, RolesFile>();
  for (const path of files) {
    if (!PATH.test(path)) continue;
    await report.guard('ROLES_MALFORMED', path, async () => {
      const note = parseSignedText(await source.read(path, NOTE_SIZE_MAX));
      const { by, wrong } = signersOf(note, [root], crypto);
      if (by.length === 0 || wrong.length > 0) {
        report.find('ROLES_SIGNATURE', path, `it is not signed by ${root.name}`);
      }
      const roles = parseRolesText(note.text, crypto);
      found.set(hexOf(sha256(crypto, utf8(note.text))), { path, roles });
    });
  }
  return found;
}

/** Who may sign orders from this entry on; undefined when nobody can tell. */
export function takeRoles(
  { report, dock }: Checked & { readonly dock: string },
  of: {
    readonly step: OrderStep;
    readonly rolesFiles: ReadonlyMap<string, RolesFile>;
    /** The version until now. */
    readonly before: number;
  },
): RolesText | undefined {
  const { fields, index } = of.step;
  const version = Number(fields.version);
  const file = of.rolesFiles.get(fields.roles ?? '');
  if (file === undefined) {
    const path = `orders/roles-${String(version).padStart(10, '0')}.note`;
    report.find('ROLES_MISSING', path, `entry ${index}`);
    return undefined;
  }
  const { path, roles } = file;
  if (roles.version !== version || version <= of.before) {
    report.find('ROLES_SEQUENCE', path, `version ${version} after ${of.before}, entry ${index}`);
  }
  if (!isForDock(roles, dock)) report.find('ROLES_OTHER_DOCK', path, `it is for ${roles.docks}`);
  return roles;
}
