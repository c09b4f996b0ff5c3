import type { Row } from './sample.ts';

const MIB = 1024 * 1024;
const HEAD = [
  '',
  'MiB',
  'seconds',
  'MB/s',
  'CPU s',
  'CPU s/GB',
  'peak MiB',
  'loop p99 ms',
  'main ms/MiB',
  'least bay',
  'link',
  'seal',
  'disk',
  'read-back',
];

function optional(value: number | undefined, digits: number): string {
  return value === undefined ? '' : value.toFixed(digits);
}

function percent(share: number | undefined): string {
  return share === undefined ? '' : `${(share * 100).toFixed(0)} %`;
}

function cellsOf(row: Row): string[] {
  const { bytes, seconds, cpuSeconds, peakMiB } = row;
  return [
    row.name,
    String(Math.round(bytes / MIB)),
    seconds.toFixed(3),
    (bytes / seconds / 1e6).toFixed(0),
    cpuSeconds.toFixed(3),
    ((cpuSeconds / bytes) * 1e9).toFixed(2),
    peakMiB === 0 ? '' : peakMiB.toFixed(0),
    optional(row.eventLoopP99Ms, 1),
    optional(row.mainThreadMsPerMiB, 3),
    percent(row.smallestShare),
    percent(row.linkShare),
    percent(row.sealShare),
    percent(row.diskShare),
    percent(row.readBackShare),
  ];
}

/** Markdown, aligned for a terminal too. */
export function formatTable(head: readonly string[], body: readonly (readonly string[])[]): string {
  const lines = [head, ...body];
  const widths = head.map((_, at) => Math.max(...lines.map((line) => line[at]?.length ?? 0), 3));
  const format = (cells: readonly string[]) => {
    const padded = cells.map((cell, at) =>
      at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0),
    );
    return `| ${padded.join(' | ')} |`;
  };
  const rule = widths.map((width, at) =>
    at === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`,
  );
  return [format(head), format(rule), ...body.map(format)].join('\n');
}

/** Only the columns that some row fills. */
export function formatRows(rows: readonly Row[]): string {
  const body = rows.map(cellsOf);
  const kept = HEAD.map((_, at) => at).filter((at) => body.some((cells) => cells[at] !== ''));
  const pick = (cells: readonly string[]) => kept.map((at) => cells[at] ?? '');
  return formatTable(pick(HEAD), body.map(pick));
}

/** `64M`, `1G`, `4096` in bytes. */
export function parseSize(text: string): number {
  const [, digits, unit = ''] = /^(\d{1,6})([KMG]?)$/.exec(text) ?? [];
  if (digits === undefined || Number(digits) === 0) throw new Error(`not a size: ${text}`);
  return Number(digits) * { '': 1, K: 1024, M: MIB, G: 1024 * MIB }[unit as '' | 'K' | 'M' | 'G'];
}

/** `0,1e-6,115200` as numbers that are not negative. */
export function parseNumbers(text: string): number[] {
  return text.split(',').map((part) => {
    const value = part === '' ? Number.NaN : Number(part);
    if (!Number.isFinite(value) || value < 0) throw new Error(`not a number: ${part}`);
    return value;
  });
}
