/** What one run of a test file left behind. */
export interface FileRun {
  readonly output: string;
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly timedOut: boolean;
  readonly timeoutSeconds: number;
}

export interface Verdict {
  readonly passed: number;
  readonly failed: number;
  /** Why the file fails beside its failed tests; empty for a file that holds its promises. */
  readonly reasons: readonly string[];
}

const ANSI = /\x1b\[[0-9;]*m/g;
const SUMMARY =
  /\n {2}Total: {5}(\d+)\n {2}Passed: {4}(\d+)\n {2}Skipped: {3}(\d+)\n {2}Duration:/g;
const SUITE = /\b(?:const|let)\s+(\w+)\s*=\s*suite\b/g;

function lastIndexOf(source: string, pattern: RegExp): number {
  return [...source.matchAll(pattern)].at(-1)?.index ?? -1;
}

function checkSuite(source: string, name: string): string[] {
  const reasons: string[] = [];
  const ranAt = lastIndexOf(source, new RegExp(`^\\s*${name}\\.run\\(\\)`, 'gm'));
  const lastTestAt = lastIndexOf(source, new RegExp(`^\\s*${name}\\(`, 'gm'));
  if (ranAt < 0) reasons.push(`suite "${name}" is never .run()`);
  else if (lastTestAt > ranAt) reasons.push(`suite "${name}" has a test after .run()`);
  for (const word of ['only', 'skip']) {
    if (new RegExp(`\\b${name}\\.${word}\\b`).test(source)) reasons.push(`${name}.${word}`);
  }
  return reasons;
}

/** What uvu passes in silence and can be seen in a test file's text. */
export function checkSource(source: string): string[] {
  const names = new Set([...source.matchAll(SUITE)].map((match) => match[1] ?? ''));
  if (/import\s*\{[^}]*\btest\b[^}]*\}\s*from 'uvu'/.test(source)) names.add('test');
  return [...names].flatMap((name) => checkSuite(source, name));
}

/** `// timeout: 300` in the first ten lines. */
export function parseTimeoutSeconds(source: string): number | undefined {
  const head = source.split('\n', 10).join('\n');
  const seconds = /^\/\/ timeout: (\d{1,5})$/m.exec(head)?.[1];
  return seconds === undefined ? undefined : Number(seconds);
}

function parseSummary(output: string): { total: number; passed: number; skipped: number } {
  const match = [...output.replace(ANSI, '').matchAll(SUMMARY)].at(-1);
  const [total, passed, skipped] = match?.slice(1).map(Number) ?? [];
  return { total: total ?? 0, passed: passed ?? 0, skipped: skipped ?? 0 };
}

function checkRun(run: FileRun, total: number, skipped: number): string[] {
  const reasons: string[] = [];
  if (run.timedOut) reasons.push(`killed after ${run.timeoutSeconds} s`);
  else if (run.signal !== null) reasons.push(`ended by ${run.signal}`);
  else if (run.exitCode !== 0) reasons.push(`exit code ${run.exitCode}`);
  if (total === 0) reasons.push('no test ran');
  if (skipped > 0) reasons.push(`${skipped} skipped`);
  return reasons;
}

/** uvu exits 0 for a throwing hook, a suite that never runs and a stray `.only`: all of them fail here. */
export function judge(source: string, run: FileRun): Verdict {
  const { total, passed, skipped } = parseSummary(run.output);
  const failedTests = Math.max(0, total - passed);
  const reasons = [...checkSource(source), ...checkRun(run, total, skipped)];
  const explained = failedTests > 0 && reasons.length === 1 && reasons[0] === 'exit code 1';
  if (explained) return { passed, failed: failedTests, reasons: [] };
  if (failedTests > 0 && run.exitCode === 0) reasons.push('a hook threw, and uvu exited 0');
  return { passed, failed: failedTests > 0 ? failedTests : Math.min(1, reasons.length), reasons };
}
