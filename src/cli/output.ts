import { DockError } from '../core/errors.ts';

/** One line for what failed, one for what to do. A defect shows its stack: somebody must see it. */
export function reportFailure(error: unknown): void {
  if (!(error instanceof DockError)) {
    process.stderr.write(`docket: ${error instanceof Error ? error.stack : String(error)}\n`);
    return;
  }
  process.stderr.write(`docket: ${error.code}: ${error.message}\n`);
  if (error.action !== undefined) process.stderr.write(`  ${error.action}\n`);
}

export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

export function printLine(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** A table for people: columns as wide as their widest cell. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) {
      widths[column] = Math.max(widths[column] ?? 0, cell.length);
    }
  }
  const lines = rows.map((row) => row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  '));
  return lines.map((line) => `${line.trimEnd()}\n`).join('');
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

export function formatBytes(sizeBytes: number): string {
  let size = sizeBytes;
  let unit = 0;
  while (size >= 1024 && unit < UNITS.length - 1) {
    size /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? size : size.toFixed(1)} ${UNITS[unit]}`;
}

/** What is wrong, by name, on standard error; the exit status says so too. */
export function reportFindings(
  findings: readonly { readonly name: string; readonly problem: string }[],
): void {
  for (const { name, problem } of findings) {
    process.stderr.write(`docket: finding: ${name}: ${problem}\n`);
  }
  if (findings.length > 0) process.exitCode = 1;
}
