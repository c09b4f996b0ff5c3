import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Row } from '../measure/sample.ts';
import { formatTable } from '../measure/table.ts';
import { writeRandomFile } from '../seal/source.ts';
import type { Workshop } from '../seal/workshop.ts';
import {
  bestOf,
  type Cell,
  climb,
  type LinkRow,
  type Outcome,
  planCells,
  toLinkRow,
} from './cells.ts';
import { transferToDock } from './docket.ts';
import { hasCommand, PEERS, RAW } from './programs.ts';
import { measureReceiptCpu } from './receipt-cpu.ts';
import { buildLineTools, type LineTools } from './tools.ts';
import { type Scene, sha256OfFile, transfer } from './transfer.ts';

export interface LinkPlan {
  readonly bauds: readonly number[];
  readonly bers: readonly number[];
  /** Undefined: all. */
  readonly peers: readonly string[] | undefined;
  readonly seconds: number;
  readonly unthrottledBytes: number;
  readonly seed: number;
  /** Of the comparison of processor time. */
  readonly rounds: number;
  readonly say: (line: string) => void;
}

export const LINK_PEERS: readonly string[] = ['docket', ...PEERS.map(({ name }) => name)];
const RAW_PEER = 'raw copy';

type Measure = (scene: Scene, cell: Cell) => Promise<Outcome>;

function subjectsOf(plan: LinkPlan): [name: string, measure: Measure][] {
  const { peers, say } = plan;
  const isAsked = (name: string) => peers === undefined || peers.includes(name);
  const programs = PEERS.filter(({ name }) => isAsked(name)).filter(({ name, program }) => {
    if (hasCommand(program)) return true;
    say(`${name}: ${program} is not installed (Debian: lrzsz, gkermit, ckermit)`);
    return false;
  });
  const measured = programs.map(({ name, ways, start }): [string, Measure] => [
    name,
    async (scene, cell) => {
      const choices = ways(cell);
      const outcomes = await climb(choices.length, start(cell), async (index) => {
        const way = choices[index];
        if (way === undefined) throw new Error(`${name} has no way ${index}`);
        const outcome = await transfer(scene, cell, way);
        if (choices.length > 1)
          say(
            `  ${name} ${way.how}: ${outcome.seconds.toFixed(2)} s${outcome.intact ? '' : ', not intact'}`,
          );
        return outcome;
      });
      const best = bestOf(outcomes);
      if (best === undefined) throw new Error(`${name} was not measured`);
      return best;
    },
  ]);
  return isAsked('docket') ? [['docket', transferToDock], ...measured] : measured;
}

function describe(row: LinkRow): string {
  const line = row.baud === 0 ? 'unthrottled' : `${row.baud} baud`;
  const share = row.intact ? `${(row.share * 100).toFixed(1)} %` : 'not intact';
  return `${line}, ${row.ber}: ${row.peer} ${row.how}: ${share}`;
}

async function measureCell(
  place: { readonly tools: LineTools; readonly folder: string },
  cell: Cell,
  plan: LinkPlan,
): Promise<LinkRow[]> {
  const folder = join(place.folder, `${cell.baud}-${cell.ber}`);
  mkdirSync(folder);
  const clip = join(folder, 'clip.mp4');
  writeRandomFile(clip, cell.bytes);
  const scene: Scene = { tools: place.tools, folder, clip, sha256: await sha256OfFile(clip) };
  const rows: LinkRow[] = [];
  let rawSeconds: number | undefined;
  const add = (peer: string, outcome: Outcome) => {
    const row = toLinkRow(peer, cell, { outcome, rawSeconds });
    plan.say(describe(row));
    rows.push(row);
  };
  if (cell.baud === 0) {
    const outcome = await transfer(scene, { ...cell, ber: 0 }, RAW);
    rawSeconds = outcome.seconds;
    add(RAW_PEER, outcome);
  }
  for (const [name, measure] of subjectsOf(plan)) add(name, await measure(scene, cell));
  rmSync(folder, { recursive: true });
  return rows;
}

/** How many times as fast Docket is on a pty as the fastest of the others; undefined when one of them was not measured. */
export function unthrottledRatio(rows: readonly LinkRow[]): number | undefined {
  const clean = rows.filter(({ baud, ber, intact }) => baud === 0 && ber === 0 && intact);
  const own = clean.find(({ peer }) => peer === 'docket');
  const others = clean.filter(({ peer }) => peer !== 'docket' && peer !== RAW_PEER);
  if (own === undefined || others.length === 0) return undefined;
  return own.megabytesPerSecond / Math.max(...others.map((row) => row.megabytesPerSecond));
}

export function formatLinkRows(rows: readonly LinkRow[]): string {
  const head = [
    'peer',
    'baud',
    'errors',
    'KB',
    'share',
    'MB/s',
    'intact',
    'CPU s/GB',
    'flipped',
    '',
  ];
  const body = rows.map((row) => [
    row.peer,
    row.baud === 0 ? 'unthrottled' : String(row.baud),
    row.ber === 0 ? '0' : row.ber.toExponential(0),
    String(Math.round(row.bytes / 1000)),
    `${(row.share * 100).toFixed(1)} %`,
    row.megabytesPerSecond.toFixed(3),
    row.intact ? 'yes' : 'NO',
    row.cpuSecondsPerGB.toFixed(1),
    String(row.flippedBits),
    row.how,
  ]);
  return formatTable(head, body);
}

export interface LinkResult {
  readonly rows: readonly LinkRow[];
  readonly costs: readonly Row[];
  readonly ratios: Readonly<Record<string, number>>;
}

/** The camera link beside its peers: one after the other over lines of the same pace, errors and seed. */
export async function benchLink(workshop: Workshop, plan: LinkPlan): Promise<LinkResult> {
  const folder = join(workshop.memory, 'link');
  mkdirSync(folder);
  const tools = buildLineTools(folder);
  const rows: LinkRow[] = [];
  for (const cell of planCells(plan))
    rows.push(...(await measureCell({ tools, folder }, cell, plan)));
  const fastest = unthrottledRatio(rows);
  const ratios = fastest === undefined ? {} : { unthrottledVsBestPeer: fastest };
  if (!plan.bauds.includes(0)) return { rows, costs: [], ratios };
  plan.say('from the wire to the receipt');
  const cost = await measureReceiptCpu(workshop, tools, {
    bytes: plan.unthrottledBytes,
    rounds: plan.rounds,
  });
  return {
    rows,
    costs: cost.rows,
    ratios: { ...ratios, wireToReceiptCpuVsSerialportReader: cost.ratio },
  };
}
