import { open } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { parseHex } from '../../core/bytes.ts';
import { type BoardConfig, parseBoard } from '../../core/config/board.ts';
import {
  type BrokerConfig,
  type CameraConfig,
  checkCameras,
  type DockConfig,
  type LogLevel,
  type OrdersConfig,
  parseCameraList,
  parseDockConfig,
  type WitnessConfig,
} from '../../core/config/dock-config.ts';
import { type Fault, field, formatFault, type Parsed } from '../../core/config/faults.ts';
import { DockError } from '../../core/errors.ts';
import {
  type CameraSerial,
  type DockId,
  parseCameraSerial,
  parseDockId,
} from '../../core/evidence/clip.ts';
import { MIB } from '../../core/evidence/naming.ts';

const FILE_SIZE_MAX = 4 * MIB;

export interface RegisteredCamera {
  readonly serial: CameraSerial;
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
}

/** A dock's configuration with every file it names read or made absolute. */
export interface ResolvedDockConfig {
  readonly site: string;
  readonly dock: string;
  readonly dockId: DockId;
  readonly dataDir: string;
  /** The board with this dock's serial lines in it. */
  readonly board: BoardConfig;
  readonly recipients: DockConfig['recipients'];
  readonly cameras: readonly RegisteredCamera[];
  readonly allowKeylessCameras: boolean;
  /** Its files are absolute paths, not read yet: a broker's trouble must not keep a dock from its cameras. */
  readonly broker: BrokerConfig | undefined;
  readonly witness?: WitnessConfig | undefined;
  /** Who may order what; without it the dock refuses every order. */
  readonly orders?: OrdersConfig | undefined;
  readonly segmentBytes: number;
  readonly reserveBytes: number;
  /** Undefined: as the dock finds best. */
  readonly ingestsMax?: number | undefined;
  readonly cameraClockOffsetMsMax?: number | undefined;
  readonly retentionDays: number;
  readonly logLevel: LogLevel;
}

/** CONFIG_INVALID or BOARD_INVALID, whose message lists every fault of all the files, one a line. */
export async function readDockConfig(path: string): Promise<ResolvedDockConfig> {
  const document = await readJson(path);
  if ('faults' in document) throw refusal('CONFIG_INVALID', path, document.faults);
  const folder = dirname(resolve(path));
  const at = (name: string) => resolve(folder, name);

  const parsed = parseDockConfig(document.value);
  const list = await readCamerasOf(document.value, at);
  const board = await readBoardOf(document.value, at);

  const configFaults = [
    ...('faults' in parsed ? parsed.faults : []),
    ...('faults' in list ? list.faults : []),
    ...checkTogether(document.value, list, board),
  ];
  const boardFaults = 'faults' in board ? board.faults : [];
  if (configFaults.length > 0) {
    throw refusal('CONFIG_INVALID', path, [...configFaults, ...boardFaults]);
  }
  if ('faults' in board) throw refusal('BOARD_INVALID', path, boardFaults);
  if ('faults' in parsed || 'faults' in list) throw refusal('CONFIG_INVALID', path, []);
  return resolveConfig(parsed.config, { board: board.value, listed: list.value, at });
}

/** BOARD_INVALID with every fault. */
export async function readBoardFile(path: string): Promise<BoardConfig> {
  const parsed = await readBoard(path);
  if ('faults' in parsed) throw refusal('BOARD_INVALID', path, parsed.faults);
  return parsed.value;
}

interface Resolution {
  readonly board: BoardConfig;
  readonly listed: readonly CameraConfig[];
  readonly at: (name: string) => string;
}

function resolveConfig(config: DockConfig, { board, listed, at }: Resolution): ResolvedDockConfig {
  const { site, dock, recipients, allowKeylessCameras, retentionDays, logLevel } = config;
  const dockId = parseDockId(`${site}/${dock}`);
  if (dockId === undefined) throw new DockError('CONFIG_INVALID', 'site and dock are not an id');
  return {
    ...{ site, dock, dockId, recipients, allowKeylessCameras, retentionDays, logLevel },
    dataDir: at(config.dataDir),
    board: withOverrides(board, config.bays),
    cameras: [...config.cameras, ...listed].map(registered),
    broker: config.broker === undefined ? undefined : withPaths(config.broker, at),
    ingestsMax: config.ingestsMax,
    cameraClockOffsetMsMax: config.cameraClockOffsetMinutesMax * 60_000,
    witness: config.witness,
    orders: config.orders === undefined ? undefined : withRolesPath(config.orders, at),
    segmentBytes: config.segmentMiB * MIB,
    reserveBytes: config.reserveMiB * MIB,
  };
}

function withOverrides(board: BoardConfig, overrides: DockConfig['bays']): BoardConfig {
  const bays = board.bays.map((bay) => {
    const override = overrides.find((candidate) => candidate.bay === bay.bay);
    if (override === undefined) return bay;
    return { ...bay, serial: override.serial, baudRate: override.baudRate ?? bay.baudRate };
  });
  return { ...board, bays };
}

function withPaths(broker: BrokerConfig, at: (name: string) => string): BrokerConfig {
  const resolved = { ...broker };
  for (const key of ['passwordFile', 'caFile', 'certFile', 'keyFile'] as const) {
    const name = broker[key];
    if (name !== undefined) resolved[key] = at(name);
  }
  return resolved;
}

