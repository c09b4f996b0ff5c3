import { resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { replaceFile } from '../adapters/fs/durable-file.ts';
import { sha256 } from '../adapters/nacl/ed25519.ts';
import { utf8 } from '../core/bytes.ts';
import { signNote } from '../core/custody/note.ts';
import { DockError } from '../core/errors.ts';
import { ROLES, type Role } from '../core/orders/actions.ts';
import { formatRoles, type RoleKey } from '../core/orders/roles.ts';
import { loadSigner, loadVerifierKey } from './centre-files.ts';
import { printJson, printLine } from './output.ts';

interface RolesOptions {
  readonly root: string;
  readonly fileVersion: number;
  readonly docks: string;
  readonly grant: readonly string[];
  readonly out: string;
  readonly json?: boolean;
}

export function addRolesCommand(program: Command): void {
  program
    .command('roles')
    .description('Write who may sign orders, signed with the root key: on an offline computer.')
    .requiredOption('--root <file>', 'role-root.key')
    .requiredOption('--file-version <n>', 'higher than that of the file before', parseVersion)
    .requiredOption('--grant <file=role,...>', `a .pub file and ${ROLES.join(', ')}`, collect, [])
    .requiredOption('--out <file>', 'where it is written')
    .option('--docks <pattern>', 'SITE/DOCK, where * stands for any', '*/*')
    .option('--json', 'print JSON')
    .action(async (options: RolesOptions) => {
      const keys = await Promise.all(options.grant.map(grantOf));
      const { fileVersion: version, docks, out } = options;
      const text = formatRoles({ version, docks, keys }, sha256);
      const note = signNote(text, await loadSigner(options.root), sha256);
      await replaceFile(resolve(out), utf8(note));
      if (options.json) return printJson({ out: resolve(out), version, keys: keys.length });
      printLine(`Version ${version} for ${docks} with ${keys.length} keys is in ${out}.`);
      printLine(`Give it to each dock: docket send ${out} --dock SITE/DOCK --broker URL`);
    });
}

async function grantOf(text: string): Promise<RoleKey> {
  const at = text.lastIndexOf('=');
  const roles = text.slice(at + 1).split(',');
  const known = roles.filter((role): role is Role => ROLES.some((each) => each === role));
  if (at < 1 || known.length < roles.length) {
    throw new DockError('ARGUMENT_INVALID', 'a grant is a .pub file, =, and roles', {
      action: `Write FILE=ROLE or FILE=ROLE,ROLE with ${ROLES.join(', ')}.`,
    });
  }
  return { key: await loadVerifierKey(text.slice(0, at)), roles: known };
}

function collect(value: string, before: readonly string[]): string[] {
  return [...before, value];
}

function parseVersion(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('give a number from 1');
  return Number(text);
}
