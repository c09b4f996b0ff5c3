import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { readIfPresent, replaceFile } from '../adapters/fs/durable-file.ts';
import { MqttOrderLine } from '../adapters/mqtt/mqtt-order-line.ts';
import { sha256 } from '../adapters/nacl/ed25519.ts';
import { NodeRandom } from '../adapters/node/node-random.ts';
import { SystemClock } from '../adapters/node/system-clock.ts';
import type { CentreMemory, SendDeps } from '../app/send-order.ts';
import { parseUtf8, utf8 } from '../core/bytes.ts';
import { parseVerifierKey, type VerifierKey } from '../core/custody/note.ts';
import { parsePrivateKey } from '../core/custody/private-key.ts';
import { asDockError, DockError } from '../core/errors.ts';
import { type DockId, parseDockId } from '../core/evidence/clip.ts';
import { type CentreState, parseCentreState } from '../core/orders/centre.ts';
import { type RolesFile, verifyRoles } from '../core/orders/roles.ts';
import { parseVerifyPolicy } from '../core/witness/policy.ts';
import { makeSigner, parseRootKey, readCredentials } from '../main.ts';
import type { Signer } from '../ports/signer.ts';
import { ROLES_NOTE, ROOT_KEY, VERIFY_POLICY } from './council-keys.ts';
import { crypto } from './read-data.ts';

export const STATE_FILE = 'orders-state.json';

export interface CentreOptions {
  /** Folder of the files below, where they are not given. */
  readonly keys?: string;
  readonly roles?: string;
  readonly root?: string;
  readonly policy?: string;
  readonly state?: string;
}

export interface BrokerOptions {
  readonly broker?: string;
  readonly username?: string;
  readonly passwordFile?: string;
  readonly caFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
}

/** What a centre knows of a dock before it speaks to it. */
export class Centre {
  readonly #options: CentreOptions;
  readonly #folder: string;

  /** `beside`: a key or an order; the other files are looked for where it lies. */
  constructor(options: CentreOptions, beside: string | undefined) {
    this.#options = options;
    this.#folder = options.keys ?? dirname(beside ?? '.');
  }

  async rootKey(): Promise<VerifierKey> {
    const text = await readText(this.#options.root ?? join(this.#folder, ROOT_KEY));
    return parseRootKey(text.trim());
  }

  async roles(dock: DockId): Promise<RolesFile> {
    const note = await readText(this.#options.roles ?? join(this.#folder, ROLES_NOTE));
    return verifyRoles(note, { rootKey: await this.rootKey(), dock, crypto });
  }

  /** KEY_INVALID when nobody has brought the dock's log key. */
  async logKey(dock: DockId): Promise<VerifierKey> {
    const path = this.#options.policy ?? join(this.#folder, VERIFY_POLICY);
    const key = parseVerifyPolicy(await readText(path), sha256).logs.find(
      ({ name }) => name === `${dock}/log`,
    );
    if (key !== undefined) return key;
    throw new DockError('KEY_INVALID', `${path} has no key of the log of ${dock}`, {
      action: "Add a line `log` with keys/log.pub of the dock's data folder, carried over by hand.",
    });
  }

  memory(dock: DockId): CentreMemory {
    const path = this.#options.state ?? join(this.#folder, STATE_FILE);
    const readAll = async (): Promise<Record<string, unknown>> =>
      parseStates(path, await readIfPresent(path));
    return {
      load: async () => {
        const value = (await readAll())[dock];
        const state = parseCentreState(value);
        if (value !== undefined && state === undefined) throw damaged(path);
        return state;
      },
      save: async (state: CentreState) => {
        const states = { ...(await readAll()), [dock]: state };
        await replaceFile(path, utf8(`${JSON.stringify(states, null, 2)}\n`));
      },
    };
  }

  async sendDeps(dock: DockId, options: BrokerOptions): Promise<SendDeps> {
    return {
      line: lineTo(dock, options),
      memory: this.memory(dock),
      clock: new SystemClock(),
      logKey: await this.logKey(dock),
      crypto,
    };
  }
}

/** ARGUMENT_INVALID when the file is not one; empty when there is none. */
export async function readStates(path: string): Promise<Map<DockId, CentreState>> {
  const states = new Map<DockId, CentreState>();
  for (const [name, value] of Object.entries(parseStates(path, await readIfPresent(path)))) {
    const state = parseCentreState(value);
    const dock = parseDockId(name);
    if (state === undefined || dock === undefined) throw damaged(path);
    states.set(dock, state);
  }
  return states;
}

export function lineTo(dock: DockId, { broker, username, ...files }: BrokerOptions): MqttOrderLine {
  if (broker === undefined || !/^(mqtts?|wss?):\/\/[^\s@]+$/.test(broker)) {
    throw new DockError('ARGUMENT_INVALID', 'the broker is not an MQTT address', {
      action: 'Give --broker mqtt://host:port, or mqtts://host:port for TLS.',
    });
  }
  try {
    return new MqttOrderLine({
      ...{ url: broker, dock, random: new NodeRandom() },
      ...(username === undefined ? {} : { username }),
      ...readCredentials(files),
    });
  } catch (error) {
    throw asDockError(error, 'ARGUMENT_INVALID', 'a credential of the broker cannot be read');
  }
}

/** KEY_INVALID never repeats what it refuses. */
export async function loadSigner(path: string): Promise<Signer> {
  const { name, seed } = parsePrivateKey(await readText(path));
  return makeSigner(name, seed);
}

export async function loadVerifierKey(path: string): Promise<VerifierKey> {
  return parseVerifierKey((await readText(path)).trim(), sha256);
}

export async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw asDockError(error, 'ARGUMENT_INVALID', `${path} cannot be read`);
  }
}

export function dockOf(text: string): DockId {
  const dock = parseDockId(text);
  if (dock !== undefined) return dock;
  throw new DockError('ARGUMENT_INVALID', 'a dock is written SITE/DOCK, in lower case');
}

function parseStates(path: string, bytes: Uint8Array | undefined): Record<string, unknown> {
  if (bytes === undefined) return {};
  try {
    const value: unknown = JSON.parse(parseUtf8(bytes) ?? '');
    if (typeof value === 'object' && value !== null) return { ...value };
  } catch (error) {
    throw damaged(path, error);
  }
  throw damaged(path);
}

function damaged(path: string, cause?: unknown): DockError {
  return new DockError('ARGUMENT_INVALID', `${path} does not hold where the orders stand`, {
    cause,
    action: 'Move it away: the next order learns from the newest receipt of the dock.',
  });
}
