import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { packageRoot } from '../../../src/adapters/native/package-info.ts';

export interface PrimitiveRate {
  readonly bytes: number;
  readonly seconds: number;
  /** Of the one thread that ran it. */
  readonly cpuSeconds: number;
}

interface PrimitivesAddon {
  measure(isDigest: boolean, seconds: number): PrimitiveRate;
  childrenCpuSeconds(): number;
}

const FOLDER = path.join(packageRoot, 'test/bench/primitives');
const BINARY = path.join(FOLDER, 'build/Release/primitives.node');
const SOURCES = ['primitives.c', 'binding.gyp'];

/** The headers that came with this Node, where its package has them: nothing is fetched then. */
function headerArguments(): string[] {
  const prefix = path.resolve(path.dirname(realpathSync(process.execPath)), '..');
  const header = path.join(prefix, 'include/node/node_version.h');
  if (!existsSync(header)) return [];
  const major = /^#define NODE_MAJOR_VERSION (\d+)$/m.exec(readFileSync(header, 'utf8'))?.[1];
  return major === process.versions.node.split('.')[0] ? [`--nodedir=${prefix}`] : [];
}

function isBuilt(): boolean {
  const built = statSync(BINARY, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  return SOURCES.every((name) => statSync(path.join(FOLDER, name)).mtimeMs < built);
}

export function buildPrimitives(): void {
  if (isBuilt()) return;
  const nodeGyp = path.join(packageRoot, 'node_modules/node-gyp/bin/node-gyp.js');
  const compiler = process.env.CC ?? 'cc';
  const args = [nodeGyp, 'rebuild', '--loglevel=error', ...headerArguments()];
  const { status } = spawnSync(process.execPath, args, {
    cwd: FOLDER,
    stdio: ['ignore', 2, 2],
    env: { ...process.env, CC: compiler, CXX: compiler, LINK: compiler },
  });
  if (status !== 0) throw new Error(`${FOLDER} did not compile; the reason is above`);
}

export function loadPrimitives(): PrimitivesAddon {
  return createRequire(import.meta.url)(BINARY) as PrimitivesAddon;
}
