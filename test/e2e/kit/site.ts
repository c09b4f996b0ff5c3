import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import type {
  CameraEvent,
  StartedCamera,
  StartOptions,
} from '../../../firmware-bridge/sim/provision.ts';
import { entriesOf, openWithAge, readIdentity, readVault, sha256Of } from './evidence.ts';
import { docket, Program, ROOT, track } from './programs.ts';

type Provisioning = typeof import('../../../firmware-bridge/sim/provision.ts');
/** What the compiler made: quicker to start, and what runs in service. */
const built = `${ROOT}dist/firmware-bridge/sim/provision.js`;

export interface CameraPlan {
  readonly bay?: number;
  readonly serial?: string;
  /** Bytes, or sizes of random bytes. */
  readonly clips: readonly (number | Uint8Array)[];
  /** Further clips that are files, which the checks of bytes leave alone. */
  readonly files?: readonly string[];
  readonly faults?: readonly string[];
  readonly wearer?: string;
  readonly keyless?: boolean;
  /** `wrong`: the dock knows its serial with another key. */
  readonly registered?: 'yes' | 'no' | 'wrong';
}

export interface SiteCamera {
  readonly serial: string;
  readonly bay: number;
  readonly store: string;
  /** By counter. */
  readonly clips: Map<number, Uint8Array>;
  readonly digests: Map<number, string>;
  readonly events: CameraEvent[];
  started: StartedCamera | undefined;
}

const SITE = { site: 'leeds', dock: 'dock-1' };
const DOCK_ID = `${SITE.site}/${SITE.dock}`;

/** A dock on simulated hardware, its council and its cameras, in a folder of their own. */
export class Site {
  readonly folder: string;
  readonly dataDir: string;
  readonly keysDir: string;
  readonly configPath: string;
  readonly cameras: SiteCamera[] = [];
  readonly #bayCount: number;
  readonly #settings: Readonly<Record<string, unknown>>;
  readonly #registered: { serial: string; publicKey: string }[] = [];
  readonly #docks: Program[] = [];
  #provisioning: Provisioning | undefined;
  #fileCount = 0;

  constructor(folder: string, bayCount: number, settings: Readonly<Record<string, unknown>>) {
    this.folder = folder;
    this.dataDir = join(folder, 'data');
    this.keysDir = join(folder, 'keys');
    this.configPath = join(folder, 'dock.json');
    this.#bayCount = bayCount;
    this.#settings = settings;
  }

  get identityPath(): string {
    return join(this.keysDir, 'evidence.identity.txt');
  }

  lineOf(bay: number): string {
    return join(this.folder, `bay-${bay}`);
  }

  /** A file of its own for each recording: a camera takes the same file once. */
  async newFile(bytes: Uint8Array): Promise<string> {
    this.#fileCount += 1;
    const path = join(this.folder, 'recordings', `clip-${this.#fileCount}.mp4`);
    await mkdir(join(this.folder, 'recordings'), { recursive: true });
    await writeFile(path, bytes);
    return path;
  }

  async addCamera(plan: CameraPlan): Promise<SiteCamera> {
    const { bay = this.cameras.length + 1, registered = 'yes', keyless = false } = plan;
    const serial = plan.serial ?? `CAM-${String(bay).padStart(4, '0')}`;
    const store = join(this.folder, 'cameras', serial);
    await mkdir(store, { recursive: true });
    const bytes = plan.clips.map((clip) => (typeof clip === 'number' ? randomBytes(clip) : clip));
    const files: string[] = [];
    for (const clip of bytes) files.push(await this.newFile(clip));
    const { provisionCamera } = await this.#sim();
    const { publicKey, counters } = await provisionCamera({
      ...{ store, serial, keyless, wearer: plan.wearer ?? '' },
      clips: [...files, ...(plan.files ?? [])],
    });
    const key = registered === 'wrong' ? randomBytes(32) : publicKey;
    if (registered !== 'no' && key !== undefined) {
      this.#registered.push({ serial, publicKey: Buffer.from(key).toString('hex') });
    }
    const clips = new Map<number, Uint8Array>();
    for (const [index, clip] of bytes.entries()) clips.set(counters[index] ?? 0, clip);
    const digests = new Map([...clips].map(([counter, clip]) => [counter, sha256Of(clip)]));
    const camera = { serial, bay, store, clips, digests, events: [], started: undefined };
    this.cameras.push(camera);
    return camera;
  }

