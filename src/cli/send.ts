import { resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { replaceFile } from '../adapters/fs/durable-file.ts';
import { SystemClock } from '../adapters/node/system-clock.ts';
import { sendOrder } from '../app/send-order.ts';
import { utf8 } from '../core/bytes.ts';
import { parseNote } from '../core/custody/note.ts';
import { DockError } from '../core/errors.ts';
import { ORDERS_PATH, parseOrdersBody, ROLES_PATH } from '../core/orders/messages.ts';
import { parseOrder } from '../core/orders/order.ts';
import { ROLES_TYPE } from '../core/orders/roles.ts';
import {
  type BrokerOptions,
  Centre,
  type CentreOptions,
  dockOf,
  lineTo,
  readText,
} from './centre-files.ts';
import { printJson, printLine } from './output.ts';

export interface SendOptions extends CentreOptions, BrokerOptions {
  readonly wait?: number;
  readonly receipt?: string;
  readonly json?: boolean;
}

export function addSendOptions(command: Command): Command {
  return command
    .option('--broker <url>', 'mqtt://host:port or mqtts://host:port')
    .option('--wait <seconds>', 'how long to wait for the receipt', parseSeconds, 30)
    .option('--receipt <file>', 'where the receipt is written')
    .option('--keys <dir>', 'folder of roles.note, role-root.pub, verify-policy.txt and the state')
    .option('--roles <file>', 'who may sign (roles.note of --keys)')
    .option('--root <file>', 'the root key (role-root.pub of --keys)')
    .option('--policy <file>', "the docks' log keys (verify-policy.txt of --keys)")
    .option('--state <file>', 'where the orders stand (orders-state.json of --keys)')
    .option('--username <name>', 'of the broker')
    .option('--password-file <file>', 'of the broker')
    .option('--ca-file <file>', "the broker's authority (PEM)")
    .option('--cert-file <file>', "the centre's certificate (PEM)")
    .option('--key-file <file>', 'the key of that certificate (PEM)')
    .option('--json', 'print JSON');
}

export function addSendCommand(program: Command): void {
  const command = program
    .command('send')
    .description('Send a signed order to its dock and wait for the receipt; or a roles file.')
    .argument('<file>', 'what --sign-only, docket sign or docket roles wrote')
    .option('--dock <site/dock>', 'the dock, for a roles file');
  addSendOptions(command).action(async (path: string, options: SendOptions & { dock?: string }) => {
    const note = await readText(path);
    const { text } = parseNote(note);
    if (text.startsWith(`${ROLES_TYPE}\n`)) await sendRoles(note, options);
    else await sendAndReport(note, options, path);
  });
}

export async function sendAndReport(
  note: string,
  options: SendOptions,
  beside: string | undefined,
): Promise<void> {
  const { dock } = parseOrder(parseNote(note).text);
  const deps = await new Centre(options, beside).sendDeps(dock, options);
  const { outcome, index, treeSize, receipt } = await sendOrder(
    deps,
    note,
    (options.wait ?? 30) * 1_000,
  );
  if (options.receipt !== undefined) await replaceFile(resolve(options.receipt), utf8(receipt));
  const isAccepted = outcome.kind === 'order-accepted';
  if (!isAccepted) process.exitCode = 1;
  const { counter, order, reason } = outcome;
  if (options.json) {
    const status = isAccepted ? 'accepted' : 'refused';
    return printJson({ dock, counter, order, status, reason, index, treeSize });
  }
  const what = isAccepted ? 'accepted' : `refused (${reason})`;
  printLine(`${dock}: order ${counter} ${what}; entry ${index} of ${treeSize} proves it`);
}

/** That a dock has taken the roles is its word: whether an order by them is accepted proves it. */
async function sendRoles(note: string, options: SendOptions & { dock?: string }): Promise<void> {
  const dock = dockOf(options.dock ?? '');
  const version = Number(/^version (\d+)$/m.exec(note)?.[1]);
  const line = lineTo(dock, options);
  const done = new AbortController();
  await line.open([ORDERS_PATH], (_path, payload) => {
    if (parseOrdersBody(payload)?.roles === version) done.abort();
  });
  const clock = new SystemClock();
  const endMs = clock.monotonicMs() + (options.wait ?? 30) * 1_000;
  while (!done.signal.aborted && clock.monotonicMs() < endMs) {
    line.say(ROLES_PATH, { note });
    await clock.delay(1_000, done.signal).catch(() => undefined);
  }
  await line.close();
  if (!done.signal.aborted) {
    throw new DockError('ORDER_UNANSWERED', `${dock} does not say that it has roles ${version}`, {
      action: 'Check that the dock runs, and that the file is signed by its root key and newer.',
    });
  }
  if (options.json) printJson({ dock, roles: version });
  else printLine(`${dock}: says that it has roles version ${version}`);
}

function parseSeconds(text: string): number {
  const seconds = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (seconds < 1 || seconds > 3_600) throw new InvalidArgumentError('give seconds from 1 to 3600');
  return seconds;
}
