import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createDirectory, createFile } from '../adapters/fs/durable-file.ts';
import { createSigner } from '../adapters/fs/key-files.ts';
import {
  formatIdentityFile,
  formatRecipient,
  generateKeyPair,
  parseRecipient,
} from '../adapters/nacl/age-keys.ts';
import { sha256 } from '../adapters/nacl/ed25519.ts';
import { NodeRandom } from '../adapters/node/node-random.ts';
import { utf8 } from '../core/bytes.ts';
import { DockError } from '../core/errors.ts';
import { makeSigner, verifierKeyOf } from '../main.ts';

export const VERIFY_POLICY = 'verify-policy.txt';
const RECIPIENT_ROLES = ['evidence', 'escrow'] as const;
/** Who may sign orders; `root` stays offline and changes the others. */
const SIGNING_ROLES = ['evidence-manager', 'protection-officer', 'supervisor', 'root'] as const;

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
  for (const role of SIGNING_ROLES) {
    await createSigner({ folder, file: `role-${role}`, name: `council/${role}` }, deps);
  }
  const witness = await createSigner({ folder, file: 'witness', name: 'council/witness' }, deps);
  const policy = [
    '# Which logs and witnesses a verifier believes (C2SP tlog-policy).',
    '# Add a line `log <vkey>` for each dock: its `keys/log.pub`, carried over by hand.',
    `witness centre ${verifierKeyOf(witness)}`,
    'quorum none',
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