  async writeConfig(changes: Readonly<Record<string, unknown>> = {}): Promise<void> {
    const board = await readFile(`${ROOT}boards/simulated.json`, 'utf8');
    const { $schema: _, ...simulated } = JSON.parse(board) as Record<string, unknown>;
    const [first] = simulated.bays as Record<string, unknown>[];
    const bays = Array.from({ length: this.#bayCount }, (_, index) => {
      return { ...first, bay: index + 1, serial: this.lineOf(index + 1), ...linesOf(index) };
    });
    await writeFile(join(this.folder, 'board.json'), JSON.stringify({ ...simulated, bays }));
    const config = {
      ...SITE,
      ...{ dataDir: 'data', board: 'board.json', cameras: this.#registered },
      ...{ segmentMiB: 1, reserveMiB: 16 },
      recipients: await this.#recipients(),
      ...this.#settings,
      ...changes,
    };
    await writeFile(this.configPath, JSON.stringify(config));
  }

  /** Starts `docket run`. */
  launch(): Program {
    const dock = new Program(['run', '--config', this.configPath]);
    this.#docks.push(dock);
    return dock;
  }

  /** Starts `docket run`, and pairs it with the cameras when it is up. */
  async startDock(changes: Readonly<Record<string, unknown>> = {}): Promise<Program> {
    await this.writeConfig(changes);
    const dock = this.launch();
    await dock.untilLogged(/"event":"dock-started"/);
    await this.pair();
    return dock;
  }

  /** The engineer carries the dock's public keys to the cameras, and the log's to the council. */
  async pair(): Promise<void> {
    const verifierKey = async (purpose: string): Promise<string> =>
      (await readFile(join(this.dataDir, 'keys', `${purpose}.pub`), 'utf8')).trim();
    const raw = async (purpose: string): Promise<string> => {
      const encoded = (await verifierKey(purpose)).split('+').slice(2).join('+');
      return Buffer.from(encoded, 'base64').subarray(1).toString('hex');
    };
    const docks = [{ dock: DOCK_ID, linkKey: await raw('link'), receiptKey: await raw('receipt') }];
    await writeFile(join(this.folder, 'docks.json'), JSON.stringify(docks));
    const policy = join(this.keysDir, 'verify-policy.txt');
    const root = (await readFile(join(this.keysDir, 'role-root.pub'), 'utf8')).trim();
    await writeFile(policy, `log ${await verifierKey('log')}\nquorum none\nroot ${root}\n`);
  }

  async plug(camera: SiteCamera, options: Partial<StartOptions> = {}): Promise<void> {
    const { startCamera } = await this.#sim();
    const started = startCamera({
      link: this.lineOf(camera.bay),
      store: camera.store,
      serial: camera.serial,
      docks: join(this.folder, 'docks.json'),
      seed: camera.bay,
      ...options,
    });
    camera.started = started;
    track(started.child);
    started.onEvent((event) => void camera.events.push(event));
    await started.next('ready');
  }

  /** A new recording on a camera that runs. */
  async record(camera: SiteCamera, bytes: Uint8Array): Promise<void> {
    const { started } = camera;
    if (started === undefined) throw new Error(`${camera.serial} does not run`);
    const recorded = started.next('recorded');
    started.send(`record ${await this.newFile(bytes)}`);
    const counter = Number((await recorded).counter);
    camera.clips.set(counter, bytes);
    camera.digests.set(counter, sha256Of(bytes));
  }

  /** Starts the dock, puts every camera in, and waits until all clips of `cameras` are released. */
  async ingest(plans: readonly CameraPlan[]): Promise<Program> {
    for (const plan of plans) await this.addCamera(plan);
    const dock = await this.startDock();
    for (const [index, camera] of this.cameras.entries()) {
      const { faults = [], keyless = false } = plans[index] ?? {};
      await this.plug(camera, { faults, keyless });
    }
    await this.untilReleased(dock);
    return dock;
  }

  async untilReleased(dock: Program, cameras = this.cameras): Promise<void> {
    const wanted = cameras.reduce((sum, camera) => sum + camera.clips.size, 0);
    const serials = new Set(cameras.map(({ serial }) => serial));
    await dock.until(`${wanted} released clips`, async () => {
      const entries = await entriesOf(this.dataDir, 'clip-released');
      const released = new Set(entries.map(({ clip }) => clip));
      const clips = released.size < wanted ? [] : await readVault(this.dataDir);
      const theirs = clips.filter(({ id, camera }) => released.has(id) && serials.has(camera));
      return theirs.length >= wanted ? true : undefined;
    });
  }

  async untilErased(dock: Program, cameras = this.cameras): Promise<void> {
    await dock.until('cameras without clips', () =>
      cameras.every((camera) => camera.clips.size === erasedOn(camera).size) ? true : undefined,
    );
  }

  /** Every clip is in the vault once, opens to the camera's bytes, was entered and released once, and is gone from its camera. */
  async checkAllVaulted({ cameras = this.cameras } = {}): Promise<void> {
    const identity = await readIdentity(this.identityPath);
    const vaulted = await entriesOf(this.dataDir, 'clip-vaulted');
    const released = await entriesOf(this.dataDir, 'clip-released');
    const vault = await readVault(this.dataDir);
    for (const { serial, store, clips } of cameras) {
      for (const [counter, bytes] of clips) {
        const name = `${serial} ${counter}`;
        const found = vault.filter((clip) => clip.camera === serial && clip.counter === counter);
        assert.is(found.length, 1, `${name} is in the vault once`);
        const [clip] = found;
        if (clip === undefined) continue;
        assert.is(clip.sha256, sha256Of(bytes), `${name}: digest`);
        const opened = await openWithAge(clip, identity);
        assert.ok(opened.equals(bytes), `${name}: bytes`);
        const of = (entries: typeof vaulted) => entries.filter((entry) => entry.clip === clip.id);
        assert.is(of(vaulted).length, 1, `${name} was entered once`);
        assert.is(of(released).length, 1, `${name} was released once`);
        assert.not(existsSync(join(store, 'clips', `${counter}.clip`)), `${name} left its camera`);
      }
    }
  }

  /** Ends every process, then the folder goes. */
  async end(): Promise<void> {
    for (const { started } of this.cameras) {
      started?.child.kill('SIGKILL');
      await started?.stop();
    }
    await Promise.all(this.#docks.map((dock) => dock.kill('SIGKILL')));
    await rm(this.folder, { recursive: true, force: true });
  }

  async #recipients(): Promise<{ role: string; recipient: string }[]> {
    const roles = ['evidence', 'escrow'];
    return await Promise.all(
      roles.map(async (role) => {
        const text = await readFile(join(this.keysDir, `${role}.recipient.txt`), 'utf8');
        return { role, recipient: text.trim() };
      }),
    );
  }

  async #sim(): Promise<Provisioning> {
    this.#provisioning ??= (await import(built)) as Provisioning;
    return this.#provisioning;
  }
}

/** Counters of the clips that a camera says it has erased. */
export function erasedOn(camera: SiteCamera): Set<number> {
  const released = camera.events.filter(({ event }) => event === 'released');
  return new Set(released.map(({ counter }) => Number(counter)));
}

const sites = new Set<Site>();

export async function newSite(
  bayCount = 1,
  settings: Readonly<Record<string, unknown>> = {},
): Promise<Site> {
  const site = new Site(await mkdtemp(join(tmpdir(), 'docket-e2e-')), bayCount, settings);
  sites.add(site);
  const made = await docket('keygen', '--out', site.keysDir);
  assert.is(made.code, 0, made.stderr);
  return site;
}

/** After each test, also after one that failed. */
export async function endSites(): Promise<void> {
  for (const site of sites) await site.end();
  sites.clear();
}

function linesOf(index: number): Record<string, unknown> {
  const line = (offset: number) => ({ chip: 'simulated', line: index * 6 + offset });
  const lights = { green: line(0), amber: line(1), red: line(2) };
  return { lights, button: line(3), present: line(4), charged: line(5) };
}
