import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { FsVault } from '../../src/adapters/fs/vault.ts';
import {
  clipId,
  DETAILS,
  NOTE,
  putClip,
  readSegment,
  throwsCode,
  vaultContract,
  writeSegment,
} from './vault-contract.ts';

const RESERVE = 4_096;
const CLIP = clipId('a');

function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), 'docket-vault-'));
}

vaultContract('FsVault', async () => {
  const dataDir = temporaryFolder();
  const vault = new FsVault({ dataDir, reserveBytes: RESERVE });
  return {
    vault,
    restart: async () => {
      const next = new FsVault({ dataDir, reserveBytes: RESERVE });
      await next.start();
      return next;
    },
    dispose: async () => {
      await vault.stop();
      rmSync(dataDir, { recursive: true });
    },
  };
});

const fsVault = suite<{ dataDir: string; vault: FsVault }>('vault on files');

fsVault.before.each(async (context) => {
  context.dataDir = temporaryFolder();
  context.vault = new FsVault({ dataDir: context.dataDir, reserveBytes: RESERVE });
  await context.vault.start();
});
fsVault.after.each(async ({ dataDir, vault }) => {
  await vault.stop();
  rmSync(dataDir, { recursive: true });
});

fsVault('nothing of a draft but its evidence is in the clip', async ({ dataDir, vault }) => {
  const draft = await vault.draft(CLIP);
  await writeSegment(draft, 0, 'one');
  await draft.putState(NOTE);
  const folder = join(dataDir, 'vault', '.drafts', CLIP);
  assert.equal(readdirSync(folder).sort(), ['0000.age', 'draft.note']);
  assert.is(modeOf(join(folder, 'draft.note')), 0o600);
  writeFileSync(join(folder, '.0000.age.0123456789abcdef.tmp'), 'left by a crash');
  await draft.leave();
  const again = await vault.reopenDraft(CLIP, 1);
  await again.putDetails(DETAILS);
  await again.commit(NOTE);
  const names = ['0000.age', 'details.age', 'manifest.note'];
  assert.equal(readdirSync(join(dataDir, 'vault', CLIP)).sort(), names);
  for (const name of names) assert.is(modeOf(join(dataDir, 'vault', CLIP, name)), 0o400);
});

fsVault('the files are where the documents say, and nobody can write them', async (context) => {
  const { dataDir, vault } = context;
  await putClip(vault, CLIP);
  await vault.putReceipt(CLIP, 'receipt\n');
  const folder = join(dataDir, 'vault', CLIP);
  const names = ['0000.age', '0001.age', 'details.age', 'manifest.note', 'receipt.note'];
  assert.equal(readdirSync(folder).sort(), names);
  for (const name of names.slice(0, 4)) assert.is(modeOf(join(folder, name)), 0o400);
  assert.is(modeOf(join(folder, 'receipt.note')), 0o600);
  assert.is(modeOf(folder), 0o700);
  assert.is(modeOf(join(dataDir, 'vault')), 0o700);
  assert.equal(readdirSync(join(dataDir, 'vault', '.drafts')), []);
});

fsVault('a segment that is being written is nobody else’s to read', async ({ dataDir, vault }) => {
  const draft = await vault.draft(CLIP);
  await draft.createSegment(0);
  assert.is(modeOf(join(dataDir, 'vault', '.drafts', CLIP, '0000.age')), 0o600);
  await draft.abandon();
});

fsVault('a name that is not a clip’s is not listed and not touched', async ({ dataDir, vault }) => {
  await putClip(vault, CLIP);
  for (const name of ['lost+found', CLIP.toUpperCase(), `${CLIP}0`, '..x']) {
    mkdirSync(join(dataDir, 'vault', name));
    mkdirSync(join(dataDir, 'vault', '.drafts', name));
  }
  assert.equal(await vault.clips(), [CLIP]);
  assert.equal(await vault.drafts(), []);
});

fsVault('a symbolic link with a clip’s name is no clip', async ({ dataDir, vault }) => {
  await putClip(vault, CLIP);
  const link = clipId('link');
  symlinkSync(join(dataDir, 'vault', CLIP), join(dataDir, 'vault', link));
  assert.equal(await vault.clips(), [CLIP]);
  assert.match(await throwsCode(() => vault.readManifest(link), 'VAULT_MISSING'), 'not a folder');
  await throwsCode(() => vault.putReceipt(link, 'x'), 'VAULT_MISSING');
  await throwsCode(() => vault.draft(link), 'VAULT_EXISTS');
});

