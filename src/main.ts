import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { ResolvedDockConfig } from './adapters/fs/config-file.ts';
import { FsCustodyStore } from './adapters/fs/custody-store.ts';
import { createDirectory, durableFile, sweepTemporaries } from './adapters/fs/durable-file.ts';
import { KEYS_FOLDER, loadOrCreateSigner } from './adapters/fs/key-files.ts';
import { FsOrderStore } from './adapters/fs/order-store.ts';
import { FsVault } from './adapters/fs/vault.ts';
import { AbsentBoard } from './adapters/gpio/absent-board.ts';
import { LowdbStateCache } from './adapters/lowdb/state-cache.ts';
import { AbsentBroker } from './adapters/mqtt/absent-broker.ts';
import { MqttStatusBroker } from './adapters/mqtt/mqtt-status-broker.ts';
import { parseRecipients } from './adapters/nacl/age-file.ts';
import { NaclSigner, sha256, verifyEd25519 } from './adapters/nacl/ed25519.ts';
import { loadNative } from './adapters/native/loader.ts';
import { NativeFrameReader } from './adapters/native/native-frame-reader.ts';
import { NativeSealer } from './adapters/native/native-sealer.ts';
import { packageVersion } from './adapters/native/package-info.ts';
import { NodeRandom } from './adapters/node/node-random.ts';
import { PinoLogger } from './adapters/node/pino-logger.ts';
import { SystemClock } from './adapters/node/system-clock.ts';
import { SerialCameraLink } from './adapters/serial/serial-camera-link.ts';
import { SimulatedBoard } from './adapters/simulated/simulated-board.ts';
import { ClipIndex } from './app/clip-index.ts';
import { CustodyLog } from './app/custody-log.ts';
import { Dock } from './app/dock.ts';
import type { DockObserver } from './app/dock-deps.ts';
import type { Evidence } from './app/evidence.ts';
import type { OrdersSetup } from './app/orders.ts';
import { TrustedClock } from './app/trusted-clock.ts';
import { formatHex } from './core/bytes.ts';
import type { BoardConfig } from './core/config/board.ts';
import type { BrokerConfig } from './core/config/dock-config.ts';
import {
  ED25519_TYPE,
  ed25519Key,
  formatVerifierKey,
  parseVerifierKey,
  type VerifierKey,
} from './core/custody/note.ts';
import { asDockError, DockError } from './core/errors.ts';
import { cameraDigest } from './core/evidence/gaps.ts';
import { TIME_POLICY } from './core/time/trusted-time.ts';
import { COSIGNATURE_TYPE } from './core/witness/cosignature.ts';
import type { Board } from './ports/board.ts';
import type { CameraRegistry } from './ports/camera-link.ts';
import type { Clock } from './ports/clock.ts';
import type { Logger } from './ports/logger.ts';
import type { Random } from './ports/random.ts';
import { type DockKeys, KEY_PURPOSES, type KeyPurpose, type Signer } from './ports/signer.ts';
import type { StatusBroker } from './ports/status-broker.ts';

export interface ComposeOptions {
  /** Takes the place of the board that the configuration names. */
  readonly board?: Board;
  readonly observer?: DockObserver;
  readonly logger?: Logger;
  /** The first connection to the broker waits a random part of this. */
  readonly brokerDelayMsMax?: number;
}

export interface ComposedDock {
  readonly dock: Dock;
  readonly keys: DockKeys;
  readonly evidence: Evidence;
}

