import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type EmbeddedBroker,
  startEmbeddedBroker,
} from '../../../src/adapters/mqtt/embedded-broker.ts';
import { createStatusPage } from '../../../src/adapters/web/status-page.ts';
import { LIGHT_NAMES } from '../../../src/core/dock/lights.ts';

const FOLDER = fileURLToPath(new URL('../../../src/dashboard', import.meta.url));

const page = suite<{ broker: EmbeddedBroker; url: string }>('status page');

page.before(async (context) => {
  const onRequest = createStatusPage({ folder: FOLDER });
  context.broker = await startEmbeddedBroker({ mqttPort: 0, httpPort: 0, onRequest });
  context.url = `http://127.0.0.1:${context.broker.httpPort}`;
});

page.after(async ({ broker }) => {
  await broker.stop();
});

page('serves everything that it asks for itself', async ({ url }) => {
  const html = await (await fetch(`${url}/`)).text();
  const named = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1]);
  const script = await (await fetch(`${url}/page.js`)).text();
  const imported = [...script.matchAll(/from '\.\/([^']+)'/g)].map((match) => match[1]);
  for (const name of [...named, ...imported, 'lights.json', 'index.html']) {
    const response = await fetch(`${url}/${name}`);
    assert.is(response.status, 200, name);
    assert.ok((await response.arrayBuffer()).byteLength > 100, name);
  }
  assert.ok(named.length >= 2 && imported.length >= 2);
});

page('knows every light by the table of the dock itself', async ({ url }) => {
  const lights = (await (await fetch(`${url}/lights.json`)).json()) as Record<string, unknown>;
  assert.equal(Object.keys(lights), LIGHT_NAMES);
});

page('forbids inline code and everything from elsewhere', async ({ url }) => {
  const response = await fetch(`${url}/`);
  const policy = response.headers.get('content-security-policy') ?? '';
  assert.match(policy, "default-src 'none'");
  assert.not.match(policy, 'unsafe');
  const html = await response.text();
  assert.not.match(html, /\son\w+=|<style|style=|<script(?![^>]*src=)|https?:/);
});

page('answers nothing but its own files', async ({ url }) => {
  for (const path of [
    '/../package.json',
    '/%2e%2e/package.json',
    '/etc/passwd',
    '/page.js/',
    '//',
  ]) {
    assert.is((await fetch(url + path)).status, 404, path);
  }
  assert.is((await fetch(url, { method: 'POST', body: 'x' })).status, 405);
  const head = await fetch(`${url}/page.css`, { method: 'HEAD' });
  assert.is(head.status, 200);
  assert.is(await head.text(), '');
});

page.run();
