import { resolve } from 'node:path';
import type { Command } from 'commander';
import { replaceFile } from '../adapters/fs/durable-file.ts';
import { utf8 } from '../core/bytes.ts';
import { parseNote } from '../core/custody/note.ts';
import { formatSubject, parseOrder } from '../core/orders/order.ts';
import { Centre, type CentreOptions, readText } from './centre-files.ts';
import { addSignatures, missingSignatures, reportSigned } from './order.ts';
import { printLine } from './output.ts';

interface SignOptions extends CentreOptions {
  readonly key: string;
  readonly out?: string;
  readonly json?: boolean;
}

export function addSignCommand(program: Command): void {
  program
    .command('sign')
    .description('Read an order and add a signature to it.')
    .argument('<file>', 'the order, as --sign-only wrote it')
    .requiredOption('--key <file>', 'your signing key')
    .option('--out <file>', 'another file than the order itself')
    .option('--keys <dir>', 'folder of roles.note and role-root.pub')
    .option('--roles <file>', 'who may sign')
    .option('--root <file>', 'the root key')
    .option('--json', 'print JSON')
    .action(async (path: string, options: SignOptions) => {
      const before = await readText(path);
      const { text } = parseNote(before);
      const { action, subject, reason, dock } = parseOrder(text);
      if (!options.json) {
        printLine(`Order to ${dock}: ${action} ${formatSubject(subject)}, ${reason}.`);
      }
      const note = await addSignatures(text, [options.key], before);
      const out = options.out ?? path;
      await replaceFile(resolve(out), utf8(note));
      const missing = await missingSignatures(new Centre(options, options.key), note);
      reportSigned(out, missing, options.json === true);
    });
}
