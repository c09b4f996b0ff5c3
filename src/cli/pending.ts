import { join } from 'node:path';
import type { Command } from 'commander';
import type { DockId } from '../core/evidence/clip.ts';
import { type PendingOrder, staleOrders } from '../core/orders/centre.ts';
import { readStates, STATE_FILE } from './centre-files.ts';
import { formatTable, printJson, printLine } from './output.ts';

interface PendingOptions {
  readonly keys: string;
  readonly state?: string;
  readonly json?: boolean;
}

export function addPendingCommand(program: Command): void {
  program
    .command('pending')
    .description('Orders without a receipt. Ends with 1 when one is past its expiry.')
    .option('--keys <dir>', 'folder of the state', '.')
    .option('--state <file>', `where the orders stand (${STATE_FILE} of --keys)`)
    .option('--json', 'print JSON')
    .action(async ({ keys, state, json }: PendingOptions) => {
      const states = await readStates(state ?? join(keys, STATE_FILE));
      const nowMs = Date.now();
      const pending = [...states].flatMap(([dock, each]) => {
        const stale = staleOrders(each, nowMs);
        return each.pending.map((order) => rowOf(dock, order, stale.includes(order)));
      });
      if (pending.some(({ isStale }) => isStale)) process.exitCode = 1;
      if (json) return printJson({ pending });
      if (pending.length === 0) return printLine('Every order that was sent has its receipt.');
      const rows = pending.map(({ dock, counter, expires, isStale }) => {
        return [
          dock,
          String(counter),
          expires,
          isStale ? 'STALE: somebody withholds it' : 'waiting',
        ];
      });
      process.stdout.write(formatTable([['DOCK', 'ORDER', 'EXPIRES', 'STATE'], ...rows]));
    });
}

function rowOf(dock: DockId, { counter, order, expiresAtMs }: PendingOrder, isStale: boolean) {
  return { dock, counter, order, expires: new Date(expiresAtMs).toISOString(), isStale };
}