fsVault('a file with a clip’s name is no clip', async ({ dataDir, vault }) => {
  writeFileSync(join(dataDir, 'vault', CLIP), 'x');
  assert.equal(await vault.clips(), []);
  await throwsCode(() => vault.readManifest(CLIP), 'VAULT_MISSING');
  await throwsCode(() => vault.draft(CLIP), 'VAULT_EXISTS');
});

fsVault('a link, folder or FIFO in place of a file is missing, not followed', async (context) => {
  const { dataDir, vault } = context;
  const outside = join(dataDir, 'outside');
  writeFileSync(outside, 'secret');
  await putClip(vault, CLIP);
  const folder = join(dataDir, 'vault', CLIP);
  for (const name of ['0000.age', 'manifest.note', 'details.age']) rmSync(join(folder, name));
  symlinkSync(outside, join(folder, '0000.age'));
  mkdirSync(join(folder, 'manifest.note'));
  execFileSync('mkfifo', [join(folder, 'details.age')]);
  const message = await throwsCode(() => vault.openSegment(CLIP, 0), 'VAULT_MISSING');
  assert.match(message, 'symbolic link');
  await throwsCode(() => vault.readManifest(CLIP), 'VAULT_MISSING');
  await throwsCode(() => vault.readDetails(CLIP), 'VAULT_MISSING');
});

fsVault('a receipt replaces a symbolic link and does not write through it', async (context) => {
  const { dataDir, vault } = context;
  const outside = join(dataDir, 'outside');
  writeFileSync(outside, 'kept');
  await putClip(vault, CLIP);
  symlinkSync(outside, join(dataDir, 'vault', CLIP, 'receipt.note'));
  await vault.putReceipt(CLIP, 'receipt\n');
  assert.is(readFileSync(outside, 'utf8'), 'kept');
  assert.is(await vault.readReceipt(CLIP), 'receipt\n');
});

fsVault('a link planted in a draft is not written through', async ({ dataDir, vault }) => {
  const outside = join(dataDir, 'outside');
  const draft = await vault.draft(CLIP);
  symlinkSync(outside, join(dataDir, 'vault', '.drafts', CLIP, '0000.age'));
  await throwsCode(() => draft.createSegment(0), 'VAULT_EXISTS');
  assert.not(existsSync(outside));
  await draft.abandon();
});

fsVault('removing a draft that is a link or a file leaves what it points to', async (context) => {
  const { dataDir, vault } = context;
  await putClip(vault, CLIP);
  const [link, file] = [clipId('link'), clipId('file')];
  symlinkSync(join(dataDir, 'vault', CLIP), join(dataDir, 'vault', '.drafts', link));
  writeFileSync(join(dataDir, 'vault', '.drafts', file), 'x');
  assert.equal(await vault.drafts(), [link, file].sort());
  for (const draft of await vault.drafts()) await vault.removeDraft(draft);
  assert.equal(await vault.drafts(), []);
  assert.is(await readSegment(vault, CLIP, 0), 'one');
});

fsVault('a note or details longer than they can be are not read', async ({ dataDir, vault }) => {
  await putClip(vault, CLIP);
  for (const name of ['manifest.note', 'details.age']) {
    const path = join(dataDir, 'vault', CLIP, name);
    chmodSync(path, 0o600);
    truncateSync(path, 2 ** 32);
  }
  assert.match(
    await throwsCode(() => vault.readManifest(CLIP), 'VAULT_MISSING'),
    '4294967296 bytes',
  );
  await throwsCode(() => vault.readDetails(CLIP), 'VAULT_MISSING');
});

fsVault('a note that is not UTF-8 is refused', async ({ dataDir, vault }) => {
  await putClip(vault, CLIP);
  const path = join(dataDir, 'vault', CLIP, 'manifest.note');
  chmodSync(path, 0o600);
  writeFileSync(path, Uint8Array.of(0xff));
  await throwsCode(() => vault.readManifest(CLIP), 'NOTE_INVALID');
});

fsVault('the reserve is not given to clips', async ({ dataDir }) => {
  const greedy = new FsVault({ dataDir, reserveBytes: Number.MAX_SAFE_INTEGER });
  await greedy.start();
  assert.is((await greedy.space()).freeBytes, 0);
  const message = await throwsCode(() => greedy.draft(CLIP), 'VAULT_FULL');
  assert.match(message, join(dataDir, 'vault'));
  assert.equal(await greedy.drafts(), []);
});

