import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { replaceFile } from '../adapters/fs/durable-file.ts';
import { sha256 } from '../adapters/nacl/ed25519.ts';
import { learnTurn } from '../app/send-order.ts';
import { formatHex, utf8 } from '../core/bytes.ts';
import { parseReason, type ReasonCode } from '../core/custody/entry-grammar.ts';
import { formatNote, parseNote, signNote } from '../core/custody/note.ts';
import { DockError } from '../core/errors.ts';
import type { DockId } from '../core/evidence/clip.ts';
import { cameraDigest } from '../core/evidence/gaps.ts';
import { type OrderAction, ruleOf } from '../core/orders/actions.ts';
import { findSigners } from '../core/orders/decide.ts';
import { formatOrder, type Order, parseOrder, type Subject } from '../core/orders/order.ts';
import { keyDigest } from '../core/orders/roles.ts';
import { NO_ORDERS } from '../core/orders/state.ts';
import {
  type BrokerOptions,
  Centre,
  type CentreOptions,
  dockOf,
  loadSigner,
  loadVerifierKey,
  readText,
} from './centre-files.ts';
import { printJson, printLine } from './output.ts';
import { crypto } from './read-data.ts';
import { addSendOptions, type SendOptions, sendAndReport } from './send.ts';

interface OrderOptions extends CentreOptions, BrokerOptions, SendOptions {
  readonly dock: string;
  readonly key: readonly string[];
  readonly reason?: string;
  readonly reference: readonly string[];
  readonly case?: string;
  readonly camera?: string;
  readonly publicKey?: string;
  readonly expires: number;
  readonly signOnly?: boolean;
  readonly out?: string;
}

const HOUR_MS = 3_600_000;
const DESCRIPTIONS: Readonly<Record<OrderAction, string>> = {
  hold: 'Keep a clip until the hold is lifted. One person signs.',
  lift: 'Lift the hold of a clip. Two people sign.',
  dispose: 'Delete a clip, with a certificate. Two people sign, the protection officer among them.',
  restrict: 'Block the use of a clip; its bytes stay. One person signs.',
  unrestrict: 'End the restriction of a clip. Two people sign.',
  rectify: 'Record an amendment beside a clip.',
  disclose: 'Record that a clip is given to somebody, with the consent or authority.',
  access: "Record a person's request for access and its outcome.",
  complaint: 'Record a complaint and its outcome.',
  policy: 'Record the policy in force. The root key signs.',
  enrol: 'Take a revoked camera or key back. The root key signs.',
  revoke: 'Take a camera or a key out of service. The root key signs.',
};

export function addOrderCommand(action: OrderAction): (program: Command) => void {
  return (program) => {
    const { subjects, reasons } = ruleOf(action);
    const command = program.command(action).description(DESCRIPTIONS[action]);
    if (subjects.includes('clip'))
      command.argument(subjects.length > 1 ? '[clip]' : '<clip>', 'id of the clip');
    if (subjects.includes('policy')) command.argument('<file>', 'the policy document');
    if (subjects.includes('case'))
      command.option('--case <text>', 'a case, of which only the digest leaves this computer');
    if (subjects.includes('camera')) command.option('--camera <serial>', 'the camera');
    if (subjects.includes('key')) command.option('--public-key <file>', 'the .pub file of the key');
    command
      .requiredOption('--dock <site/dock>', 'the dock that is to obey')
      .requiredOption('--key <file>', 'a signing key; give it once for each person', collect, [])
      .option('--reason <code>', reasons.join(', '))
      .option(
        '--reference <file>',
        'what it rests on; only its digest leaves this computer',
        collect,
        [],
      )
      .option('--expires <hours>', 'until when the dock may obey', parseHours, 72)
      .option('--sign-only', 'write the signed order to --out and do not send it')
      .option('--out <file>', 'where the signed order is written');
    addSendOptions(command);
    command.action(async (...args: unknown[]) => {
      const named = subjects.some((kind) => kind === 'clip' || kind === 'policy');
      const options = (named ? args[1] : args[0]) as OrderOptions;
      await runOrder(action, options, named ? (args[0] as string | undefined) : undefined);
    });
  };
}

