import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { FakeVault } from '../fakes/fake-vault.ts';
import { PowerCut } from '../fakes/power.ts';
import { clipId, putClip, throwsCode, vaultContract } from './vault-contract.ts';

vaultContract('FakeVault', async () => {
  const vault = new FakeVault();
  return {
    vault,
    restart: async () => {
      const next = vault.restart();
      await next.start();
      return next;
    },
    dispose: async () => vault.dispose(),
  };
});

const faults = suite('fake vault faults');

faults('a full vault refuses drafts and segments', async () => {
  const vault = new FakeVault();
  const draft = await vault.draft(clipId('a'));
  vault.faults.full = true;
  await throwsCode(() => vault.draft(clipId('b')), 'VAULT_FULL');
  await throwsCode(() => draft.createSegment(0), 'VAULT_FULL');
  assert.is((await vault.space()).freeBytes, 0);
  vault.dispose();
});

faults('an unwritable vault refuses every change', async () => {
  const vault = new FakeVault();
  vault.faults.unwritable = true;
  await throwsCode(() => vault.start(), 'VAULT_UNWRITABLE');
  await throwsCode(() => vault.draft(clipId('a')), 'VAULT_UNWRITABLE');
  vault.dispose();
});

faults('a power cut after any effect leaves the clip whole or a draft', async () => {
  const whole = new FakeVault();
  await putClip(whole, clipId('a'));
  const total = whole.effects;
  whole.dispose();
  const seen = new Set<string>();
  for (let effects = 1; effects <= total; effects++) {
    const vault = new FakeVault();
    vault.faults.effectsUntilCrash = effects;
    const error = await putClip(vault, clipId('a')).catch((thrown: unknown) => thrown);
    assert.instance(error, PowerCut);
    assert.instance(await vault.clips().catch((thrown: unknown) => thrown), PowerCut);
    const next = vault.restart();
    const [clips, drafts] = [await next.clips(), await next.drafts()];
    assert.ok(clips.length + drafts.length <= 1);
    if (clips.length === 1) await next.readManifest(clipId('a'));
    seen.add(clips.length === 1 ? 'clip' : drafts.length === 1 ? 'draft' : 'none');
    next.dispose();
  }
  assert.equal([...seen].sort(), ['clip', 'draft', 'none']);
});

faults.run();
