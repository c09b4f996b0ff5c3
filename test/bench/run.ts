import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { benchIngest } from './ingest/ingest.ts';
import { benchLink, formatLinkRows, LINK_PEERS } from './link/link.ts';
import { describeMachine, pinnedElsewhere } from './measure/machine.ts';
import { foreignShare } from './measure/rounds.ts';
import { formatRows, formatTable, parseNumbers, parseSize } from './measure/table.ts';
import { buildPrimitives, loadPrimitives } from './primitives/primitives.ts';
import { benchSeal } from './seal/seal.ts';
import { openWorkshop } from './seal/workshop.ts';

const USAGE = `usage: npm run bench -- seal|ingest|link [options]
  seal    sealing beside its peers: 1 MiB to 4 GiB, on tmpfs and on disk, and 1 to 8 bays at once
  ingest  camera to receipt over ptys, 1 to 8 bays
  link    one clip over lines of several speeds and bit-error rates, beside ZMODEM, YMODEM and Kermit
  --json FILE    write rows and ratios
  --quick        small sizes and three rounds: shows that it works, not how fast it is
  --sizes LIST   seal: sizes of the clip, as in 1M,1G
  --bauds LIST   link: speeds of the line, 0 for as fast as ptys go (115200,921600,3000000,0)
  --bers LIST    link: bit-error rates (0,1e-6,1e-5,1e-4)
  --peers LIST   link: of ${LINK_PEERS.join(', ')} (all)
  --seconds N    link: how long the clip takes on the line alone (20)
  --seed N       link: where the errors are (1)
  --pairs N      rounds; every ratio is the median of the rounds' own ratios (5)
  --cpus LIST    the CPUs to stay on, as in 0-3 (the first two)
  --disk DIR     where to write (the folder for temporary files); should be a real disk
Figures are medians. Run it on a machine that does nothing else.`;

const SIZES = { full: '1M,64M,1G,4G', quick: '1M,32M' };
const BAY_BYTES = { full: '256M', quick: '16M' };
const LINK = {
  bauds: '115200,921600,3000000,0',
  bers: '0,1e-6,1e-5,1e-4',
  seconds: { full: '20', quick: '3' },
  bytes: { full: '256M', quick: '32M' },
};
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
  readonly link: LinkArguments;
}

interface LinkArguments {
  readonly bauds: readonly number[];
  readonly bers: readonly number[];
  readonly peers: readonly string[] | undefined;
  readonly seconds: number;
  readonly seed: number;
}

interface Result {
  readonly rows: readonly object[];
  readonly ratios: Readonly<Record<string, number>>;
  readonly text: string;
  /** Of a comparison whose rows are of another kind. */
  readonly costs?: readonly object[];
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
      bauds: { type: 'string', default: LINK.bauds },
      bers: { type: 'string', default: LINK.bers },
      peers: { type: 'string' },
      seconds: { type: 'string' },
      seed: { type: 'string', default: '1' },
      help: { type: 'boolean' },
    },
  });
  const [what = ''] = positionals;
  if (values.help === true || !['seal', 'ingest', 'link'].includes(what)) return undefined;
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
    link: readLink({ ...values, seconds: values.seconds ?? LINK.seconds[scale(values.quick)] }),
  };
}

function scale(isQuick: boolean): 'quick' | 'full' {
  return isQuick ? 'quick' : 'full';
}

function readLink(
  values: Readonly<Record<'bauds' | 'bers' | 'seconds' | 'seed', string>> & {
    readonly peers?: string | undefined;
  },
): LinkArguments {
  const peers = values.peers?.split(',');
  const stranger = peers?.find((peer) => !LINK_PEERS.includes(peer));
  if (stranger !== undefined) throw new Error(`not a peer: ${stranger}`);
  const [seconds = 0] = parseNumbers(values.seconds);
  const [seed = 0] = parseNumbers(values.seed);
  return {
    bauds: parseNumbers(values.bauds),
    bers: parseNumbers(values.bers),
    peers,
    seconds,
    seed,
  };
}

function say(line: string): void {
  process.stderr.write(`bench: ${line}\n`);
}

async function measure(given: Arguments): Promise<Result> {
  const { isQuick, sizes, rounds } = given;
  const workshop = openWorkshop(given.disk);
  const bayBytes = parseSize(isQuick ? BAY_BYTES.quick : BAY_BYTES.full);
  const primitiveSeconds = isQuick ? 0.1 : 0.5;
  if (given.what === 'link') {
    const unthrottledBytes = parseSize(LINK.bytes[scale(isQuick)]);
    const plan = { ...given.link, unthrottledBytes, rounds, say };
    const { rows, costs, ratios } = await benchLink(workshop, plan);
    const tables = [formatLinkRows(rows), ...(costs.length > 0 ? [formatRows(costs)] : [])];
    return { rows, costs, ratios, text: tables.join('\n\n') };
  }
  const { rows, ratios } =
    given.what === 'ingest'
      ? await benchIngest(workshop, { rounds, bayBytes, say })
      : await benchSeal(workshop, { sizes, rounds, bayBytes, primitiveSeconds, say });
  return { rows, ratios, text: formatRows(rows) };
}

function ownSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6 + loadPrimitives().childrenCpuSeconds();
}

async function main(given: Arguments): Promise<void> {
  buildPrimitives();
  const machine = describeMachine();
  const date = new Date().toISOString().slice(0, 10);
  let result: Result = { rows: [], ratios: {}, text: '' };
  const foreign = await foreignShare(async () => {
    result = await measure(given);
  }, ownSeconds);
  const { ratios, text, ...others } = result;
  console.log(`${machine}; ${date}\n\n${text}\n`);
  const ratioLines = Object.entries(ratios).map(([name, ratio]) => [name, ratio.toFixed(3)]);
  if (ratioLines.length > 0) console.log(`${formatTable(['ratio', 'median'], ratioLines)}\n`);
  console.log(`Other programs used ${(foreign * 100).toFixed(1)} % of these CPUs meanwhile.`);
  if (foreign > FOREIGN_SHARE_MAX) say('the machine was busy: do not quote these figures');
  if (given.json === undefined) return;
  const foreignCpuShare = Number(foreign.toFixed(3));
  const report = { machine, date, foreignCpuShare, ...others, ratios };
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