function withRolesPath(orders: OrdersConfig, at: (name: string) => string): OrdersConfig {
  const { rolesFile } = orders;
  return rolesFile === undefined ? orders : { ...orders, rolesFile: at(rolesFile) };
}

function registered(camera: CameraConfig): RegisteredCamera {
  const serial = parseCameraSerial(camera.serial);
  const publicKey = parseHex(camera.publicKey, 32);
  if (serial === undefined || publicKey === undefined) {
    throw new DockError('CONFIG_INVALID', 'a camera of the list is not a serial and a key');
  }
  return { serial, publicKey };
}

/** What no file can show alone. */
function checkTogether(
  config: unknown,
  list: Parsed<readonly CameraConfig[]>,
  board: Parsed<BoardConfig>,
): Fault[] {
  const faults: Fault[] = [];
  const own = { path: 'cameras', list: field(config, 'cameras') };
  if ('value' in list && checkCameras([own]).length === 0) {
    faults.push(...checkCameras([own, { path: 'camerasFile', list: list.value }]));
  }
  if ('value' in board) faults.push(...checkOverrides(field(config, 'bays'), board.value));
  return faults;
}

function checkOverrides(overrides: unknown, board: BoardConfig): Fault[] {
  if (!Array.isArray(overrides)) return [];
  const faults: Fault[] = [];
  const replaced = new Set(overrides.map((override) => field(override, 'bay')));
  for (const [index, override] of overrides.entries()) {
    const bay = field(override, 'bay');
    if (typeof bay === 'number' && !board.bays.some((candidate) => candidate.bay === bay)) {
      const problem = `the board ${board.name} has no bay ${bay}`;
      const action = `write a bay from 1 to ${board.bays.length}`;
      faults.push({ path: `bays[${index}].bay`, problem, action });
    }
    const serial = field(override, 'serial');
    const owner = board.bays.find((candidate) => candidate.serial === serial);
    if (owner !== undefined && !replaced.has(owner.bay)) {
      const problem = `it is the board's serial line of bay ${owner.bay}`;
      const action = 'give each bay a serial line of its own';
      faults.push({ path: `bays[${index}].serial`, problem, action });
    }
  }
  return faults;
}

async function readCamerasOf(
  config: unknown,
  at: (name: string) => string,
): Promise<Parsed<readonly CameraConfig[]>> {
  const name = field(config, 'camerasFile');
  if (typeof name !== 'string') return { value: [] };
  const document = await readJson(at(name));
  return prefixed('camerasFile', 'faults' in document ? document : parseCameraList(document.value));
}

async function readBoardOf(
  config: unknown,
  at: (name: string) => string,
): Promise<Parsed<BoardConfig>> {
  const name = field(config, 'board');
  if (typeof name !== 'string') return { faults: [] };
  return prefixed('board', await readBoard(at(name)));
}

async function readBoard(path: string): Promise<Parsed<BoardConfig>> {
  const document = await readJson(path);
  return 'faults' in document ? document : parseBoard(document.value);
}

/** Faults of a file that the configuration names, by the key that names it. */
function prefixed<T>(key: string, parsed: Parsed<T>): Parsed<T> {
  if ('value' in parsed) return parsed;
  const faults = parsed.faults.map((fault) => ({
    ...fault,
    path: fault.path === '' ? key : `${key}: ${fault.path}`,
  }));
  return { faults };
}

async function readJson(path: string): Promise<Parsed<unknown>> {
  const text = await readText(path);
  if ('faults' in text) return text;
  try {
    return { value: JSON.parse(text.value) };
  } catch (error) {
    const where =
      error instanceof Error ? / at position (\d+)/.exec(error.message)?.[1] : undefined;
    const line = where === undefined ? '' : ` at line ${lineAt(text.value, Number(where))}`;
    const action = 'correct the comma, quote or bracket there';
    return { faults: [{ path: '', problem: `${path} is not JSON${line}`, action }] };
  }
}

async function readText(path: string): Promise<Parsed<string>> {
  try {
    const file = await open(path, 'r');
    try {
      const { size } = await file.stat();
      if (size <= FILE_SIZE_MAX) return { value: await file.readFile('utf8') };
    } finally {
      await file.close();
    }
    const problem = `${path} has more than ${FILE_SIZE_MAX} bytes`;
    return { faults: [{ path: '', problem, action: 'name the right file' }] };
  } catch (error) {
    const errno = error instanceof Error && 'code' in error ? error.code : error;
    const problem = `${path} cannot be read (${errno})`;
    const action = 'name a file that is there and that the dock may read';
    return { faults: [{ path: '', problem, action }] };
  }
}

function lineAt(text: string, position: number): number {
  return text.slice(0, position).split('\n').length;
}

function refusal(
  code: 'CONFIG_INVALID' | 'BOARD_INVALID',
  path: string,
  faults: readonly Fault[],
): DockError {
  const lines = faults.map((fault) => `\n  ${formatFault(fault)}`);
  const count = faults.length === 1 ? 'one fault' : `${faults.length} faults`;
  const action = 'Correct every line of the list, then start again.';
  return new DockError(code, `${path} has ${count}:${lines.join('')}`, { action });
}
