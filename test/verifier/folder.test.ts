// timeout: 240
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkDock } from '../../src/verifier/dock.ts';
import type { Report } from '../../src/verifier/report.ts';
import { endSites } from '../e2e/kit/site.ts';
import { type DockFolder, makeDockFolder } from './dock-folder.ts';
import { flipBits } from './flips.ts';
import {
  type Files,
  namesOf,
  policyOf,
  rememberingCrypto,
  sourceOf,
  vkeyOf,
  WITNESS,
} from './kit.ts';

const FLIPS = 1_000;
const folder = suite('docket-verify: data folder');
const crypto = rememberingCrypto();
let made: DockFolder;

folder.before(async () => {
  made = await makeDockFolder();
});

folder.after(endSites);

/** The folder of the dock, spoiled by `change`, and what is found in it. */
async function find(change: (files: Files) => void): Promise<Report> {
  const files: Files = new Map(made.files);
  change(files);
  return await checkDock(sourceOf(files), made.policy, crypto);
}

function clipPath(index: number, name: string): string {
  return `vault/${made.clips[index]}/${name}`;
}

/** The clip of three segments. */
function longClip(): string {
  const path = [...made.files.keys()].find((name) => name.endsWith('/0002.age')) ?? '';
  return path.slice(0, -'/0002.age'.length);
}

folder('is verified as the dock left it', async () => {
  const report = await find(() => {});
  assert.equal(report.findings, []);
  assert.is(report.kind, 'dock');
  assert.is(report.dock, 'leeds/dock-1');
  const { clips, segments, entries, cosignedEntries } = report.counts;
  assert.equal([clips, segments], [4, 6]);
  assert.ok(entries >= 10);
  assert.is(cosignedEntries, entries);
});

folder(`reports ${FLIPS} flipped bits, each by the name of its file`, async () => {
  const files: Files = new Map([...made.files].map(([path, bytes]) => [path, bytes?.slice()]));
  const { reported, ofNoEvidence } = await flipBits(files, made.policy, { count: FLIPS, seed: 5 });
  assert.is(reported + ofNoEvidence, FLIPS);
  assert.ok(reported > FLIPS / 2);
});

folder('misses no file that is removed', async () => {
  for (const [path, bytes] of made.files) {
    const isEvidence = /^(vault|custody)\/./.test(path) && !path.includes('/.');
    if (bytes === undefined || !isEvidence) continue;
    const report = await find((files) => files.delete(path));
    // What a witness has said again in another file proves as much without it, and a receipt is the camera's too.
    if (path === 'custody/cosigned' || path === 'custody/cosignatures') continue;
    assert.ok(!report.ok, path);
  }
});

