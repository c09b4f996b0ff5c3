import type { Command } from 'commander';
import { type ClipView, viewOf } from './clip-view.ts';
import { formatBytes, formatTable, printJson, printLine, reportFindings } from './output.ts';
import { type DockData, listClips, readData } from './read-data.ts';

export function addListCommand(program: Command): void {
  program
    .command('list')
    .description('List the clips of a dock, their holds and due dates, and the space left.')
    .requiredOption('--data <dir>', "the dock's data folder, or a copy of it")
    .option('--policy <file>', 'the logs that you believe (verify-policy.txt)')
    .option('--json', 'print JSON')
    .action(async (options: { data: string; policy?: string; json?: boolean }) => {
      const data = await readData(options);
      const listed = await listClips(data);
      const clips = listed.map((clip) => viewOf(clip, data.custody.state.retentionDays));
      if (options.json) printJson({ clips });
      else await printClips(data, clips);
      reportFindings(data.custody.findings);
    });
}

async function printClips(data: DockData, clips: readonly ClipView[]): Promise<void> {
  const rows = clips.map((clip) => [
    clip.id,
    clip.camera ?? '?',
    String(clip.counter ?? '?'),
    clip.capturedAt?.slice(0, 16).replace('T', ' ') ?? '?',
    formatBytes(clip.sizeBytes),
    clip.state,
    clip.held ? 'held' : (clip.dueAt?.slice(0, 10) ?? '?'),
  ]);
  const head = ['CLIP', 'CAMERA', 'NO', 'CAPTURED (UTC)', 'SIZE', 'STATE', 'DUE'];
  if (clips.length > 0) process.stdout.write(formatTable([head, ...rows]));
  const space = await data.vault.space();
  const { counts } = data.custody.state;
  printLine(
    `${clips.length} clips, ${counts.held} held, ${counts.quarantined} in quarantine; ${formatBytes(space.freeBytes)} free`,
  );
}