fsVault('a disk that fills up refuses the next segment', async ({ dataDir }) => {
  const vault = new FsVault({ dataDir, reserveBytes: 0 });
  let freeBytes = 1;
  vault.space = async () => ({ totalBytes: 2, freeBytes });
  const draft = await vault.draft(CLIP);
  await writeSegment(draft, 0, 'one');
  freeBytes = 0;
  await throwsCode(() => draft.createSegment(1), 'VAULT_FULL');
  await draft.abandon();
});

fsVault('start clears what a crash of the probe left', async ({ dataDir }) => {
  const drafts = join(dataDir, 'vault', '.drafts');
  writeFileSync(join(drafts, '.probe'), '');
  writeFileSync(join(drafts, '..probe.0123456789abcdef.tmp'), '');
  await new FsVault({ dataDir, reserveBytes: 0 }).start();
  assert.equal(readdirSync(drafts), []);
});

fsVault('a receipt clears what a crash of the one before left', async ({ dataDir, vault }) => {
  await putClip(vault, CLIP);
  const folder = join(dataDir, 'vault', CLIP);
  writeFileSync(join(folder, '.receipt.note.0123456789abcdef.tmp'), '');
  await vault.putReceipt(CLIP, 'receipt\n');
  assert.not(readdirSync(folder).some((name) => name.endsWith('.tmp')));
});

fsVault('a vault that is a link or a file is refused by its name', async () => {
  for (const plant of [
    (path: string) => symlinkSync(tmpdir(), path),
    (path: string) => writeFileSync(path, ''),
  ]) {
    const dataDir = temporaryFolder();
    plant(join(dataDir, 'vault'));
    const vault = new FsVault({ dataDir, reserveBytes: 0 });
    const message = await throwsCode(() => vault.start(), 'VAULT_UNWRITABLE');
    assert.match(message, `${join(dataDir, 'vault')} cannot be written: it is not a folder`);
    assert.ok(lstatSync(join(dataDir, 'vault')));
    rmSync(dataDir, { recursive: true });
  }
});

fsVault('a data folder below a file is refused by its name', async ({ dataDir }) => {
  writeFileSync(join(dataDir, 'file'), '');
  const vault = new FsVault({ dataDir: join(dataDir, 'file', 'data'), reserveBytes: 0 });
  const message = await throwsCode(() => vault.start(), 'VAULT_UNWRITABLE');
  assert.match(message, join(dataDir, 'file', 'data'));
  assert.match(message, 'ENOTDIR');
});

fsVault('a folder without the right to write is refused at the start', async () => {
  const dataDir = temporaryFolder();
  const vault = new FsVault({ dataDir, reserveBytes: 0 });
  await asNobody(dataDir, async () => {
    await vault.start();
    chmodSync(join(dataDir, 'vault', '.drafts'), 0o500);
    const message = await throwsCode(() => vault.start(), 'VAULT_UNWRITABLE');
    assert.match(message, join(dataDir, 'vault', '.drafts'));
    assert.match(message, 'EACCES');
    await throwsCode(() => vault.draft(CLIP), 'VAULT_UNWRITABLE');
    chmodSync(join(dataDir, 'vault', '.drafts'), 0o700);
  });
  rmSync(dataDir, { recursive: true });
});

fsVault('a commit that fails leaves a draft, which can be abandoned', async () => {
  const dataDir = temporaryFolder();
  const vault = new FsVault({ dataDir, reserveBytes: 0 });
  await asNobody(dataDir, async () => {
    await vault.start();
    const draft = await vault.draft(CLIP);
    await writeSegment(draft, 0, 'one');
    await draft.putDetails(DETAILS);
    chmodSync(join(dataDir, 'vault'), 0o500);
    await throwsCode(() => draft.commit(NOTE), 'VAULT_UNWRITABLE');
    assert.equal(await vault.clips(), []);
    await draft.abandon();
    chmodSync(join(dataDir, 'vault'), 0o700);
    await putClip(vault, CLIP);
  });
  rmSync(dataDir, { recursive: true });
});

/** Root may write anywhere, so a test of permissions runs as someone who may not. */
async function asNobody(folder: string, act: () => Promise<void>): Promise<void> {
  if (process.geteuid?.() !== 0) return act();
  const nobody = 65_534;
  chownSync(folder, nobody, nobody);
  process.seteuid?.(nobody);
  try {
    await act();
  } finally {
    process.seteuid?.(0);
  }
}

function modeOf(path: string): number {
  return statSync(path).mode & 0o777;
}

fsVault.run();
