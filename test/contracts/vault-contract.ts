import { createHash } from 'node:crypto';
import { fstatSync, fsyncSync, readFileSync, writeSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type ErrorCode, isDockError } from '../../src/core/errors.ts';
import { type ClipId, parseClipId } from '../../src/core/evidence/clip.ts';
import type { ClipDraft, Vault } from '../../src/ports/vault.ts';

export interface VaultUnderTest {
  readonly vault: Vault;
  /** The same disk, as the next process finds it, started. */
  restart(): Promise<Vault>;
  dispose(): Promise<void>;
}

export const NOTE = 'docket/manifest/v1\n\n\u2014 site/dock/manifest c2lnbmF0dXJl\n';
export const DETAILS = Uint8Array.of(97, 103, 101, 0, 255);

export function clipId(name: string): ClipId {
  const clip = parseClipId(createHash('sha256').update(name).digest('hex').slice(0, 32));
  assert.ok(clip);
  return clip;
}

export async function throwsCode(act: () => Promise<unknown>, code: ErrorCode): Promise<string> {
  let result: unknown;
  try {
    result = await act();
  } catch (error) {
    assert.ok(isDockError(error, code), `expected ${code}, got ${String(error)}`);
    return error.message;
  }
  throw new Error(`expected ${code}, got ${String(result)}`);
}

/** As the sealer does: written through the descriptor and fsynced there. */
export async function writeSegment(draft: ClipDraft, index: number, text: string): Promise<void> {
  const file = await draft.createSegment(index);
  assert.is(file.index, index);
  if (text !== '') writeSync(file.fd, text);
  fsyncSync(file.fd);
  await draft.closeSegment(file);
}

export async function putClip(vault: Vault, clip: ClipId, segments = ['one', 'two']) {
  const draft = await vault.draft(clip);
  for (const [index, text] of segments.entries()) await writeSegment(draft, index, text);
  await draft.putDetails(DETAILS);
  await draft.commit(NOTE);
}

export async function readSegment(vault: Vault, clip: ClipId, index: number): Promise<string> {
  const file = await vault.openSegment(clip, index);
  try {
    return readFileSync(file.fd, 'utf8');
  } finally {
    await vault.closeSegment(file);
  }
}

