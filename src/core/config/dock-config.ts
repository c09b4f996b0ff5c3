import { z } from 'zod';
import { baudRate, bayNumber, serialPath } from './board.ts';
import {
  type Fault,
  field,
  findRepeats,
  formatPath,
  items,
  type Parsed,
  parseWith,
} from './faults.ts';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

const pathText = z.string().regex(/^[^\p{Cc}]{1,1024}$/u);
const idPart = z
  .string()
  .regex(/^[a-z0-9-]{1,64}$/)
  .describe('1 to 64 lower-case letters, digits and dashes');

const filePath = pathText.describe('the path of a file, absolute or relative to this document');

const override = z
  .strictObject({ bay: bayNumber, serial: serialPath, baudRate: baudRate.optional() })
  .describe('{ bay, serial, baudRate }');

const recipient = z
  .strictObject({
    role: z
      .string()
      .regex(/^[a-z0-9-]{1,32}$/)
      .describe('who opens with it: evidence, escrow or another name in lower case'),
    recipient: z
      .string()
      // age: an X25519 recipient is Bech32 of 32 bytes; its check digits are the sealer's to verify.
      .regex(/^age1[02-9ac-hj-np-z]{58}$/)
      .describe('an age recipient, age1 and 58 more characters, never an identity'),
  })
  .describe('{ role, recipient }');

const camera = z
  .strictObject({
    serial: z
      .string()
      .regex(/^[A-Za-z0-9._-]{1,32}$/)
      .describe("the camera's serial: 1 to 32 letters, digits, dots, dashes and underscores"),
    publicKey: z
      .string()
      .regex(/^(?!0{64}$)[0-9a-f]{64}$/)
      .describe("the camera's Ed25519 public key, 64 lower-case hex digits, not all zero"),
  })
  .describe('{ serial, publicKey }');

const cameraList = z.array(camera).max(10_000).describe('the cameras, [{ serial, publicKey }]');

