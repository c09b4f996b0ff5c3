import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { loadAddon } from './addon.ts';
import { parseFaults } from './faults.ts';
import { CameraStore } from './store.ts';

export interface ProvisionOptions {
  readonly store: string;
  readonly serial: string;
  readonly keyless?: boolean;
  readonly wearer?: string;
  /** Files, not folders. */
  readonly clips: readonly string[];
  /** `lie-digest` and `name=...` of `startCamera` work on a provisioned store too. */
  readonly faults?: readonly string[];
}

/** A camera's storage with its key and its recorded clips, without running the camera. May be called again: files already in it are not added twice. */
export async function provisionCamera(
  options: ProvisionOptions,
): Promise<{ publicKey: Uint8Array | undefined; counters: number[] }> {
  const store = new CameraStore(loadAddon(), {
    folder: options.store,
    serial: options.serial,
    keyless: options.keyless ?? false,
    wearer: options.wearer,
  });
  const faults = parseFaults(options.faults ?? []);
  for (const clip of options.clips) await store.add(clip, faults);
  return { publicKey: store.publicKey, counters: store.counters };
}

export interface StartOptions {
  readonly link: string;
  /** The link is a terminal that is there already, such as /dev/ttyGS0. */
  readonly isDevice?: boolean;
  readonly store: string;
  readonly serial: string;
  /** The docks file; it may come later. */
  readonly docks: string;
  readonly clips?: readonly string[];
  readonly wearer?: string;
  readonly keyless?: boolean;
  readonly faults?: readonly string[];
  readonly seed?: number;
  /** SPEC 9: what the camera's line can do, its base rate first. */
  readonly rates?: readonly number[];
  /** Bytes sent at another rate than the other end's come as noise, as on a UART; `rates` are then all that SPEC 9 names. */
  readonly strictRate?: boolean;
  /** At this rate nothing gets through. */
  readonly deadRate?: number;
  readonly onceReleased?: boolean;
}

/** `event` is ready, plugged, unplugged, docked, released, refused, erased-all, line-lost, line-failed, power-loss, recorded, ... */
export interface CameraEvent {
  readonly event: string;
  readonly [field: string]: unknown;
}

export interface StartedCamera {
  readonly child: ChildProcess;
  onEvent(listener: (event: CameraEvent) => void): void;
  /** The next event of that name from now on; rejects when the camera ends first. */
  next(event: string): Promise<CameraEvent>;
  /** `unplug`, `plug`, `fault SPEC`, `fault none`, `record PATH`. */
  send(line: string): void;
  /** Settles when the process has ended; its link is gone then. */
  stop(): Promise<void>;
}

function argumentsOf(options: StartOptions): string[] {
  const many = (name: string, values: readonly string[] = []) =>
    values.flatMap((value) => [`--${name}=${value}`]);
  return [
    `--link=${options.link}`,
    `--store=${options.store}`,
    `--serial=${options.serial}`,
    `--docks=${options.docks}`,
    `--seed=${options.seed ?? 1}`,
    `--wearer=${options.wearer ?? ''}`,
    ...many('clips', options.clips),
    ...many('fault', options.faults),
    ...(options.keyless ? ['--keyless'] : []),
    ...(options.rates ? [`--rates=${options.rates.join(',')}`] : []),
    ...(options.strictRate ? ['--strict-rate'] : []),
    ...(options.deadRate ? [`--dead-rate=${options.deadRate}`] : []),
    ...(options.isDevice ? ['--device'] : []),
    ...(options.onceReleased ? ['--once-released'] : []),
  ];
}

/** The sources run under tsx, what the compiler made runs alone. */
function commandOf(options: StartOptions): string[] {
  const isSource = import.meta.url.endsWith('.ts');
  const program = fileURLToPath(new URL(isSource ? './camera.ts' : './camera.js', import.meta.url));
  if (!isSource) return [program, ...argumentsOf(options)];
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
  return ['--import', tsx, program, ...argumentsOf(options)];
}

/** Starts the camera as a process of its own. What it says on stderr goes to ours. */
export function startCamera(options: StartOptions): StartedCamera {
  const child = spawn(process.execPath, commandOf(options), { stdio: ['pipe', 'pipe', 'inherit'] });
  const listeners = new Set<(event: CameraEvent) => void>();
  const ended = once(child, 'exit');
  createInterface({ input: child.stdout }).on('line', (line) => {
    const event = JSON.parse(line) as CameraEvent;
    for (const listener of [...listeners]) listener(event);
  });
  // A camera that has ended cannot be told anything; `next` and `stop` notice its end.
  child.stdin.on('error', () => child.stdin.destroy());
  const next = (name: string) =>
    new Promise<CameraEvent>((resolve, reject) => {
      const listener = (event: CameraEvent) => {
        if (event.event !== name) return;
        listeners.delete(listener);
        resolve(event);
      };
      listeners.add(listener);
      const onEnd = () => reject(new Error(`the camera ended before ${name}`));
      ended.then(onEnd, onEnd);
    });
  return {
    child,
    next,
    onEvent: (listener) => void listeners.add(listener),
    send: (line) => void child.stdin.write(`${line}\n`),
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
}
