// node --import tsx test/vectors/link/write.ts [--check]
import { readFileSync, writeFileSync } from 'node:fs';
import * as cases from './cases.ts';

const HERE = new URL('./', import.meta.url);
const HEADER = new URL('../../../firmware-bridge/test/vectors.h', import.meta.url);

/** A C string literal of hex, cut into lines that a compiler of 1999 still takes. */
function literal(hexDigits: string): string {
  const lines = hexDigits.match(/.{1,96}/g) ?? [''];
  return lines.map((line) => `"${line}"`).join('\n     ');
}

const hexOf = (text: string) => Buffer.from(text).toString('hex');

/** What the C tests read: they have no JSON. */
function header(): string {
  const keys = cases.keys() as Record<string, string & { publicKey: string }>;
  const text = [
    '/* Written by test/vectors/link/write.ts from fixed seeds. */',
    '#ifndef FWB_TEST_VECTORS_H',
    '#define FWB_TEST_VECTORS_H',
    `#define VECTOR_DOCK "${cases.DOCK}"`,
    `#define VECTOR_SERIAL "${cases.SERIAL}"`,
    ...['camera', 'link', 'receipt', 'foreign'].map(
      (name) => `#define VECTOR_${name.toUpperCase()}_KEY "${keys[name]?.publicKey}"`,
    ),
    `#define VECTOR_CAMERA_NONCE "${(cases.transcripts() as { cameraNonce: string }[])[0]?.cameraNonce}"`,
    `static const char *const VECTOR_CLIP = ${literal(keys.clip as string)};`,
    'typedef struct { const char *key; const char *message; const char *signature; } vector_signed;',
    'static const vector_signed VECTOR_SIGNED[] = {',
    ...cases
      .signed()
      .map((s) => `  {"${s.key}",\n     ${literal(s.message)},\n     ${literal(s.signature)}},`),
    '};',
    'typedef struct { const char *name; int ok; const char *record; } vector_record;',
    'static const vector_record VECTOR_RECORDS[] = {',
    ...(cases.records() as { name: string; ok: boolean; reason?: string; record: string }[]).map(
      (r) => `  {"${r.name}", ${r.ok ? 1 : r.reason === 'grammar' ? 0 : 2}, ${literal(r.record)}},`,
    ),
    '};',
    'typedef struct { const char *name; const char *bytes; int frames; int frames_after_gap; int discarded; } vector_stream;',
    'static const vector_stream VECTOR_STREAMS[] = {',
    ...(
      cases.streams() as {
        name: string;
        bytes: string;
        frames: unknown[];
        framesAfterGap: unknown[];
        discarded: number;
      }[]
    ).map(
      (s) =>
        `  {"${s.name}", ${literal(s.bytes)}, ${s.frames.length}, ${s.framesAfterGap.length}, ${s.discarded}},`,
    ),
    '};',
    'typedef struct { const char *name; int ok; unsigned counter; const char *note; } vector_receipt;',
    'static const vector_receipt VECTOR_RECEIPTS[] = {',
    ...cases
      .receipts()
      .map((r) => `  {"${r.name}", ${r.ok ? 1 : 0}, ${r.counter}, ${literal(hexOf(r.note))}},`),
    '};',
    'typedef struct { const char *name; const char *dock; const char *camera; } vector_step;',
    'static const vector_step VECTOR_SESSION[] = {',
    ...cases
      .session()
      .map(
        (s) =>
          `  {"${s.name}", ${literal(s.frames.join(''))},\n     ${literal(s.camera.join(''))}},`,
      ),
    '};',
    '#endif',
  ];
  return `${text.join('\n')}\n`;
}

export function vectorFiles(): Map<string, { url: URL; text: string }> {
  const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;
  const files: readonly (readonly [string, URL, string])[] = [
    ...(
      ['keys', 'transcripts', 'frames', 'streams', 'records', 'receipts', 'session'] as const
    ).map((name) => [name, new URL(`${name}.json`, HERE), json(cases[name]())] as const),
    ['vectors.h', HEADER, header()],
  ];
  return new Map(files.map(([name, url, text]) => [name, { url, text }]));
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  for (const { url, text } of vectorFiles().values()) {
    if (process.argv.includes('--check')) {
      if (readFileSync(url, 'utf8') !== text)
        throw new Error(`${url.pathname} is not what write.ts writes`);
    } else writeFileSync(url, text);
  }
}
