import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type FileRun, judge, parseTimeoutSeconds, type Verdict } from './guards/verdict.ts';

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const TSX = import.meta.resolve('tsx');
const OUTPUT_BYTES_MAX = 4 * 1024 * 1024;
const USAGE = `usage: test/run.ts [system] [FILTER...] [--folder DIR] [--jobs N] [--timeout S] [--junit FILE]`;

interface Plan {
  readonly isSystem: boolean;
  readonly files: readonly string[];
  readonly folder: string;
  readonly jobs: number;
  readonly timeoutSeconds: number;
  readonly junitFile: string | undefined;
}

interface Outcome extends Verdict {
  readonly name: string;
  readonly seconds: number;
  readonly output: string;
}

const running = new Set<number>();

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function findTests(folder: string, isSystem: boolean): string[] {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return names
    .filter((name) => name.endsWith('.test.ts') && !name.includes('node_modules'))
    .filter((name) => name.startsWith(`system${path.sep}`) === isSystem)
    .sort();
}

function planFromArguments(): Plan {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      folder: { type: 'string' },
      jobs: { type: 'string' },
      timeout: { type: 'string' },
      junit: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  if (values.help === true) {
    console.log(USAGE);
    process.exit(0);
  }
  const isSystem = positionals[0] === 'system';
  const filters = isSystem ? positionals.slice(1) : positionals;
  const folder = path.resolve(values.folder ?? path.join(ROOT, 'test'));
  const files = findTests(folder, isSystem).filter(
    (name) => filters.length === 0 || filters.some((filter) => `test/${name}`.includes(filter)),
  );
  return {
    isSystem,
    files,
    folder,
    jobs: Number(values.jobs ?? (isSystem ? 1 : 2)),
    timeoutSeconds: Number(values.timeout ?? (isSystem ? 900 : 120)),
    junitFile: values.junit,
  };
}

/** The file runs in its own process group, which is killed whole when it ends or takes too long. */
function runFile(file: string, timeoutSeconds: number): Promise<FileRun> {
  const { FORCE_COLOR: _, ...environment } = process.env;
  const child = spawn(process.execPath, ['--import', TSX, file], {
    cwd: ROOT,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...environment, NO_COLOR: '1', DOCKET_TEST: '1' },
  });
  const pid = child.pid;
  if (pid === undefined) throw new Error(`cannot start ${process.execPath}`);
  running.add(pid);
  let output = '';
  const keep = (text: string) => {
    if (output.length < OUTPUT_BYTES_MAX) output += text;
    else output = output.slice(OUTPUT_BYTES_MAX / 2) + text;
  };
  child.stdout.setEncoding('utf8').on('data', keep);
  child.stderr.setEncoding('utf8').on('data', keep);
  return new Promise((resolve) => {
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      killGroup(pid);
    }, timeoutSeconds * 1000);
    child.once('exit', (exitCode, signal) => {
      clearTimeout(timer);
      killGroup(pid);
      running.delete(pid);
      const finish = () => resolve({ output, exitCode, signal, timedOut, timeoutSeconds });
      // A process that left the group may hold the pipe open for ever.
      const grace = setTimeout(() => {
        child.stdout.destroy();
        child.stderr.destroy();
      }, 2000);
      child.once('close', () => {
        clearTimeout(grace);
        finish();
      });
    });
  });
}

async function testFile(plan: Plan, name: string): Promise<Outcome> {
  const file = path.join(plan.folder, name);
  const source = readFileSync(file, 'utf8');
  const startedAtMs = performance.now();
  const run = await runFile(file, parseTimeoutSeconds(source) ?? plan.timeoutSeconds);
  const seconds = (performance.now() - startedAtMs) / 1000;
  return { name, seconds, output: run.output, ...judge(source, run) };
}

function report(outcome: Outcome): void {
  const { name, passed, failed, reasons, seconds } = outcome;
  const counts = `${passed} passed${failed > 0 ? `, ${failed} failed` : ''}`;
  const why = reasons.length > 0 ? `  (${reasons.join('; ')})` : '';
  console.log(`${failed > 0 ? 'FAIL' : 'ok  '} ${name}  ${counts}  ${seconds.toFixed(1)} s${why}`);
  if (failed > 0) console.log(outcome.output.replace(/^/gm, '    | '));
}

async function runAll(plan: Plan): Promise<Outcome[]> {
  const waiting = [...plan.files];
  const outcomes: Outcome[] = [];
  const worker = async () => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      const outcome = await testFile(plan, name);
      outcomes.push(outcome);
      report(outcome);
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, plan.jobs) }, worker));
  return outcomes;
}

function escapeXml(text: string): string {
  // XML 1.0 2.2: most control characters cannot be written at all.
  const legal = text.replace(/[^\t\n\r\x20-\ud7ff\ue000-\ufffd]/g, '?');
  return legal.replace(/[<>&"]/g, (letter) => `&#${letter.charCodeAt(0)};`);
}

function formatJunit(outcomes: readonly Outcome[]): string {
  const suites = outcomes.map((outcome) => {
    const name = escapeXml(outcome.name);
    const total = outcome.passed + outcome.failed;
    const cases = Array.from({ length: total }, (_, index) => {
      const open = `    <testcase classname="${name}" name="${name} ${index + 1}"`;
      if (index < outcome.passed) return `${open}/>`;
      const why = escapeXml(outcome.reasons.join('; ') || 'failed');
      const detail = index === outcome.passed ? escapeXml(outcome.output) : '';
      return `${open}><failure message="${why}">${detail}</failure></testcase>`;
    });
    const counts = `tests="${total}" failures="${outcome.failed}"`;
    const head = `  <testsuite name="${name}" ${counts} time="${outcome.seconds.toFixed(3)}">`;
    return [head, ...cases, '  </testsuite>'].join('\n');
  });
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n${suites.join('\n')}\n</testsuites>\n`;
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    for (const pid of running) killGroup(pid);
    process.exit(130);
  });
}

const plan = planFromArguments();
if (plan.isSystem && plan.files.length > 0) {
  const { installPackages } = await import('./system/packages.ts');
  installPackages();
}
const outcomes = await runAll(plan);
if (plan.junitFile !== undefined) writeFileSync(plan.junitFile, formatJunit(outcomes));
if (outcomes.length === 0) console.log('FAIL no test file matches');
const passed = outcomes.reduce((sum, outcome) => sum + outcome.passed, 0);
const failed = outcomes.reduce((sum, outcome) => sum + outcome.failed, outcomes.length ? 0 : 1);
for (const outcome of outcomes.filter((each) => each.failed > 0)) {
  console.log(`FAIL ${outcome.name}`);
}
process.exitCode = failed > 0 ? 1 : 0;
console.log(`${passed} passed, ${failed} failed`);