const broker = z
  .strictObject({
    url: z
      .string()
      .regex(/^(mqtts?|wss?):\/\/(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(:[0-9]{1,5})?(\/[!-~]*)?$/)
      .describe('mqtt, mqtts, ws or wss://host:port, without a username or password in it'),
    username: z
      .string()
      .regex(/^[^\p{Cc}]{1,256}$/u)
      .optional()
      .describe("the broker's username for this dock"),
    passwordFile: filePath.optional(),
    caFile: filePath.optional(),
    certFile: filePath.optional(),
    keyFile: filePath.optional(),
  })
  .describe('{ url, username, passwordFile, caFile, certFile, keyFile }');

const witness = z
  .strictObject({
    key: z
      .string()
      // C2SP signed-note: NAME+KEYID+BASE64; the key id is checked where a digest can be computed.
      .regex(/^[^\s\p{Cc}+]{1,256}\+[0-9a-f]{8}\+B[A-Za-z0-9+/=]{43,44}$/u)
      .describe("the witness's verifier key, as witness.pub of the council's keys has it"),
    jumpDays: z
      .int()
      .min(1)
      .max(3_650)
      .default(14)
      .describe('days that its time may move on while the dock is off, 1 to 3650'),
  })
  .describe('{ key, jumpDays }');

const orders = z
  .strictObject({
    rootKey: z
      .string()
      // C2SP signed-note: NAME+KEYID+BASE64; the key id is checked where a digest can be computed.
      .regex(/^[^\s\p{Cc}+]{1,256}\+[0-9a-f]{8}\+A[A-Za-z0-9+/=]{43,44}$/u)
      .describe("the council's root key, as role-root.pub of its keys has it"),
    rolesFile: filePath.optional(),
  })
  .describe('{ rootKey, rolesFile }');

export const dockConfigSchema = z
  .strictObject({
    site: idPart,
    dock: idPart,
    dataDir: pathText.describe('the folder of the evidence, absolute or relative to this document'),
    board: filePath,
    bays: z.array(override).max(64).default([]).describe('serial lines that replace the board’s'),
    recipients: z
      .array(recipient)
      .min(2)
      .max(16)
      .describe('two or more recipients, the evidence team and an escrow kept offline'),
    cameras: cameraList.default([]),
    camerasFile: filePath.optional(),
    allowKeylessCameras: z
      .boolean()
      .default(false)
      .describe('true to accept cameras without a key; their manifests say so'),
    broker: broker.optional(),
    witness: witness.optional(),
    orders: orders.optional(),
    segmentMiB: z.int().min(1).max(1_024).default(64).describe('MiB of a clip in one segment'),
    reserveMiB: z
      .int()
      .min(16)
      .max(1_048_576)
      .default(256)
      .describe('MiB that the vault leaves free on its disk'),
    ingestsMax: z
      .int()
      .min(1)
      .max(64)
      .optional()
      .describe('bays that take clips at once at most; left out, the dock finds it'),
    cameraClockOffsetMinutesMax: z
      .int()
      .min(1)
      .max(1_440)
      .default(5)
      .describe('minutes by which a camera’s clock may be off without an alarm'),
    retentionDays: z.int().min(1).max(3_650).default(60).describe('days, 1 to 3650'),
    logLevel: z.enum(LOG_LEVELS).default('info').describe('debug, info, warn, error or silent'),
  })
  .describe('{ site, dock, dataDir, board, recipients, cameras, ... }');

export type DockConfig = z.output<typeof dockConfigSchema>;
export type CameraConfig = DockConfig['cameras'][number];
export type WitnessConfig = NonNullable<DockConfig['witness']>;
export type OrdersConfig = NonNullable<DockConfig['orders']>;
export type BrokerConfig = NonNullable<DockConfig['broker']>;

export type DockConfigResult =
  | { readonly config: DockConfig }
  | { readonly faults: readonly Fault[] };

/** Every fault at once; no fault repeats a value of the document. */
export function parseDockConfig(value: unknown): DockConfigResult {
  const parsed = parseWith(dockConfigSchema, value, crossCheck);
  return 'faults' in parsed ? parsed : { config: parsed.value };
}

/** The list of a `camerasFile`. */
export function parseCameraList(value: unknown): Parsed<readonly CameraConfig[]> {
  return parseWith(cameraList, value, (list) => checkCameras([{ path: '', list }]));
}

export interface CameraSource {
  /** Before the index: `cameras`, or empty. */
  readonly path: string;
  readonly list: unknown;
}

/** A serial or a key that two cameras share would let one sign for the other. */
export function checkCameras(sources: readonly CameraSource[]): Fault[] {
  const at = (key: string) =>
    sources.flatMap(({ path, list }) =>
      items(list).map((entry, index) => ({
        path: `${path}[${index}].${key}`,
        value: field(entry, key),
      })),
    );
  return [
    ...findRepeats(at('serial'), 'this serial', 'list each camera once'),
    ...findRepeats(at('publicKey'), 'this key', 'register each camera with a key of its own'),
  ];
}

function crossCheck(value: unknown): Fault[] {
  return [
    ...checkOverrides(value),
    ...checkRecipients(value),
    ...checkCameras([{ path: 'cameras', list: field(value, 'cameras') }]),
    ...checkBroker(field(value, 'broker')),
    ...checkWitness(value),
  ];
}

function checkWitness(value: unknown): Fault[] {
  if (field(value, 'witness') === undefined || field(value, 'broker') !== undefined) return [];
  const action = 'write the broker through which the witness is reached';
  return [{ path: 'broker', problem: 'it is missing', action }];
}

function checkOverrides(value: unknown): Fault[] {
  const at = (key: string) =>
    items(field(value, 'bays')).map((entry, index) => ({
      path: formatPath(['bays', index, key]),
      value: field(entry, key),
    }));
  return [
    ...findRepeats(at('bay'), 'this bay', 'list each bay once'),
    ...findRepeats(at('serial'), 'this serial line', 'give each bay a serial line of its own'),
  ];
}

function checkRecipients(value: unknown): Fault[] {
  const entries = items(field(value, 'recipients'));
  const at = (key: string) =>
    entries.map((entry, index) => ({
      path: formatPath(['recipients', index, key]),
      value: field(entry, key),
    }));
  const identities = at('recipient').filter(
    ({ value: text }) => typeof text === 'string' && /age-secret-key/i.test(text),
  );
  return [
    ...findRepeats(at('role'), 'this role', 'give each recipient a role of its own'),
    ...findRepeats(at('recipient'), 'this recipient', 'list each recipient once'),
    ...identities.map(({ path }) => ({
      path,
      problem: 'it is a secret identity, which opens clips and must never be on a dock',
      action: 'take it off this machine, make new council keys and write their recipients here',
    })),
  ];
}

function checkBroker(broker: unknown): Fault[] {
  const given = (key: string) => field(broker, key) !== undefined;
  const faults: Fault[] = [];
  const report = (key: string, problem: string, action: string) =>
    faults.push({ path: formatPath(['broker', key]), problem, action });
  if (given('certFile') && !given('keyFile')) {
    report('keyFile', 'it is missing', 'write the path of the key that belongs to certFile');
  }
  if (given('keyFile') && !given('certFile')) {
    report('certFile', 'it is missing', 'write the path of the certificate that keyFile is for');
  }
  if (given('passwordFile') && !given('username')) {
    report('username', 'it is missing', 'write the username that the password is for');
  }
  const url = field(broker, 'url');
  if (typeof url === 'string' && /^(mqtt|ws):/.test(url)) {
    for (const key of ['caFile', 'certFile', 'keyFile'].filter(given)) {
      report(key, 'the broker’s url is not encrypted', 'write an mqtts:// or wss:// url');
    }
  }
  return faults;
}
