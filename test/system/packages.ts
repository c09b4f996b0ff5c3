import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** The Debian packages that test/system needs, one a line in packages.txt. */
export function readPackages(): string[] {
  const text = readFileSync(new URL('packages.txt', import.meta.url), 'utf8');
  return text.split('\n').filter((line) => line !== '');
}

function isInstalled(name: string): boolean {
  const query = spawnSync('dpkg', ['-s', name], { encoding: 'utf8' });
  return query.status === 0 && query.stdout.includes('Status: install ok installed');
}

function aptGet(...args: string[]): boolean {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const options = { stdio: ['ignore', 'inherit', 'inherit'] as const, env };
  return spawnSync('apt-get', args, { ...options, stdio: [...options.stdio] }).status === 0;
}

/** Installs what is missing when it may; otherwise says what to do, and the tests that need it fail. */
export function installPackages(): void {
  const missing = readPackages().filter((name) => !isInstalled(name));
  if (missing.length === 0) return;
  const command = `apt-get install -y --no-install-recommends ${missing.join(' ')}`;
  if (process.getuid?.() !== 0) {
    console.error(`missing Debian packages; run as root: ${command}`);
    return;
  }
  const isDone = aptGet('update', '-q') && aptGet(...command.split(' ').slice(1));
  if (!isDone) console.error(`could not install; run by hand: ${command}`);
}
