import { constants } from 'node:fs';
import { type FileHandle, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Command } from 'commander';
import { ageHeaderOpener } from '../adapters/nacl/age-file.ts';
import { parseIdentityFile } from '../adapters/nacl/age-keys.ts';
import { loadNative } from '../adapters/native/loader.ts';
import { NativeOpener } from '../adapters/native/native-opener.ts';
import { type OpenedClip, openClip } from '../app/open-clip.ts';
import { DockError } from '../core/errors.ts';
import { parseClipId } from '../core/evidence/clip.ts';
import { escapeForTerminal } from '../core/evidence/details.ts';
import { printJson, printLine, reportFindings } from './output.ts';
import { crypto, type DockData, readData } from './read-data.ts';
import { findClip } from './show.ts';

interface OpenOptions {
  readonly data: string;
  readonly identity: string;
  readonly out: string;
  readonly policy?: string;
  readonly json?: boolean;
}

export function addOpenCommand(program: Command): void {
  program
    .command('open')
    .description('Open a clip at the council, and check its digest, signature and custody proof.')
    .argument('<clip>', "the clip's id, or the beginning of it")
    .requiredOption('--data <dir>', "the dock's data folder, or a copy of it")
    .requiredOption('--identity <file>', 'an identity of a recipient (evidence.identity.txt)')
    .requiredOption('--out <file>', 'where the clip goes; must not exist')
    .option('--policy <file>', 'the logs that you believe (else verify-policy.txt by the identity)')
    .option('--json', 'print the report as JSON')
    .action(async (clip: string, options: OpenOptions) => {
      const data = await readData(options);
      const opened = await openInto(data, clip, options);
      const isGood = opened.findings.length === 0;
      if (options.json) printJson(reportOf(opened, options.out));
      else printReport(data, opened, options.out);
      reportFindings(opened.findings);
      if (!isGood) process.exitCode = 1;
    });
}

/** The clip appears under its name only when nothing is wrong with it. */
async function openInto(data: DockData, text: string, options: OpenOptions): Promise<OpenedClip> {
  const clip = parseClipId(text) ?? (await findClip(data, text)).status.clip;
  const identities = parseIdentityFile(await readFile(options.identity, 'utf8'));
  const opener = new NativeOpener({
    native: loadNative(),
    openHeader: ageHeaderOpener(identities),
  });
  const path = resolve(options.out);
  await refuseExisting(path);
  const temporary = join(dirname(path), `.${clip}.${process.pid}.tmp`);
  const output = await create(temporary);
  try {
    const { vault, custody } = data;
    const opened = await openClip({ vault, opener, crypto, custody }, clip, output.fd);
    await output.sync();
    if (opened.findings.length === 0) await rename(temporary, path);
    return opened;
  } finally {
    await output.close();
    await rm(temporary, { force: true });
  }
}

async function refuseExisting(path: string): Promise<void> {
  try {
    await (await open(path, constants.O_RDONLY)).close();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  throw new DockError('ARGUMENT_INVALID', `${path} is already there`, {
    action: 'Give --out a name that is free; evidence is never written over.',
  });
}

async function create(path: string): Promise<FileHandle> {
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  try {
    return await open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  } catch (error) {
    throw new DockError('ARGUMENT_INVALID', `${dirname(path)} cannot be written`, {
      cause: error,
      action: 'Give --out a folder that you may write to.',
    });
  }
}

function reportOf({ findings, checked, manifest, details, sha256 }: OpenedClip, out: string) {
  const isGood = findings.length === 0;
  return {
    clip: manifest?.clip ?? null,
    out: isGood ? resolve(out) : null,
    sha256: sha256 ?? null,
    camera: manifest?.camera ?? null,
    name: details?.name ?? null,
    wearer: details?.wearer ?? null,
    checked,
    findings,
  };
}

function printReport(data: DockData, opened: OpenedClip, out: string): void {
  const { details, manifest, checked, findings } = opened;
  for (const sentence of checked) printLine(`ok    ${sentence}`);
  printLine(`ok    the log's key is that of ${data.keySource}`);
  if (findings.length > 0) {
    printLine(`${findings.length} findings: nothing was written to ${out}`);
    return;
  }
  if (details !== undefined && manifest !== undefined) {
    printLine(
      `clip  ${escapeForTerminal(details.name)}, camera ${manifest.camera}, ${manifest.counter}`,
    );
    if (details.wearer !== '') printLine(`worn by ${escapeForTerminal(details.wearer)}`);
  }
  printLine(`out   ${resolve(out)}`);
}
