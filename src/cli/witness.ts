import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { createDirectory } from '../adapters/fs/durable-file.ts';
import { FsMirrors } from '../adapters/fs/mirrors.ts';
import { MqttWitnessBus } from '../adapters/mqtt/mqtt-witness-bus.ts';
import { sha256, verifyEd25519 } from '../adapters/nacl/ed25519.ts';
import { NodeRandom } from '../adapters/node/node-random.ts';
import { PinoLogger } from '../adapters/node/pino-logger.ts';
import { SystemClock } from '../adapters/node/system-clock.ts';
import { Witness } from '../app/witness.ts';
import type { VerifierKey } from '../core/custody/note.ts';
import { asDockError, DockError } from '../core/errors.ts';
import { parseVerifyPolicy } from '../core/witness/policy.ts';
import { readCredentials } from '../main.ts';
import type { Logger } from '../ports/logger.ts';
import { loadWitnessSigner, VERIFY_POLICY, witnessKeyOf } from './council-keys.ts';
import { printLine } from './output.ts';
import { untilOrphaned, untilSignal } from './until-signal.ts';

interface WitnessOptions {
  readonly broker: string;
  readonly data: string;
  readonly keys: string;
  readonly policy?: string;
  readonly username?: string;
  readonly passwordFile?: string;
  readonly caFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
  readonly once?: boolean;
}

/** What a broker has retained comes at once; after this long without a word there is no more. */
const QUIET_MS = 2_000;
const CONNECT_MS_MAX = 30_000;
/** The policy is read again for a log that it did not name; not for every message of a stranger. */
const REREAD_MS = 1_000;

export function addWitnessCommand(program: Command): void {
  program
    .command('witness')
    .description("The centre's witness: cosigns the docks' custody logs, and keeps a mirror.")
    .requiredOption('--broker <url>', 'mqtt://host:port or mqtts://host:port')
    .requiredOption('--data <dir>', 'the mirrors, one a dock')
    .requiredOption('--keys <dir>', "the council's keys: witness.key and verify-policy.txt")
    .option('--policy <file>', 'the logs that are enrolled (verify-policy.txt of the keys)')
    .option('--username <name>', 'of the broker')
    .option('--password-file <file>', 'of the broker')
    .option('--ca-file <file>', "the broker's authority (PEM)")
    .option('--cert-file <file>', "the witness's certificate (PEM)")
    .option('--key-file <file>', 'the key of that certificate (PEM)')
    .option('--once', 'take what is there and end: 0, or 1 when a log contradicts itself')
    .action(runWitness);
}

async function runWitness(options: WitnessOptions): Promise<void> {
  const logger = new PinoLogger({ level: 'info' });
  const signer = await loadWitnessSigner(resolve(options.keys));
  const folder = resolve(options.data);
  await createDirectory(folder);
  const clock = new SystemClock();
  const bus = composeBus(options, { clock, logger });
  let heardMs = clock.monotonicMs();
  const witness = new Witness({
    ...{ bus, signer, clock, logger, crypto: { sha256, verify: verifyEd25519 } },
    mirrors: new FsMirrors(folder),
    logKeyOf: await enrolment(options, { clock, logger }),
    observer: {
      onCosigned: (dock, treeSize) => {
        heardMs = clock.monotonicMs();
        printLine(`${dock}: ${treeSize} entries cosigned`);
      },
      onFinding: (dock, code) => printLine(`${dock}: ${code}`),
    },
  });
  const ended = Promise.race([untilSignal(), untilOrphaned()]);
  await witness.start();
  printLine(`witness ${witnessKeyOf(signer)}`);
  if (options.once) await takeWhatIsThere({ bus, clock, heardAtMs: () => heardMs, ended });
  else await ended;
  await witness.stop();
  if (options.once && witness.findingCount > 0) process.exitCode = 1;
}

async function takeWhatIsThere({
  bus,
  clock,
  heardAtMs,
  ended,
}: {
  readonly bus: MqttWitnessBus;
  readonly clock: SystemClock;
  readonly heardAtMs: () => number;
  readonly ended: Promise<unknown>;
}): Promise<void> {
  const connected = new Promise<void>((resolve) => {
    bus.onConnectedChange((isConnected) => isConnected && resolve());
  });
  const waiting = new AbortController();
  const late = clock.delay(CONNECT_MS_MAX, waiting.signal).then(
    () => 'late' as const,
    () => 'aborted' as const,
  );
  const first = await Promise.race([connected, ended, late]);
  waiting.abort();
  if (first === 'late') {
    throw new DockError('BROKER_UNREACHABLE', 'the broker cannot be reached', {
      action: 'Check its address, and that it runs.',
    });
  }
  let fromMs = clock.monotonicMs();
  while (clock.monotonicMs() - fromMs < QUIET_MS) {
    await Promise.race([clock.delay(QUIET_MS - (clock.monotonicMs() - fromMs)), ended]);
    fromMs = Math.max(fromMs, heardAtMs());
  }
}

function composeBus(
  { broker, username, ...files }: WitnessOptions,
  parts: { readonly clock: SystemClock; readonly logger: Logger },
): MqttWitnessBus {
  if (!/^(mqtts?|wss?):\/\/[^\s@]+$/.test(broker)) {
    throw new DockError('ARGUMENT_INVALID', 'the broker is not an MQTT address', {
      action: 'Write mqtt://host:port, or mqtts://host:port for TLS.',
    });
  }
  try {
    return new MqttWitnessBus({
      ...{ url: broker, random: new NodeRandom(), ...parts },
      ...(username === undefined ? {} : { username }),
      ...readCredentials(files),
    });
  } catch (error) {
    throw asDockError(error, 'ARGUMENT_INVALID', 'a credential of the broker cannot be read');
  }
}

/** Who may have a log cosigned: the `log` lines of the policy, read again for a name that is not among them. CONFIG_INVALID, KEY_INVALID. */
async function enrolment(
  { keys, policy = join(keys, VERIFY_POLICY) }: WitnessOptions,
  { clock, logger }: { readonly clock: SystemClock; readonly logger: Logger },
): Promise<(origin: string) => Promise<VerifierKey | undefined>> {
  const read = async () => parseVerifyPolicy(await readText(policy), sha256).logs;
  let logs = await read();
  let readAtMs = clock.monotonicMs();
  const find = (origin: string) => logs.find(({ name }) => name === origin);
  return async (origin) => {
    if (find(origin) === undefined && clock.monotonicMs() - readAtMs > REREAD_MS) {
      readAtMs = clock.monotonicMs();
      try {
        logs = await read();
      } catch (error) {
        const { code, message } = asDockError(error, 'CONFIG_INVALID', 'the policy is not read');
        logger.error('policy-refused', { code, why: message });
      }
    }
    return find(origin);
  };
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw asDockError(error, 'CONFIG_INVALID', `${path} cannot be read`);
  }
}