/** What every vault promises, whatever it is made of. */
export function vaultContract(name: string, make: () => Promise<VaultUnderTest>): void {
  const contract = suite<{ under: VaultUnderTest; vault: Vault }>(`vault contract: ${name}`);

  contract.before.each(async (context) => {
    context.under = await make();
    context.vault = context.under.vault;
    await context.vault.start();
  });
  contract.after.each(async ({ under }) => under.dispose());

  contract('a new vault is empty and has room', async ({ vault }) => {
    assert.equal(await vault.clips(), []);
    assert.equal(await vault.drafts(), []);
    const { totalBytes, freeBytes } = await vault.space();
    assert.ok(freeBytes > 0 && freeBytes <= totalBytes);
  });

  contract('a draft is not evidence until it is committed', async ({ vault }) => {
    const clip = clipId('a');
    const draft = await vault.draft(clip);
    assert.is(draft.clip, clip);
    await writeSegment(draft, 0, 'one');
    await draft.putDetails(DETAILS);
    assert.equal(await vault.clips(), []);
    await throwsCode(() => vault.readManifest(clip), 'VAULT_MISSING');
    await draft.commit(NOTE);
    assert.equal(await vault.clips(), [clip]);
    assert.equal(await vault.drafts(), []);
  });

  contract('a committed clip is read back as it was written', async ({ under, vault }) => {
    const clip = clipId('a');
    await putClip(vault, clip, ['one', '', 'three']);
    for (const reader of [vault, await under.restart()]) {
      assert.is(await reader.readManifest(clip), NOTE);
      assert.equal(await reader.readDetails(clip), DETAILS);
      assert.is(await readSegment(reader, clip, 0), 'one');
      assert.is(await readSegment(reader, clip, 1), '');
      assert.is(await readSegment(reader, clip, 2), 'three');
      await throwsCode(() => reader.openSegment(clip, 3), 'VAULT_MISSING');
    }
  });

  contract('a segment can be read back before the commit', async ({ vault }) => {
    const draft = await vault.draft(clipId('a'));
    await writeSegment(draft, 0, 'one');
    const file = await draft.reopenSegment(0);
    assert.is(file.index, 0);
    assert.is(readFileSync(file.fd, 'utf8'), 'one');
    await draft.closeSegment(file);
    await throwsCode(() => draft.reopenSegment(1), 'VAULT_MISSING');
    await draft.abandon();
  });

  contract('evidence cannot be written through what the vault opens', async ({ vault }) => {
    const clip = clipId('a');
    await putClip(vault, clip);
    const file = await vault.openSegment(clip, 0);
    assert.throws(() => writeSync(file.fd, 'x'));
    assert.ok(fstatSync(file.fd).isFile());
    await vault.closeSegment(file);
  });

  contract('nothing is ever written over', async ({ vault }) => {
    const clip = clipId('a');
    const draft = await vault.draft(clip);
    await writeSegment(draft, 0, 'one');
    await throwsCode(() => draft.createSegment(0), 'VAULT_EXISTS');
    await draft.putDetails(DETAILS);
    await throwsCode(() => draft.putDetails(DETAILS), 'VAULT_EXISTS');
    await throwsCode(() => vault.draft(clip), 'VAULT_EXISTS');
    await draft.commit(NOTE);
    await throwsCode(() => vault.draft(clip), 'VAULT_EXISTS');
    assert.is(await readSegment(vault, clip, 0), 'one');
  });

  contract('an abandoned draft leaves nothing and may come again', async ({ vault }) => {
    const clip = clipId('a');
    const draft = await vault.draft(clip);
    await writeSegment(draft, 0, 'one');
    await draft.createSegment(1);
    await draft.abandon();
    await draft.abandon();
    assert.equal(await vault.drafts(), []);
    await putClip(vault, clip);
    assert.equal(await vault.clips(), [clip]);
  });

  contract('abandoning after the commit takes nothing away', async ({ vault }) => {
    const clip = clipId('a');
    const draft = await vault.draft(clip);
    await writeSegment(draft, 0, 'one');
    await draft.putDetails(DETAILS);
    await draft.commit(NOTE);
    await draft.abandon();
    assert.is(await readSegment(vault, clip, 0), 'one');
  });

  contract('a draft without its details is not committed', async ({ vault }) => {
    const draft = await vault.draft(clipId('a'));
    await writeSegment(draft, 0, 'one');
    await throwsCode(() => draft.commit(NOTE), 'VAULT_MISSING');
    assert.equal(await vault.clips(), []);
    await draft.abandon();
  });

  contract('a draft in use is no leftover, the next start finds it', async ({ under, vault }) => {
    const clip = clipId('a');
    await writeSegment(await vault.draft(clip), 0, 'one');
    assert.equal(await vault.drafts(), []);
    const next = await under.restart();
    assert.equal(await next.drafts(), [clip]);
    assert.equal(await next.clips(), []);
    await next.removeDraft(clip);
    await next.removeDraft(clip);
    assert.equal(await next.drafts(), []);
    await putClip(next, clip);
  });

  contract('a draft that was left goes on with its first segments', async ({ under, vault }) => {
    const clip = clipId('a');
    const draft = await vault.draft(clip);
    await writeSegment(draft, 0, 'one');
    await draft.putState(NOTE);
    await writeSegment(draft, 1, 'two');
    await draft.putState('second\n');
    await draft.createSegment(2);
    await draft.putDetails(DETAILS);
    await draft.leave();
    for (const next of [vault, await under.restart()]) {
      assert.equal(await next.drafts(), [clip]);
      assert.is(await next.readDraftState(clip), 'second\n');
      const again = await next.reopenDraft(clip, 1);
      assert.equal(await next.drafts(), []);
      const file = await again.reopenSegment(0);
      assert.is(readFileSync(file.fd, 'utf8'), 'one');
      await again.closeSegment(file);
      await throwsCode(() => again.reopenSegment(1), 'VAULT_MISSING');
      await writeSegment(again, 1, 'other');
      await again.leave();
    }
    const last = await vault.reopenDraft(clip, 2);
    await writeSegment(last, 2, 'three');
    await last.putDetails(DETAILS);
    await last.commit(NOTE);
    assert.is(await readSegment(vault, clip, 1), 'other');
    assert.is(await readSegment(vault, clip, 2), 'three');
  });

  contract('a draft that said nothing has no state, and no draft is none', async ({ vault }) => {
    const clip = clipId('a');
    assert.is(await vault.readDraftState(clip), undefined);
    await throwsCode(() => vault.reopenDraft(clip, 1), 'VAULT_MISSING');
    const draft = await vault.draft(clip);
    assert.is(await vault.readDraftState(clip), undefined);
    await draft.leave();
    await draft.leave();
    await vault.removeDraft(clip);
  });

  contract('removing a draft never touches the clip of that name', async ({ vault }) => {
    const clip = clipId('a');
    await putClip(vault, clip);
    await vault.removeDraft(clip);
    assert.is(await readSegment(vault, clip, 1), 'two');
  });

  contract('several drafts live side by side', async ({ vault }) => {
    const clips = ['a', 'b', 'c', 'd'].map(clipId);
    await Promise.all(clips.map((clip) => putClip(vault, clip, [clip])));
    assert.equal(await vault.clips(), [...clips].sort());
    for (const clip of clips) assert.is(await readSegment(vault, clip, 0), clip);
  });

  contract('a receipt is kept beside the clip and may be replaced', async ({ under, vault }) => {
    const clip = clipId('a');
    await throwsCode(() => vault.putReceipt(clip, 'x'), 'VAULT_MISSING');
    await putClip(vault, clip);
    assert.is(await vault.readReceipt(clip), undefined);
    await vault.putReceipt(clip, 'first\n');
    await vault.putReceipt(clip, 'second\n');
    assert.is(await vault.readReceipt(clip), 'second\n');
    assert.is(await (await under.restart()).readReceipt(clip), 'second\n');
  });

  contract('a clip that is not there is missing, not empty', async ({ vault }) => {
    const clip = clipId('none');
    await throwsCode(() => vault.readManifest(clip), 'VAULT_MISSING');
    await throwsCode(() => vault.readDetails(clip), 'VAULT_MISSING');
    await throwsCode(() => vault.readReceipt(clip), 'VAULT_MISSING');
    await throwsCode(() => vault.openSegment(clip, 0), 'VAULT_MISSING');
  });

  contract('a clip that is disposed of is gone for good, and the others stay', async (context) => {
    const { under, vault } = context;
    const [gone, kept] = [clipId('a'), clipId('b')];
    for (const clip of [gone, kept]) await putClip(vault, clip);
    await vault.putReceipt(gone, 'receipt\n');
    const reader = await vault.openSegment(gone, 0);
    await vault.disposeClip(gone);
    assert.not.match(readFileSync(reader.fd, 'utf8'), /one/, 'nobody reads on');
    await vault.closeSegment(reader);
    await vault.disposeClip(gone);
    await vault.disposeClip(clipId('never'));
    for (const each of [vault, await under.restart()]) {
      assert.equal(await each.clips(), [kept]);
      await throwsCode(() => each.openSegment(gone, 0), 'VAULT_MISSING');
      assert.is(await readSegment(each, kept, 0), 'one');
    }
  });

  contract('stopping closes what is still open', async ({ vault }) => {
    const clip = clipId('a');
    await putClip(vault, clip);
    const file = await vault.openSegment(clip, 0);
    await vault.stop();
    assert.throws(() => fstatSync(file.fd));
  });

  contract.run();
}
