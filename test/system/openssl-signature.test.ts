import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { NaclSigner, sha256 } from '../../src/adapters/nacl/ed25519.ts';
import { signNote } from '../../src/core/custody/note.ts';

const openssl = suite('a signature of ours, by openssl');
const folder = mkdtempSync(join(tmpdir(), 'docket-openssl-'));
openssl.after(() => rmSync(folder, { recursive: true, force: true }));

const signer = new NaclSigner('depot/dock-1/manifest', new Uint8Array(32).fill(3));
const path = (name: string): string => join(folder, name);

/** Takes a note apart with nothing but its grammar: text, empty line, dash, name, base64 of four bytes and the signature. */
function writeParts(note: string): void {
  const split = note.lastIndexOf('\n\n');
  const encoded =
    note
      .slice(split + 2)
      .trimEnd()
      .split(' ')
      .at(-1) ?? '';
  writeFileSync(path('text'), note.slice(0, split + 1));
  writeFileSync(path('signature'), Buffer.from(encoded, 'base64').subarray(4));
  const spki = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), signer.publicKey]);
  writeFileSync(
    path('key.pem'),
    `-----BEGIN PUBLIC KEY-----\n${spki.toString('base64')}\n-----END PUBLIC KEY-----\n`,
  );
}

function verify(): { readonly ok: boolean; readonly said: string } {
  const args = ['pkeyutl', '-verify', '-pubin', '-inkey', path('key.pem'), '-rawin'];
  const files = ['-in', path('text'), '-sigfile', path('signature')];
  const ended = spawnSync('openssl', [...args, ...files], { encoding: 'utf8' });
  return { ok: ended.status === 0, said: `${ended.stdout}${ended.stderr}${ended.error ?? ''}` };
}

openssl('holds, and not over another text', () => {
  writeParts(signNote('docket/manifest/v1\ndock depot/dock-1\n', signer, sha256));
  const right = verify();
  assert.ok(right.ok, right.said);
  assert.match(right.said, /Signature Verified Successfully/);
  writeFileSync(path('text'), readFileSync(path('text'), 'utf8').replace('dock-1', 'dock-2'));
  assert.not.ok(verify().ok);
});

openssl.run();
