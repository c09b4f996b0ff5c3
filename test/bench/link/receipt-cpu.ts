import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runScene } from '../ingest/ingest.ts';
import { Rounds } from '../measure/rounds.ts';
import { pairedRatio, type Row, type Sample } from '../measure/sample.ts';
import { writeRandomFile } from '../seal/source.ts';
import type { Workshop } from '../seal/workshop.ts';
import { type LineTools, launch } from './tools.ts';
import { appeared } from './transfer.ts';

const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
const PROGRAM = fileURLToPath(new URL(`./reader-process.${extension}`, import.meta.url));
const DOCK = 'wire to receipt';
const READER = "serialport's data events alone";

async function readWithSerialport(tools: LineTools, clip: string, bytes: number): Promise<Sample> {
  const folder = mkdtempSync(join(clip, '..', 'reader-'));
  const line = join(folder, 'line');
  // What was sent before serialport opened the line is thrown away by it.
  const script = 'while [ ! -e go ]; do sleep 0.01; done; exec cat "$1"';
  const argv = ['sh', '-c', script, 'sh', clip];
  const sender = launch(tools.launch, { end: `new:${line}`, argv, cwd: folder });
  try {
    await appeared(line);
    const reader = fork(PROGRAM, [line, String(bytes)]);
    await once(reader, 'message');
    writeFileSync(join(folder, 'go'), '');
    const [sample] = (await once(reader, 'message')) as [Sample];
    await once(reader, 'exit');
    return sample;
  } finally {
    await sender.stop();
    rmSync(folder, { recursive: true });
  }
}

export interface ReceiptCpu {
  readonly rows: readonly Row[];
  /** Processor time of a whole dock, with sealing, fsync and read-back, as a share of the reader's that only counts the bytes. */
  readonly ratio: number;
}

export async function measureReceiptCpu(
  workshop: Workshop,
  tools: LineTools,
  plan: { readonly bytes: number; readonly rounds: number },
): Promise<ReceiptCpu> {
  const { bytes, rounds } = plan;
  const clip = join(workshop.memory, 'receipt.mp4');
  writeRandomFile(clip, bytes);
  const all = new Rounds();
  await all.run(
    [
      { name: DOCK, run: () => runScene(workshop, clip, { bays: 1, bytes, watch: false }) },
      { name: READER, run: () => readWithSerialport(tools, clip, bytes) },
    ],
    rounds,
  );
  rmSync(clip);
  return { rows: all.rows, ratio: pairedRatio(all.cpuRates(READER), all.cpuRates(DOCK)) };
}
