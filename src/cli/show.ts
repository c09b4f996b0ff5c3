import type { Command } from 'commander';
import { DockError } from '../core/errors.ts';
import { viewOf } from './clip-view.ts';
import { formatTable, printJson, reportFindings } from './output.ts';
import { type DockData, type ListedClip, listClips, readData } from './read-data.ts';

export function addShowCommand(program: Command): void {
  program
    .command('show')
    .description('Show what the dock knows about one clip. Names stay sealed: see docket open.')
    .argument('<clip>', "the clip's id, or the beginning of it")
    .requiredOption('--data <dir>', "the dock's data folder, or a copy of it")
    .option('--policy <file>', 'the logs that you believe (verify-policy.txt)')
    .option('--json', 'print JSON')
    .action(async (clip: string, options: { data: string; policy?: string; json?: boolean }) => {
      const data = await readData(options);
      const found = await findClip(data, clip);
      const view = viewOf(found, data.custody.state.retentionDays);
      const more = describe(found);
      if (options.json) printJson({ ...view, ...more });
      else process.stdout.write(formatTable(rowsOf({ ...view, ...more })));
      reportFindings(data.custody.findings);
    });
}

/** CLIP_NOT_FOUND unless exactly one clip begins with the text. */
export async function findClip(data: DockData, text: string): Promise<ListedClip> {
  const found = (await listClips(data)).filter(({ status }) => status.clip.startsWith(text));
  const [first] = found;
  if (first !== undefined && found.length === 1) return first;
  const problem = found.length === 0 ? 'no clip begins' : `${found.length} clips begin`;
  throw new DockError('CLIP_NOT_FOUND', `${problem} with ${JSON.stringify(text)}`, {
    action: `See docket list --data ${data.dataDir}`,
  });
}

function describe({ status, manifest }: ListedClip): Readonly<Record<string, unknown>> {
  return {
    entry: status.entryIndex,
    vaultedAt: new Date(status.vaultedAtMs).toISOString(),
    releasedAt:
      status.releasedAtMs === undefined ? null : new Date(status.releasedAtMs).toISOString(),
    incident: status.incident,
    commitment: status.commitment,
    ...(manifest === undefined
      ? {}
      : {
          cameraAuth: manifest.cameraKey === undefined ? 'none' : 'ed25519',
          clockQuality: manifest.clockQuality,
          cameraClockOffsetMs: manifest.cameraClockOffsetMs ?? null,
          trigger: manifest.trigger,
          bay: manifest.bay,
          ingestedAt: new Date(manifest.ingestedAtMs).toISOString(),
          recipients: manifest.recipientCount,
          software: manifest.software,
        }),
  };
}

function rowsOf(values: Readonly<Record<string, unknown>>): string[][] {
  return Object.entries(values).flatMap(([key, value]) =>
    Array.isArray(value)
      ? value.map((item, index) => [index === 0 ? key : '', String(item)])
      : [[key, String(value)]],
  );
}