async function runOrder(
  action: OrderAction,
  options: OrderOptions,
  named: string | undefined,
): Promise<void> {
  const dock = dockOf(options.dock);
  const centre = new Centre(options, options.key[0]);
  const issuedAtMs = Date.now();
  const order: Order = {
    ...{ dock, action, subject: await subjectOf(action, options, named) },
    ...(await turnOf(centre, dock, options)),
    issuedAtMs,
    expiresAtMs: issuedAtMs + options.expires * HOUR_MS,
    reason: reasonOf(action, options.reason),
    references: await Promise.all(options.reference.map(digestOfFile)),
    rolesVersion: (await centre.roles(dock)).version,
  };
  const note = await addSignatures(formatOrder(order), options.key);
  const missing = await missingSignatures(centre, note);
  if (!options.signOnly) {
    if (missing !== undefined) throw notEnough(missing);
    if (options.out !== undefined) await replaceFile(resolve(options.out), utf8(note));
    return await sendAndReport(note, options, options.key[0]);
  }
  if (options.out === undefined) {
    throw new DockError('ARGUMENT_INVALID', '--sign-only needs --out', {
      action: 'Give --out FILE.',
    });
  }
  await replaceFile(resolve(options.out), utf8(note));
  reportSigned(options.out, missing, options.json === true);
}

/** Adds a signature of each key that has not signed yet. */
export async function addSignatures(
  text: string,
  keys: readonly string[],
  before = '',
): Promise<string> {
  const signatures = before === '' ? [] : [...parseNote(before).signatures];
  for (const path of keys) {
    const [signature] = parseNote(signNote(text, await loadSigner(path), sha256)).signatures;
    if (signature === undefined) continue;
    if (!signatures.some(({ name }) => name === signature.name)) signatures.push(signature);
  }
  return formatNote({ text, signatures });
}

/** Who must sign still, by the centre's own roles file; undefined for nobody. */
export async function missingSignatures(centre: Centre, note: string): Promise<string | undefined> {
  const order = parseOrder(parseNote(note).text);
  const roles = await centre.roles(order.dock);
  const authority = {
    ...{ rootKey: await centre.rootKey(), roles, state: { orders: NO_ORDERS } },
    crypto,
  };
  const found = findSigners(note, order, authority);
  return 'detail' in found ? found.detail : undefined;
}

export function notEnough(missing: string): DockError {
  return new DockError('ORDER_SIGNATURES_MISSING', `the order is not signed enough: ${missing}`, {
    action:
      'Add --key FILE for each person, or --sign-only and then docket sign on their computers.',
  });
}

export function reportSigned(path: string, missing: string | undefined, isJson: boolean): void {
  if (isJson) {
    printJson({ out: resolve(path), isComplete: missing === undefined, missing });
    return;
  }
  printLine(`The signed order is in ${path}.`);
  if (missing === undefined) printLine(`It is complete: docket send ${path} --broker URL`);
  else printLine(`Not enough yet: ${missing}. Next: docket sign ${path} --key FILE`);
}

async function turnOf(centre: Centre, dock: DockId, options: OrderOptions) {
  const remembered = await centre.memory(dock).load();
  const isOffline = options.broker === undefined;
  const state = isOffline ? remembered : await learnTurn(await centre.sendDeps(dock, options));
  const { counter = 0, previous = '0'.repeat(64) } = state ?? {};
  return { counter: counter + 1, previous };
}

async function subjectOf(
  action: OrderAction,
  options: OrderOptions,
  named: string | undefined,
): Promise<Subject> {
  const { subjects } = ruleOf(action);
  if (subjects.includes('policy')) return { kind: 'policy', id: await digestOfFile(named ?? '') };
  if (named !== undefined && /^[0-9a-f]{32}$/.test(named)) return { kind: 'clip', id: named };
  if (options.case !== undefined) {
    return { kind: 'case', id: formatHex(sha256(utf8(`docket/case/v1\n${options.case}`))) };
  }
  if (options.camera !== undefined) {
    return { kind: 'camera', id: cameraDigest(options.camera, sha256) };
  }
  if (options.publicKey !== undefined) {
    return { kind: 'key', id: keyDigest(await loadVerifierKey(options.publicKey), sha256) };
  }
  throw new DockError('ARGUMENT_INVALID', `${action} does not say what it is about`, {
    action: `Name ${subjects.join(' or ')}: a clip by the 32 digits of its id.`,
  });
}

function reasonOf(action: OrderAction, text: string | undefined): ReasonCode {
  const { reasons } = ruleOf(action);
  const [only, ...others] = reasons;
  if (text === undefined && others.length === 0 && only !== undefined) return only;
  const reason = parseReason(text ?? '');
  if (reason !== undefined && reasons.includes(reason)) return reason;
  throw new DockError('ARGUMENT_INVALID', `${action} needs a reason`, {
    action: `Give --reason with one of ${reasons.join(', ')}.`,
  });
}

async function digestOfFile(path: string): Promise<string> {
  await readText(path);
  return formatHex(sha256(await readFile(path)));
}

function collect(value: string, before: readonly string[]): string[] {
  return [...before, value];
}

function parseHours(text: string): number {
  const hours = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (hours < 1 || hours > 744) throw new InvalidArgumentError('give hours from 1 to 744');
  return hours;
}
