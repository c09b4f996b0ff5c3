import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { FsVault } from '../../src/adapters/fs/vault.ts';
import { clipId, DETAILS, NOTE, putClip, readSegment } from './vault-contract.ts';

const crash = suite<{ dataDir: string }>('vault and the end of its process');

crash.before.each(async (context) => {
  context.dataDir = mkdtempSync(join(tmpdir(), 'docket-vault-'));
});
crash.after.each(async ({ dataDir }) => {
  rmSync(dataDir, { recursive: true });
});

function child(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}

/** Runs the child until it is killed before its `killAt`-th change. */
function run(dataDir: string, killAt: number) {
  const args = ['--import', 'tsx', child('vault-crash-child.ts'), dataDir, String(killAt)];
  const result = spawnSync(process.execPath, args, { encoding: 'utf8' });
  assert.is(result.signal, killAt === 0 ? null : 'SIGKILL', result.stderr);
  const count = (word: string) => Number(new RegExp(`${word} (\\d+)`).exec(result.stdout)?.[1]);
  return { started: count('started'), committed: count('committed') };
}

crash(
  'SIGKILL before any change of a draft or commit leaves it whole or a draft',
  async (context) => {
    const clip = clipId('a');
    const { started, committed } = run(join(context.dataDir, 'whole'), 0);
    assert.ok(committed > started + 10, 'the changes are counted');
    const seen = { none: 0, draft: 0, clip: 0 };
    for (let killAt = started + 1; killAt <= committed; killAt++) {
      const dataDir = join(context.dataDir, String(killAt));
      run(dataDir, killAt);
      const vault = new FsVault({ dataDir, reserveBytes: 0 });
      await vault.start();
      const [clips, drafts] = [await vault.clips(), await vault.drafts()];
      assert.ok(clips.length + drafts.length <= 1, `change ${killAt}`);
      seen[clips.length === 1 ? 'clip' : drafts.length === 1 ? 'draft' : 'none'] += 1;
      for (const draft of drafts) await vault.removeDraft(draft);
      if (clips.length === 0) await putClip(vault, clip);
      await isWhole(vault, dataDir);
    }
    assert.ok(seen.none > 0 && seen.draft > 0 && seen.clip > 0, JSON.stringify(seen));
  },
);

async function isWhole(vault: FsVault, dataDir: string): Promise<void> {
  const clip = clipId('a');
  assert.equal(await vault.clips(), [clip]);
  assert.equal(await vault.drafts(), []);
  const names = ['0000.age', '0001.age', 'details.age', 'manifest.note'];
  assert.equal(readdirSync(join(dataDir, 'vault', clip)).sort(), names);
  assert.is(await vault.readManifest(clip), NOTE);
  assert.equal(await vault.readDetails(clip), DETAILS);
  assert.is(await readSegment(vault, clip, 0), 'one');
  assert.is(await readSegment(vault, clip, 1), 'two');
}

crash(
  'a disk that takes no more bytes refuses, keeps what it has and serves again',
  async (context) => {
    const script = 'ulimit -f 8 && exec "$0" --import tsx "$1" "$2"';
    const args = ['-c', script, process.execPath, child('vault-full-child.ts'), context.dataDir];
    const env = { ...process.env, TSX_DISABLE_CACHE: '1' };
    const { stdout, stderr } = spawnSync('sh', args, { encoding: 'utf8', env });
    assert.ok(stdout !== '', stderr);
    const { results, left } = JSON.parse(stdout);
    assert.equal(results, [
      'done',
      'VAULT_FULL',
      'done',
      'VAULT_FULL',
      'done',
      'done',
      'done',
      'done',
      'VAULT_FULL',
      'done',
    ]);
    assert.equal(left, []);
  },
);

crash.run();
