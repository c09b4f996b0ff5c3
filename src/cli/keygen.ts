import { resolve } from 'node:path';
import type { Command } from 'commander';
import { createCouncilKeys } from './council-keys.ts';
import { printJson, printLine } from './output.ts';

export function addKeygenCommand(program: Command): void {
  program
    .command('keygen')
    .description("Make the council's keys: on a computer of the council, never on a dock.")
    .requiredOption('--out <dir>', 'a folder that has no keys yet')
    .option('--json', 'print the recipients as JSON')
    .action(async (options: { out: string; json?: boolean }) => {
      const folder = resolve(options.out);
      const recipients = await createCouncilKeys(folder);
      if (options.json) return printJson({ keysDir: folder, recipients });
      printLine(`Keys are in ${folder}.`);
      for (const { role, recipient } of recipients) printLine(`${role.padEnd(9)} ${recipient}`);
      printLine('');
      printLine('Put the two recipients and witness.pub into the configuration of each dock,');
      printLine('and role-root.pub and roles.note, which says who may sign orders.');
      printLine(
        'Print escrow.identity.txt and role-root.key, put them in a safe, and erase the files.',
      );
    });
}