folder('misses no file that is cut by one byte or grows by one', async () => {
  for (const [path, bytes] of made.files) {
    if (bytes === undefined || bytes.length === 0 || !/^(vault|custody)\//.test(path)) continue;
    const cut = await find((files) => files.set(path, bytes.subarray(0, -1)));
    assert.ok(!cut.ok, `${path} cut`);
    const longer = await find((files) => files.set(path, Uint8Array.from([...bytes, 10])));
    const isTorn = longer.notes.some((note) => note.name === 'LOG_TAIL_TORN' && note.path === path);
    assert.ok(!longer.ok || isTorn, `${path} longer`);
  }
});

folder('names a clip that is gone, and one that nobody entered', async () => {
  const gone = await find((files) => {
    for (const path of made.files.keys()) {
      if (path.startsWith(`vault/${made.clips[0]}`)) files.delete(path);
    }
  });
  assert.equal(namesOf(gone), ['ENTRY_WITHOUT_CLIP']);
  assert.is(gone.findings[0]?.path, `vault/${made.clips[0]}`);
  const added = await find((files) => {
    for (const [path, bytes] of made.files) {
      const from = `vault/${made.clips[0]}`;
      if (path.startsWith(from)) files.set(path.replace(from, `vault/${'0'.repeat(32)}`), bytes);
    }
  });
  assert.equal(namesOf(added), ['CLIP_WITHOUT_ENTRY', 'MANIFEST_OTHER_CLIP']);
});

folder('names two clips that were put into the place of each other', async () => {
  const report = await find((files) => {
    for (const name of ['manifest.note', '0000.age', 'details.age', 'receipt.note']) {
      files.set(clipPath(0, name), made.files.get(clipPath(1, name)));
      files.set(clipPath(1, name), made.files.get(clipPath(0, name)));
    }
  });
  for (const name of ['MANIFEST_OTHER_CLIP', 'MANIFEST_COMMITMENT', 'RECEIPT_PROOF']) {
    assert.ok(namesOf(report).includes(name), name);
  }
});

folder('names two segments that were swapped', async () => {
  const report = await find((files) => {
    files.set(`${longClip()}/0000.age`, made.files.get(`${longClip()}/0001.age`));
    files.set(`${longClip()}/0001.age`, made.files.get(`${longClip()}/0000.age`));
  });
  assert.equal(namesOf(report), ['SEGMENT_DIGEST']);
  assert.is(report.findings.length, 2);
});

folder('names a receipt of another clip', async () => {
  const report = await find((files) => {
    files.set(clipPath(0, 'receipt.note'), made.files.get(clipPath(1, 'receipt.note')));
  });
  assert.equal(namesOf(report), ['RECEIPT_OTHER_CLIP', 'RECEIPT_PROOF']);
});

folder('names a third recipient in the header of a segment', async () => {
  const path = `${longClip()}/0000.age`;
  const report = await find((files) => {
    const text = Buffer.from(made.files.get(path) ?? []).toString('latin1');
    const stanza = /-> X25519 \S+\n\S+\n/.exec(text)?.[0] ?? '';
    const more = text.replace('\n-> ', `\n${stanza}-> `);
    files.set(path, Uint8Array.from(Buffer.from(more, 'latin1')));
  });
  assert.equal(namesOf(report), ['SEAL_RECIPIENTS', 'SEGMENT_DIGEST', 'SEGMENT_SIZE']);
});

folder('names what a dock does not write, wherever it lies', async () => {
  const bytes = Uint8Array.of(1);
  const places = ['note.txt', 'custody/entries.bak', 'keys/other.pub', 'vault/x', 'a/b/c'];
  for (const path of [...places, clipPath(0, '0009.age'), clipPath(0, 'movie.mp4')]) {
    const report = await find((files) => files.set(path, bytes));
    assert.equal(namesOf(report), ['UNEXPECTED_FILE'], path);
    assert.is(report.findings[0]?.path, path);
  }
  const unknown = await find((files) => files.set('vault/stranger', undefined));
  assert.equal(namesOf(unknown), ['UNEXPECTED_FILE']);
});

folder('says of cache, lock, drafts and secrets that it does not check them', async () => {
  const report = await find((files) => {
    files.set(`custody/lock-0badf00d-17-4711`, new Uint8Array(0));
    files.set(`vault/.drafts/${'1'.repeat(32)}/0000.age`, Uint8Array.of(1));
    files.set('cache.json', Uint8Array.of(1));
  });
  assert.equal(report.findings, []);
  const paths = report.notes.map(({ path }) => path);
  for (const path of ['cache.json', 'keys/log.key', 'custody/lock-0badf00d-17-4711']) {
    assert.ok(paths.includes(path), path);
  }
});

folder('believes no log that the policy does not name, nor its name with another key', async () => {
  const [, ...rest] = made.policyLines;
  for (const [name, found] of [
    ['leeds/dock-2/log', 'LOG_NOT_IN_POLICY'],
    ['leeds/dock-1/log', 'CHECKPOINT_SIGNATURE'],
  ] as const) {
    const policy = policyOf(`log ${vkeyOf(name, 1, WITNESS.publicKey)}`, ...rest);
    const report = await checkDock(sourceOf(made.files), policy, crypto);
    assert.ok(namesOf(report).includes(found), found);
  }
});

folder('demands the cosignature that the policy demands', async () => {
  const report = await find((files) => {
    files.delete('custody/cosigned');
    files.delete('custody/cosignatures');
  });
  assert.equal(namesOf(report), ['COSIGNATURE_MISSING']);
  const [log = ''] = made.policyLines;
  const trusting = policyOf(log, 'quorum none');
  const files: Files = new Map(made.files);
  files.delete('custody/cosigned');
  files.delete('custody/cosignatures');
  assert.equal((await checkDock(sourceOf(files), trusting, crypto)).findings, []);
});

folder.run();
