import { readFileSync } from 'node:fs';
import type { RequestListener, ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import path from 'node:path';
import { LIGHTS } from '../../core/dock/lights.ts';

interface Page {
  readonly type: string;
  readonly read: () => Uint8Array;
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** No inline script or style, nothing from elsewhere; the WebSocket is of the same origin. */
const HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-cache',
} as const;

const PAGES = ['index.html', 'page.js', 'view.js', 'page.css', 'icon.svg'];

export interface StatusPageOptions {
  /** The folder of `index.html`. */
  readonly folder: string;
}

function filePage(file: string): Page {
  const type = TYPES[path.extname(file)] ?? 'application/octet-stream';
  return { type, read: () => readFileSync(file) };
}

function pagesOf(folder: string): Map<string, Page> {
  const pages = new Map(PAGES.map((name) => [`/${name}`, filePage(path.join(folder, name))]));
  const mqtt = createRequire(import.meta.url).resolve('mqtt/dist/mqtt.esm');
  const lights = new TextEncoder().encode(JSON.stringify(LIGHTS));
  return pages
    .set('/', filePage(path.join(folder, 'index.html')))
    .set('/mqtt.js', filePage(mqtt))
    .set('/lights.json', { type: 'application/json', read: () => lights });
}

function answer(response: ServerResponse, page: Page, isHead: boolean): void {
  const body = page.read();
  response.writeHead(200, {
    ...HEADERS,
    'content-type': page.type,
    'content-length': body.length,
  });
  response.end(isHead ? undefined : body);
}

/** Answers the status page's few files, by name: no path of a request ever reaches the disk. */
export function createStatusPage(options: StatusPageOptions): RequestListener {
  const pages = pagesOf(options.folder);
  return (request, response) => {
    const isHead = request.method === 'HEAD';
    const page = pages.get((request.url ?? '').split('?')[0] ?? '');
    if (request.method !== 'GET' && !isHead) {
      response.writeHead(405, { ...HEADERS, allow: 'GET, HEAD' }).end();
    } else if (page === undefined) {
      response.writeHead(404, HEADERS).end();
    } else {
      try {
        answer(response, page, isHead);
      } catch (error) {
        const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
        response.writeHead(500, { ...HEADERS, 'content-type': 'text/plain' }).end(`${code}\n`);
      }
    }
  };
}
