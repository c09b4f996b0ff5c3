import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createDirectory, createFile } from '../adapters/fs/durable-file.ts';
import { createSigner, type KeyPlace, loadOrCreateSigner } from '../adapters/fs/key-files.ts';
import {
  formatIdentityFile,
  formatRecipient,
  generateKeyPair,
  parseRecipient,
} from '../adapters/nacl/age-keys.ts';
import { sha256 } from '../adapters/nacl/ed25519.ts';
import { NodeRandom } from '../adapters/node/node-random.ts';
import { utf8 } from '../core/bytes.ts';
import { ed25519Key, formatVerifierKey, signNote } from '../core/custody/note.ts';
import { DockError } from '../core/errors.ts';
import type { Role } from '../core/orders/actions.ts';
import { formatRoles, type RoleKey } from '../core/orders/roles.ts';
import { COSIGNATURE_TYPE, cosignatureKey } from '../core/witness/cosignature.ts';
import { makeSigner } from '../main.ts';
import type { Signer } from '../ports/signer.ts';

export const VERIFY_POLICY = 'verify-policy.txt';
export const ROLES_NOTE = 'roles.note';
export const ROOT_KEY = 'role-root.pub';
const RECIPIENT_ROLES = ['evidence', 'escrow'] as const;
/** Who may sign orders; `root` stays offline and changes the others. */
const SIGNING_ROLES = {
  operator: 'operator',
  'evidence-manager': 'evidence',
  'protection-officer': 'protection-officer',
} as const satisfies Record<string, Role>;

export interface CouncilRecipient {
  readonly role: string;
  readonly recipient: string;
}

/** Makes every key of a council in an empty or new folder. VAULT_EXISTS when one is there already. */
export async function createCouncilKeys(folder: string): Promise<readonly CouncilRecipient[]> {
  await refuseDock(folder);
  const random = new NodeRandom();
  await createDirectory(folder);
  const recipients: CouncilRecipient[] = [];
  for (const role of RECIPIENT_ROLES) {
    const pair = generateKeyPair(random);
    const recipient = formatRecipient(pair.recipient);
    const identityFile = utf8(formatIdentityFile(pair.identity, new Date()));
    await createFile(join(folder, `${role}.identity.txt`), identityFile);
    await createFile(join(folder, `${role}.recipient.txt`), utf8(`${recipient}\n`));
    recipients.push({ role, recipient });
  }
  const deps = { random, sha256, makeSigner };
  const keys: RoleKey[] = [];
  for (const [file, role] of Object.entries(SIGNING_ROLES)) {
    const key = await createSigner({ folder, file: `role-${file}`, name: `council/${file}` }, deps);
    keys.push({ key: ed25519Key(key.name, key.publicKey), roles: [role] });
  }
  const root = await createSigner({ folder, file: 'role-root', name: 'council/root' }, deps);
  const roles = formatRoles({ version: 1, docks: '*/*', keys }, sha256);
  await createFile(join(folder, ROLES_NOTE), utf8(signNote(roles, root, sha256)));
  const witness = await createSigner(witnessPlace(folder), deps);
  const policy = [
    '# Which logs and witnesses a verifier believes (C2SP tlog-policy).',
    '# Add a line `log <vkey>` for each dock: its `keys/log.pub`, carried over by hand.',
    '# `root` is the key of the roles file, which says who may sign orders.',
    `witness ${witnessKeyOf(witness)}`,
    'quorum 1',
    `root ${formatVerifierKey(ed25519Key(root.name, root.publicKey), sha256)}`,
  ];
  await createFile(join(folder, VERIFY_POLICY), utf8(`${policy.join('\n')}\n`));
  return recipients;
}

export async function readRecipients(folder: string): Promise<readonly CouncilRecipient[]> {
  const recipients: CouncilRecipient[] = [];
  for (const role of RECIPIENT_ROLES) {
    const recipient = (await readFile(join(folder, `${role}.recipient.txt`), 'utf8')).trim();
    parseRecipient(recipient);
    recipients.push({ role, recipient });
  }
  return recipients;
}

/** For whoever runs the witness. KEY_INVALID when the keys are not there. */
export async function loadWitnessSigner(folder: string): Promise<Signer> {
  const place = witnessPlace(folder);
  if (!(await isThere(join(folder, `${place.file}.key`)))) {
    throw new DockError('KEY_INVALID', `${folder} has no ${place.file}.key`, {
      action: "Make the council's keys with docket keygen, and give --keys their folder.",
    });
  }
  return await loadOrCreateSigner(place, { random: new NodeRandom(), sha256, makeSigner });
}

/** The verifier key under which the witness cosigns. */
export function witnessKeyOf({ name, publicKey }: Signer): string {
  return formatVerifierKey(cosignatureKey(name, publicKey), sha256);
}

function witnessPlace(folder: string): KeyPlace {
  return { folder, file: 'witness', name: 'council/witness', type: COSIGNATURE_TYPE };
}

export async function hasCouncilKeys(folder: string): Promise<boolean> {
  return await isThere(join(folder, 'evidence.recipient.txt'));
}

/** The identities that open clips must never lie where the clips do. */
async function refuseDock(folder: string): Promise<void> {
  if ((await isThere(join(folder, 'vault'))) || (await isThere(join(folder, 'custody')))) {
    throw new DockError('ARGUMENT_INVALID', `${folder} is the data folder of a dock`, {
      action: "Make the council's keys on another computer, in a folder of their own.",
    });
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}
