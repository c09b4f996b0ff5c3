import { once } from 'node:events';
import { watch } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import * as assert from 'uvu/assert';
import { readCustody } from '../../../src/adapters/fs/custody-store.ts';
import { readEntries, readVault, sha256OfFile } from './evidence.ts';
import type { Program } from './programs.ts';
import { RandomBytes } from './random-bytes.ts';
import { erasedOn, newSite, type Site, type SiteCamera } from './site.ts';

/** Counts over all kills. `atStart`: before the dock was up; `atRest`: when no clip was left on a camera. */
export interface KillTally {
  kills: number;
  atStart: number;
  duringIngest: number;
  betweenClips: number;
  atRest: number;
  clips: number;
  erased: number;
  /** Kills that found a clip in the vault which its camera still had. */
  beforeErasure: number;
  /** Erased by the camera, without an entry that says so. */
  unrecorded: number;
  drafts: number;
  recovered: number;
  torn: number;
  entries: number;
}

const CAMERA_COUNT = 2;
const CLIPS_A_ROUND = 4;
const CLIP_BYTES_MAX = 6_000_000;
const UP = /"event":"dock-started"/;
/** About what one round of clips takes. */
const INGEST_MS = 1_500;
const NEAR_MS = 16;

/** One dock with two cameras, which record anew whenever everything is released. */
export class KillRun {
  readonly #kills: number;
  readonly #random: RandomBytes;
  readonly #tally: KillTally = {
    ...{ kills: 0, atStart: 0, duringIngest: 0, betweenClips: 0, atRest: 0 },
    ...{
      clips: 0,
      erased: 0,
      beforeErasure: 0,
      unrecorded: 0,
      drafts: 0,
      recovered: 0,
      torn: 0,
      entries: 0,
    },
  };
  readonly #segments = new Map<string, string>();
  #startMs = 0;
  #leaves: readonly string[] = [];

  constructor({ kills, seed }: { readonly kills: number; readonly seed: number }) {
    this.#kills = kills;
    this.#random = new RandomBytes(seed);
  }

  async run(say: (text: string) => void): Promise<KillTally> {
    const site = await newSite(CAMERA_COUNT);
    for (let bay = 1; bay <= CAMERA_COUNT; bay++) await site.addCamera({ clips: [] });
    const startedMs = performance.now();
    const first = await site.startDock();
    this.#startMs = performance.now() - startedMs;
    await first.kill('SIGTERM');
    for (const camera of site.cameras) await site.plug(camera);
    while (this.#tally.kills < this.#kills) {
      if (site.cameras.every((camera) => leftOn(camera) === 0)) await this.#record(site);
      await this.#killOnce(site);
      if (this.#tally.kills % 20 === 0) say(`${this.#tally.kills} kills`);
    }
    const last = site.launch();
    await last.untilLogged(UP);
    await site.untilReleased(last);
    assert.is((await last.kill('SIGTERM')).code, 0);
    await this.#check(site);
    await site.checkAllVaulted();
    this.#tally.entries = this.#leaves.length;
    return this.#tally;
  }

  async #record(site: Site): Promise<void> {
    for (const camera of site.cameras) {
      for (let index = 0; index < CLIPS_A_ROUND; index++) {
        const sizeBytes = this.#random.below(CLIP_BYTES_MAX);
        await site.record(camera, this.#random.bytes(sizeBytes));
        this.#tally.clips += 1;
      }
    }
  }

  async #killOnce(site: Site): Promise<void> {
    const dock = site.launch();
    await Promise.race([this.#moment(site, dock), dock.ended]);
    assert.ok(dock.isAlive, `the dock ended by itself: ${dock.log.slice(-5).join('\n')}`);
    const left = site.cameras.reduce((sum, camera) => sum + leftOn(camera), 0);
    const ended = await dock.kill('SIGKILL');
    assert.is(ended.signal, 'SIGKILL');
    this.#tally.kills += 1;
    await this.#check(site);
    await this.#count(site, { dock, left });
  }

  /** Of four kills one is in the start-up, one at any time of the ingest, one when a clip has come into the vault, one when a camera erases. */
  async #moment(site: Site, dock: Program): Promise<void> {
    const kind = this.#random.below(4);
    if (kind === 0) return await delay(this.#random.below(this.#startMs));
    if (kind === 1) return await this.#soonAfter(cameraErases(site));
    if (kind === 2) return await this.#soonAfter(vaultGrows(site));
    await dock.untilLogged(UP);
    await delay(this.#random.below(INGEST_MS));
  }

  async #soonAfter({ happens, end }: Awaited): Promise<void> {
    const patience = new AbortController();
    const { signal } = patience;
    const atMost = delay(this.#startMs + INGEST_MS, undefined, { signal }).catch(() => undefined);
    await Promise.race([happens, atMost]);
    patience.abort();
    end();
    await delay(this.#random.below(NEAR_MS));
  }

  async #count(site: Site, { dock, left }: { dock: Program; left: number }): Promise<void> {
    const isUp = dock.log.some((line) => UP.test(line));
    const drafts = await draftsOf(site);
    this.#tally.drafts += drafts;
    if (!isUp) this.#tally.atStart += 1;
    else if (left === 0) this.#tally.atRest += 1;
    else if (drafts > 0) this.#tally.duringIngest += 1;
    else this.#tally.betweenClips += 1;
  }

  /** Cameras are looked at before the vault: what is erased now must be in the vault, then and later. */
  async #check(site: Site): Promise<void> {
    const erased = site.cameras.flatMap((camera) =>
      [...erasedOn(camera)].map((counter) => ({ serial: camera.serial, counter })),
    );
    this.#tally.erased = erased.length;
    await this.#checkLog(site);
    const entries = await readEntries(site.dataDir).catch(noLog);
    const vaulted = entries.filter(({ kind }) => kind === 'clip-vaulted').map(({ clip }) => clip);
    const released = entries.filter(({ kind }) => kind === 'clip-released').length;
    this.#tally.unrecorded = erased.length - released;
    this.#tally.recovered = entries.filter(({ kind }) => kind === 'clip-recovered').length;
    assert.is(new Set(vaulted).size, vaulted.length, 'no clip is entered twice');
    const vault = await readVault(site.dataDir);
    if (vault.length > erased.length) this.#tally.beforeErasure += 1;
    const names = vault.map((clip) => `${clip.camera} ${clip.counter}`);
    assert.is(new Set(names).size, names.length, 'no clip is in the vault twice');
    for (const { serial, counter } of erased) {
      const name = `${serial} ${counter}`;
      const clip = vault.find((found) => `${found.camera} ${found.counter}` === name);
      assert.ok(clip, `${name} was erased and is not in the vault`);
      assert.ok(vaulted.includes(clip?.id), `${name} was erased before its entry`);
      const owner = site.cameras.find((camera) => camera.serial === serial);
      assert.is(clip?.sha256, owner?.digests.get(counter), `${name}: digest`);
    }
    for (const clip of vault) {
      for (const { path, sha256 } of clip.segments) await this.#checkSegment(path, sha256);
    }
  }

  /** Each file is read once: nothing in the vault is ever written again. */
  async #checkSegment(path: string, sha256: string): Promise<void> {
    const known = this.#segments.get(path);
    if (known === undefined) {
      assert.is(await sha256OfFile(path), sha256, `${path} is what its manifest says`);
      this.#segments.set(path, sha256);
    } else assert.is(sha256, known, `${path} has another manifest now`);
  }

  /** A log only grows, and a checkpoint never covers what is not there (`readCustody` refuses that). */
  async #checkLog(site: Site): Promise<void> {
    const { leaves, tornBytes } = await readCustody(join(site.dataDir, 'custody'));
    const now = leaves.map((leaf) => Buffer.from(leaf).toString('utf8'));
    for (const [index, leaf] of this.#leaves.entries()) {
      assert.is(now[index], leaf, `entry ${index} of the log was changed`);
    }
    if (tornBytes > 0) this.#tally.torn += 1;
    this.#leaves = now;
  }
}

interface Awaited {
  readonly happens: Promise<unknown>;
  readonly end: () => void;
}

function cameraErases(site: Site): Awaited {
  const erasures = site.cameras.flatMap(({ started }) => started?.next('released') ?? []);
  for (const erasure of erasures) erasure.catch(() => undefined);
  return { happens: Promise.race(erasures), end: () => undefined };
}

/** A clip comes into the vault by one rename. */
function vaultGrows(site: Site): Awaited {
  const watcher = watch(join(site.dataDir, 'vault'));
  return { happens: once(watcher, 'change'), end: () => watcher.close() };
}

function noLog(error: unknown): never {
  throw new Error('the custody log cannot be read after a kill', { cause: error });
}

function leftOn(camera: SiteCamera): number {
  return camera.clips.size - erasedOn(camera).size;
}

async function draftsOf(site: Site): Promise<number> {
  const names = await readdir(join(site.dataDir, 'vault/.drafts'));
  return names.filter((name) => /^[0-9a-f]{32}$/.test(name)).length;
}
