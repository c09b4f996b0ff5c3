/**
 * Puts one clip into the vault of the folder given, and is killed by SIGKILL before the n-th change to the file system. Says on stdout how many
 * changes it made when it was not killed, and `committed` when the commit returned.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const [dataDir = '', killAt = '0', clipName = 'a'] = process.argv.slice(2);
const CHANGES = ['open', 'mkdir', 'link', 'unlink', 'rename', 'rm', 'fsync', 'fchmod'];
let changes = 0;

for (const target of [fs, fs.promises]) {
  for (const name of CHANGES) {
    const original: unknown = Reflect.get(target, name);
    if (typeof original !== 'function') continue;
    Reflect.set(target, name, (...args: unknown[]) => {
      changes += 1;
      if (changes === Number(killAt)) process.kill(process.pid, 'SIGKILL');
      return Reflect.apply(original, target, args);
    });
  }
}
syncBuiltinESMExports();

const { FsVault } = await import('../../src/adapters/fs/vault.ts');
const { clipId, putClip } = await import('./vault-contract.ts');

const vault = new FsVault({ dataDir, reserveBytes: 0 });
await vault.start();
fs.writeSync(1, `started ${changes}\n`);
await putClip(vault, clipId(clipName), ['one', 'two']);
fs.writeSync(1, `committed ${changes}\n`);
