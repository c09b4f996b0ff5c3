#!/usr/bin/env -S node --max-semi-space-size=4
import { Command } from 'commander';
import { packageVersion } from '../adapters/native/package-info.ts';
import { ACTION_NAMES } from '../core/orders/actions.ts';
import { reportFailure } from './output.ts';

type AddCommand = (program: Command) => void;

/** Only the command that is asked for is loaded: a dock starts sooner, and has no use for a broker of its own. */
const COMMANDS: Readonly<Record<string, () => Promise<AddCommand>>> = {
  demo: async () => (await import('./demo.ts')).addDemoCommand,
  run: async () => (await import('./run.ts')).addRunCommand,
  witness: async () => (await import('./witness.ts')).addWitnessCommand,
  keygen: async () => (await import('./keygen.ts')).addKeygenCommand,
  list: async () => (await import('./list.ts')).addListCommand,
  show: async () => (await import('./show.ts')).addShowCommand,
  open: async () => (await import('./open.ts')).addOpenCommand,
  export: async () => (await import('./export.ts')).addExportCommand,
  ...Object.fromEntries(
    ACTION_NAMES.map((action) => [
      action,
      async () => (await import('./order.ts')).addOrderCommand(action),
    ]),
  ),
  sign: async () => (await import('./sign.ts')).addSignCommand,
  send: async () => (await import('./send.ts')).addSendCommand,
  pending: async () => (await import('./pending.ts')).addPendingCommand,
  roles: async () => (await import('./roles.ts')).addRolesCommand,
};

const program = new Command('docket')
  .description('The runtime of a dock for body-worn cameras.')
  .version(packageVersion())
  .showHelpAfterError('(add --help for what a command takes)');

try {
  const asked = process.argv[2] ?? '';
  const names = Object.hasOwn(COMMANDS, asked) ? [asked] : Object.keys(COMMANDS);
  for (const name of names) (await COMMANDS[name]?.())?.(program);
  await program.parseAsync();
} catch (error) {
  reportFailure(error);
  process.exitCode = 1;
}
