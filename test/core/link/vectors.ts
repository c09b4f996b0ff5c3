import { readFileSync } from 'node:fs';

/** A file of test/vectors/link. */
export function readVectors<T>(name: string): T {
  const path = new URL(`../../vectors/link/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(path, 'utf8')) as T;
}

export function hex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'hex'));
}
