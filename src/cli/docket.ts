#!/usr/bin/env -S node --max-semi-space-size=4
import { Command } from 'commander';
import { packageVersion } from '../main.ts';
import { addDemoCommand } from './demo.ts';
import { addKeygenCommand } from './keygen.ts';
import { addListCommand } from './list.ts';
import { addOpenCommand } from './open.ts';
import { reportFailure } from './output.ts';
import { addRunCommand } from './run.ts';
import { addShowCommand } from './show.ts';

const program = new Command('docket')
  .description('The runtime of a dock for body-worn cameras.')
  .version(packageVersion())
  .showHelpAfterError('(add --help for what a command takes)');

addDemoCommand(program);
addRunCommand(program);
addKeygenCommand(program);
addListCommand(program);
addShowCommand(program);
addOpenCommand(program);

try {
  await program.parseAsync();
} catch (error) {
  reportFailure(error);
  process.exitCode = 1;
}
