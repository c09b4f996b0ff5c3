import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseHex } from '../../../src/core/bytes.ts';
import { ed25519Key } from '../../../src/core/custody/note.ts';
import { formatReceipt, verifyReceipt } from '../../../src/core/custody/receipt.ts';
import { testCrypto } from './keys.ts';

interface Keys {
  readonly dock: string;
  readonly serial: string;
  readonly receipt: { readonly publicKey: string };
}

interface ReceiptCase {
  readonly name: string;
  readonly ok: boolean;
  readonly counter: number;
  readonly note: string;
}

function vectors<T>(name: string): T {
  const path = new URL(`../../vectors/link/${name}`, import.meta.url);
  return JSON.parse(readFileSync(path, 'utf8')) as T;
}

const keys = vectors<Keys>('keys.json');
const cases = vectors<readonly ReceiptCase[]>('receipts.json');
const publicKey = parseHex(keys.receipt.publicKey, 32) ?? new Uint8Array(0);
const trusted = [ed25519Key(`${keys.dock}/receipt`, publicKey)];

/** What a camera decides: the receipt holds, and speaks of its own clip (SPEC 7). */
function cameraErases({ note, counter }: ReceiptCase, record: ReceiptCase): boolean {
  const { receipt } = verifyReceipt(note, trusted, testCrypto);
  const own = verifyReceipt(record.note, trusted, testCrypto).receipt;
  if (receipt === undefined || own === undefined) return false;
  return (
    receipt.dock === keys.dock &&
    receipt.camera === keys.serial &&
    receipt.counter === counter &&
    receipt.sizeBytes === own.sizeBytes &&
    receipt.sha256 === own.sha256
  );
}

const receipts = suite('receipt vectors of the link');

receipts('are read and judged as the camera judges them', () => {
  const record = cases.find(({ ok, counter }) => ok && counter === 3);
  assert.ok(record);
  if (record === undefined) return;
  for (const one of cases) assert.is(cameraErases(one, record), one.ok, one.name);
});

receipts('are written letter for letter', () => {
  for (const { note, ok } of cases) {
    const { receipt } = verifyReceipt(note, trusted, testCrypto);
    if (ok && receipt) assert.ok(note.startsWith(`${formatReceipt(receipt)}\n`));
  }
});

receipts.run();
