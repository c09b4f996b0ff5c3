import { linkSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import {
  provisionCamera,
  type StartedCamera,
  startCamera,
} from '../../firmware-bridge/sim/provision.ts';
import type { RegisteredCamera } from '../adapters/fs/config-file.ts';
import { formatHex } from '../core/bytes.ts';
import { DockError } from '../core/errors.ts';
import { type CameraSerial, parseCameraSerial } from '../core/evidence/clip.ts';
import type { DockKeys } from '../ports/signer.ts';

export interface DemoCamera {
  readonly bay: number;
  readonly serial: CameraSerial;
  readonly store: string;
  readonly link: string;
  readonly registered: RegisteredCamera;
  /** Clips on it now. */
  readonly clipCount: number;
}

export interface DemoCamerasOptions {
  readonly folder: string;
  readonly count: number;
  readonly clips: readonly string[];
}

/** The files of a folder, or one file. ARGUMENT_INVALID when there is none. */
export async function findClipFiles(path: string): Promise<readonly string[]> {
  const from = resolve(path);
  const found = await stat(from).catch((error: unknown) => {
    throw new DockError('ARGUMENT_INVALID', `${from} cannot be read`, { cause: error });
  });
  if (found.isFile()) return [from];
  const entries = await readdir(from, { withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && !entry.name.endsWith('.md'));
  if (files.length === 0) {
    throw new DockError('ARGUMENT_INVALID', `${from} has no files`, {
      action: 'Give --clips a folder with at least one file in it.',
    });
  }
  return files.map(({ name }) => join(from, name)).sort();
}

/**
 * Cameras with the clips on them. Each keeps its storage in `folder`, apart from the dock's, so that a demo that was cut goes on where it
 * was; when every clip was released before, the same files are recorded anew.
 */
export async function makeCameras(options: DemoCamerasOptions): Promise<readonly DemoCamera[]> {
  const lines = await mkdtemp(join(tmpdir(), 'docket-'));
  const cameras = await provisionAll({ ...options, lines });
  if (cameras.some(({ clipCount }) => clipCount > 0)) return cameras;
  const staged = await stage(options);
  try {
    return await provisionAll({ ...options, clips: staged.files, lines });
  } finally {
    await rm(staged.folder, { recursive: true, force: true });
  }
}

async function provisionAll(
  options: DemoCamerasOptions & { readonly lines: string },
): Promise<readonly DemoCamera[]> {
  const cameras: DemoCamera[] = [];
  for (let bay = 1; bay <= options.count; bay++) {
    const serial = parseCameraSerial(`CAM-${String(bay).padStart(4, '0')}`);
    if (serial === undefined) throw new DockError('ARGUMENT_INVALID', `bay ${bay}`);
    const store = join(options.folder, serial);
    await mkdir(store, { recursive: true, mode: 0o700 });
    const clips = options.clips.filter((_, index) => index % options.count === bay - 1);
    const { publicKey, counters } = await provisionCamera({ store, serial, clips });
    if (publicKey === undefined) throw new DockError('CAMERA_KEYLESS', `${serial} has no key`);
    const registered = { serial, publicKey };
    const link = join(options.lines, `bay-${bay}`);
    cameras.push({ bay, serial, store, link, registered, clipCount: counters.length });
  }
  return cameras;
}

/** The same files under new paths, which to a camera are new recordings. */
async function stage({
  folder,
  clips,
}: DemoCamerasOptions): Promise<{ folder: string; files: string[] }> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const staging = await mkdtemp(join(folder, 'recording-'));
  const files: string[] = [];
  for (const clip of clips) {
    const path = join(staging, basename(clip));
    try {
      linkSync(clip, path);
    } catch {
      // Another file system, or one without hard links.
      await copyFile(clip, path);
    }
    files.push(path);
  }
  return { folder: staging, files };
}

/** Pairs the cameras with the dock, and puts them into their bays. */
export async function startCameras(
  cameras: readonly DemoCamera[],
  {
    folder,
    dock,
    keys,
  }: { readonly folder: string; readonly dock: string; readonly keys: DockKeys },
): Promise<readonly StartedCamera[]> {
  const docks = join(folder, 'docks.json');
  const { link, receipt } = keys;
  const paired = {
    dock,
    linkKey: formatHex(link.publicKey),
    receiptKey: formatHex(receipt.publicKey),
  };
  await writeFile(docks, JSON.stringify([paired]));
  return cameras.map((camera) =>
    startCamera({ link: camera.link, store: camera.store, serial: camera.serial, docks }),
  );
}
