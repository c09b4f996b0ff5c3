import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CameraFaults } from './faults.ts';

export interface RecordFields {
  readonly counter: number;
  readonly size: number;
  readonly sha256: Uint8Array;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  readonly clockQuality: number;
  readonly trigger: number;
  readonly incident: boolean;
  readonly name: string;
  readonly wearer: string;
}

export interface ServedClip {
  readonly counter: number;
  readonly record: Uint8Array;
  readonly path: string;
}

export interface CameraOptions {
  readonly link: string;
  readonly isDevice?: boolean;
  readonly store: string;
  readonly serial: string;
  readonly keySeed: Uint8Array | undefined;
  readonly lastCounter: number;
  readonly clips: readonly ServedClip[];
  readonly faults: CameraFaults;
  readonly seed: number;
  /** SPEC 9: what the camera's line can do, its base rate first. Left out: a line without a rate. */
  readonly rates?: readonly number[];
  /** Bytes sent at another rate than the other end's come as noise. */
  readonly strictRate?: boolean;
  /** At this rate nothing gets through. */
  readonly deadRate?: number;
}

export interface PairedDock {
  readonly linkKey: Uint8Array;
  readonly receiptKey: Uint8Array;
}

declare const handleBrand: unique symbol;
export type CameraHandle = { readonly [handleBrand]: true };

/** The answer matters for `find-dock` (keys, or undefined) and `erase` (true when it is durable). */
export type OnCameraEvent = (
  name: string,
  number: number,
  text: string | undefined,
) => PairedDock | boolean | undefined;

export interface CameraAddon {
  start(options: CameraOptions, onEvent: OnCameraEvent): CameraHandle;
  add(camera: CameraHandle, clip: ServedClip): void;
  fault(camera: CameraHandle, faults: CameraFaults): void;
  plug(camera: CameraHandle, isIn: boolean): void;
  stop(camera: CameraHandle): void;
  signRecord(keySeed: Uint8Array | undefined, serial: string, fields: RecordFields): Uint8Array;
}

/** Of the sources and of what the compiler makes of them, which lies one folder deeper. */
function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'firmware-bridge', 'sim', 'binding.gyp'))) {
    const above = dirname(folder);
    if (above === folder)
      throw new Error('firmware-bridge/sim/binding.gyp is not above this program');
    folder = above;
  }
  return folder;
}

export function loadAddon(): CameraAddon {
  const require = createRequire(import.meta.url);
  const load = require('node-gyp-build') as (folder: string) => CameraAddon;
  return load(join(packageRoot(), 'firmware-bridge', 'sim'));
}