interface Parts {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

const DAY_MS = 86_400_000;
const crypto = { sha256, verify: verifyEd25519 };

/** Builds the dock of a configuration; its keys are made if this is its first start. KEY_INVALID, RECIPIENT_INVALID, NATIVE_UNAVAILABLE. */
export async function composeDock(
  config: ResolvedDockConfig,
  options: ComposeOptions = {},
): Promise<ComposedDock> {
  const logger = options.logger ?? new PinoLogger({ level: config.logLevel });
  const parts: Parts = { clock: new SystemClock(), random: new NodeRandom(), logger };
  const keys = await loadDockKeys(config, parts.random);
  const evidence = composeEvidence(config, keys, parts);
  const dock = new Dock({
    evidence,
    link: composeLink(config, evidence, parts),
    board: options.board ?? (await composeBoard(config, parts)),
    broker: composeBroker(config, { ...parts, ...options }),
    witness: config.witness === undefined ? undefined : parseWitnessKey(config.witness.key),
    orders: composeOrdersSetup(config, logger),
    bays: config.board.bays.map(({ bay }) => bay),
    version: packageVersion(),
    retentionDays: config.retentionDays,
    cores: availableParallelism(),
    ingestsMax: config.ingestsMax,
    cameraClockOffsetMsMax: config.cameraClockOffsetMsMax,
    description: {
      schema: 1,
      dock: config.dockId,
      board: config.board.name,
      bays: config.board.bays.map(({ bay }) => bay),
      recipients: evidence.sealer.recipientCount,
      recipientsSha256: evidence.sealer.recipientsSha256,
      keys: Object.fromEntries(
        KEY_PURPOSES.map((purpose) => [purpose, verifierKeyOf(keys[purpose])]),
      ),
      software: 'docket',
      version: packageVersion(),
    },
    ...(options.observer === undefined ? {} : { observer: options.observer }),
  });
  return { dock, keys, evidence };
}

export function verifierKeyOf({ name, publicKey }: Signer): string {
  return formatVerifierKey(ed25519Key(name, publicKey), sha256);
}

/** KEY_INVALID unless it is the key of a witness. */
export function parseWitnessKey(text: string): VerifierKey {
  const key = parseVerifierKey(text, sha256);
  if (key.type === COSIGNATURE_TYPE && key.publicKey.length === 32) return key;
  throw new DockError('KEY_INVALID', `the key of ${key.name} is not the key of a witness`, {
    action: 'Write the line of witness.pub, which docket keygen makes.',
  });
}

/** A roles file that cannot be read must not keep a dock from its cameras: it takes no orders then, and says so. */
function composeOrdersSetup({ dataDir, orders }: ResolvedDockConfig, logger: Logger): OrdersSetup {
  const store = new FsOrderStore(dataDir);
  if (orders === undefined) return { store };
  const rootKey = parseRootKey(orders.rootKey);
  if (orders.rolesFile === undefined) return { store, rootKey };
  try {
    return { store, rootKey, configuredRoles: readFileSync(orders.rolesFile, 'utf8') };
  } catch (error) {
    const { code, message } = asDockError(error, 'ROLES_MISSING', 'the roles file is not read');
    logger.error('roles-refused', { code, why: message });
    return { store, rootKey };
  }
}

/** KEY_INVALID unless it is an Ed25519 key. */
export function parseRootKey(text: string): VerifierKey {
  const key = parseVerifierKey(text, sha256);
  if (key.type === ED25519_TYPE) return key;
  throw new DockError('KEY_INVALID', `the key of ${key.name} cannot sign roles`, {
    action: 'Write the line of role-root.pub, which docket keygen makes.',
  });
}

export function makeSigner(name: string, seed: Uint8Array): Signer {
  return new NaclSigner(name, seed);
}

async function loadDockKeys(config: ResolvedDockConfig, random: Random): Promise<DockKeys> {
  const folder = join(config.dataDir, KEYS_FOLDER);
  await createDirectory(folder);
  await sweepTemporaries(folder);
  const load = (purpose: KeyPurpose): Promise<Signer> =>
    loadOrCreateSigner(
      { folder, file: purpose, name: `${config.dockId}/${purpose}` },
      { random, sha256, makeSigner },
    );
  return {
    link: await load('link'),
    manifest: await load('manifest'),
    log: await load('log'),
    receipt: await load('receipt'),
  };
}

function composeEvidence(
  config: ResolvedDockConfig,
  keys: DockKeys,
  { clock, random, logger }: Parts,
): Evidence {
  const { dataDir, reserveBytes, segmentBytes, witness } = config;
  const jumpMsMax = (witness?.jumpDays ?? 0) * DAY_MS || TIME_POLICY.jumpMsMax;
  const recipients = config.recipients.map(({ recipient }) => recipient);
  const boot = formatHex(randomBytes(4));
  const custody = new CustodyLog({
    ...{ crypto, clock, logger, boot },
    store: new FsCustodyStore(join(dataDir, 'custody')),
    cache: new LowdbStateCache(durableFile(join(dataDir, 'cache.json'))),
    logKey: keys.log,
  });
  return {
    ...{ custody, keys, crypto, clock, random, logger, boot, segmentBytes },
    dock: config.dockId,
    time: new TrustedClock(clock, { ...TIME_POLICY, jumpMsMax }),
    vault: new FsVault({ dataDir, reserveBytes }),
    sealer: new NativeSealer({
      recipients,
      native: loadNative(),
      points: parseRecipients(recipients),
    }),
    index: new ClipIndex(),
    software: `docket/${packageVersion()}`,
  };
}

function composeLink(
  config: ResolvedDockConfig,
  { keys, custody }: Evidence,
  { clock, random, logger }: Parts,
): SerialCameraLink {
  const native = loadNative();
  const cameras = new Map(config.cameras.map(({ serial, publicKey }) => [serial, publicKey]));
  const registry: CameraRegistry = {
    publicKeyOf: (serial) => {
      const { revoked } = custody.state.orders;
      return revoked.includes(cameraDigest(serial, sha256)) ? undefined : cameras.get(serial);
    },
    allowKeyless: config.allowKeylessCameras,
  };
  const bays = config.board.bays.map(({ bay, serial, ...line }) => {
    const { baudRate, baudRateMax, rtscts, fixed } = line;
    return [bay, { path: serial, baudRate, baudRateMax, rtscts, fixed }] as const;
  });
  return new SerialCameraLink({
    ...{ registry, clock, random, logger, verify: verifyEd25519 },
    bays: new Map(bays),
    dockId: config.dockId,
    linkKey: keys.link,
    openReader: (fd, onNews) => new NativeFrameReader(native, fd, onNews),
  });
}

async function composeBoard(config: ResolvedDockConfig, { clock, logger }: Parts): Promise<Board> {
  const { board } = config;
  if (board.gpio === 'sysfs') return await composeGpioBoard(board, clock);
  return new SimulatedBoard({
    name: board.name,
    bays: board.bays.map(({ bay }) => bay),
    onLight: (bay, light) => logger.info('light', { bay, light }),
  });
}

/** onoff brings a native module that needs a C++ compiler; only a dock with real lines loads it. */
async function composeGpioBoard(board: BoardConfig, clock: Clock): Promise<Board> {
  try {
    const { OnoffBoard } = await import('./adapters/gpio/onoff-board.ts');
    return new OnoffBoard(board, { clock });
  } catch (error) {
    return new AbsentBoard(board.name, {
      code: 'GPIO_UNAVAILABLE',
      message: `onoff cannot be loaded: ${error instanceof Error ? error.message : String(error)}`,
      action: 'Install g++, run npm run setup, and restart the dock.',
    });
  }
}

function composeBroker(
  config: ResolvedDockConfig,
  parts: Parts & Pick<ComposeOptions, 'brokerDelayMsMax'>,
): StatusBroker | undefined {
  if (config.broker === undefined) return undefined;
  const { clock, random, logger, brokerDelayMsMax } = parts;
  const { url, username } = config.broker;
  try {
    return new MqttStatusBroker({
      ...{ url, clock, random, logger, dock: config.dockId },
      ...(username === undefined ? {} : { username }),
      ...(brokerDelayMsMax === undefined ? {} : { firstDelayMsMax: brokerDelayMsMax }),
      ...readCredentials(config.broker),
    });
  } catch (error) {
    return new AbsentBroker(asDockError(error, 'BROKER_REFUSED', 'the broker cannot be used'));
  }
}

/** Throws what the file system says of a file that cannot be read. */
export function readCredentials({
  passwordFile,
  caFile,
  certFile,
  keyFile,
}: Omit<BrokerConfig, 'url' | 'username'>) {
  const read = (path: string): string => readFileSync(path, 'utf8');
  return {
    ...(passwordFile === undefined ? {} : { password: read(passwordFile).trimEnd() }),
    tls: {
      ...(caFile === undefined ? {} : { ca: read(caFile) }),
      ...(certFile === undefined ? {} : { cert: read(certFile) }),
      ...(keyFile === undefined ? {} : { key: read(keyFile) }),
    },
  };
}
