import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { benchIngest } from './ingest/ingest.ts';
import { describeMachine, pinnedElsewhere } from './measure/machine.ts';
import { foreignShare } from './measure/rounds.ts';
import { formatRows, formatTable, parseSize } from './measure/table.ts';
import { buildPrimitives, loadPrimitives } from './primitives/primitives.ts';
import { benchSeal, type SealResult } from './seal/seal.ts';
import { openWorkshop } from './seal/workshop.ts';

const USAGE = `usage: npm run bench -- seal|ingest [options]
  seal    sealing beside its peers: 1 MiB to 4 GiB, on tmpfs and on disk, and 1 to 8 bays at once
  ingest  camera to receipt over ptys, 1 to 8 bays
  --json FILE    write rows and ratios
  --quick        small sizes and three rounds: shows that it works, not how fast it is
  --sizes LIST   seal: sizes of the clip, as in 1M,1G
  --pairs N      rounds; every ratio is the median of the rounds' own ratios (5)
  --cpus LIST    the CPUs to stay on, as in 0-3 (the first two)
  --disk DIR     where to write (the folder for temporary files); should be a real disk
Figures are medians. Run it on a machine that does nothing else.`;

const SIZES = { full: '1M,64M,1G,4G', quick: '1M,32M' };
const BAY_BYTES = { full: '256M', quick: '16M' };
/** Of the CPUs: more than this, and the figures tell about the others. */
const FOREIGN_SHARE_MAX = 0.05;

interface Arguments {
  readonly what: string;
  readonly json: string | undefined;
  readonly isQuick: boolean;
  readonly sizes: readonly number[];
  readonly rounds: number;
  readonly cpus: string | undefined;
  readonly disk: string | undefined;
}

function readArguments(): Arguments | undefined {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      json: { type: 'string' },
      quick: { type: 'boolean', default: false },
      sizes: { type: 'string' },
      pairs: { type: 'string' },
      cpus: { type: 'string' },
      disk: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  const [what = ''] = positionals;
  if (values.help === true || (what !== 'seal' && what !== 'ingest')) return undefined;
  const pairs = values.pairs ?? (values.quick ? '3' : '5');
  if (!/^[1-9]\d?$/.test(pairs)) throw new Error(`not a number of pairs: ${pairs}`);
  const sizes = values.sizes ?? (values.quick ? SIZES.quick : SIZES.full);
  return {
    what,
    json: values.json,
    isQuick: values.quick,
    sizes: sizes.split(',').map(parseSize),
    rounds: Number(pairs),
    cpus: values.cpus,
    disk: values.disk,
  };
}

function say(line: string): void {
  process.stderr.write(`bench: ${line}\n`);
}

function measure(given: Arguments): Promise<SealResult> {
  const { isQuick, sizes, rounds } = given;
  const workshop = openWorkshop(given.disk);
  const bayBytes = parseSize(isQuick ? BAY_BYTES.quick : BAY_BYTES.full);
  const primitiveSeconds = isQuick ? 0.1 : 0.5;
  if (given.what === 'ingest') return benchIngest(workshop, { rounds, bayBytes, say });
  return benchSeal(workshop, { sizes, rounds, bayBytes, primitiveSeconds, say });
}

function ownSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6 + loadPrimitives().childrenCpuSeconds();
}

async function main(given: Arguments): Promise<void> {
  buildPrimitives();
  const machine = describeMachine();
  const date = new Date().toISOString().slice(0, 10);
  let result: SealResult = { rows: [], ratios: {} };
  const foreign = await foreignShare(async () => {
    result = await measure(given);
  }, ownSeconds);
  const { rows, ratios } = result;
  console.log(`${machine}; ${date}\n\n${formatRows(rows)}\n`);
  const ratioLines = Object.entries(ratios).map(([name, ratio]) => [name, ratio.toFixed(3)]);
  if (ratioLines.length > 0) console.log(`${formatTable(['ratio', 'median'], ratioLines)}\n`);
  console.log(`Other programs used ${(foreign * 100).toFixed(1)} % of these CPUs meanwhile.`);
  if (foreign > FOREIGN_SHARE_MAX) say('the machine was busy: do not quote these figures');
  if (given.json === undefined) return;
  const foreignCpuShare = Number(foreign.toFixed(3));
  const report = { machine, date, foreignCpuShare, rows, ratios };
  writeFileSync(given.json, `${JSON.stringify(report, null, 2)}\n`);
}

/** Undefined when there is nothing to run: the help or the fault has been printed. */
function givenArguments(): Arguments | undefined {
  try {
    const given = readArguments();
    if (given !== undefined) return given;
    console.error(USAGE);
    process.exitCode = process.argv.includes('--help') ? 0 : 2;
  } catch (error) {
    say(`${error instanceof Error ? error.message : String(error)}; see --help`);
    process.exitCode = 2;
  }
  return undefined;
}

const given = givenArguments();
try {
  if (given !== undefined && !pinnedElsewhere(given.cpus)) await main(given);
} catch (error) {
  say(error instanceof Error ? (error.stack ?? error.message) : String(error));
  process.exitCode = 1;
}
