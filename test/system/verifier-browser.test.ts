// timeout: 300
import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openZip } from '../../src/verifier/formats/zip.ts';
import { nodeInflate, openStorage } from '../../src/verifier/node.ts';
import { docket, ROOT } from '../e2e/kit/programs.ts';
import { endSites } from '../e2e/kit/site.ts';
import { damagedPacks } from '../verifier/damages.ts';
import { makeDockFolder } from '../verifier/dock-folder.ts';

const PAGE = join(ROOT, 'dist/src/verifier/verify.html');
const PROGRAM = join(ROOT, 'dist/src/verifier/docket-verify.js');

interface Context {
  readonly browser: Browser;
  readonly page: Page;
  readonly folder: string;
  readonly packPath: string;
  readonly policyPath: string;
  readonly requests: string[];
}

interface Answer {
  readonly isVerified: boolean;
  /** Name and number of each finding and note. */
  readonly findings: Readonly<Record<string, number>>;
  readonly notes: Readonly<Record<string, number>>;
}

const browser = suite<Context>('the verifier in a browser');

browser.before(async (context) => {
  const made = await makeDockFolder();
  const { folder } = made.site;
  const dataDir = join(folder, 'cosigned-data');
  cpSync(made.site.dataDir, dataDir, { recursive: true });
  for (const name of ['custody/cosigned', 'custody/cosignatures']) {
    writeFileSync(join(dataDir, name), made.files.get(name) ?? '');
  }
  const policyPath = join(folder, 'policy.txt');
  writeFileSync(policyPath, `${made.policyLines.join('\n')}\n`);
  const packPath = join(folder, 'pack.zip');
  const ended = await docket('export', ...made.clips, '--data', dataDir, '--out', packPath);
  assert.is(ended.code, 0, ended.stderr);
  const opened = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu'],
  });
  const page = await opened.newPage();
  const requests: string[] = [];
  page.on('request', (request) => void requests.push(request.url()));
  await page.goto(pathToFileURL(PAGE).href);
  Object.assign(context, { browser: opened, page, folder, packPath, policyPath, requests });
});

browser.after(async (context) => {
  await context.browser?.close();
  await endSites();
});

async function askPage({ page, policyPath }: Context, packPath: string): Promise<Answer> {
  await page.reload();
  await page.setInputFiles('#policy', policyPath);
  await page.setInputFiles('#pack', packPath);
  return await readPage(page);
}

async function readPage(page: Page): Promise<Answer> {
  await page.waitForSelector('#verdict.good, #verdict.bad');
  const verdict = (await page.textContent('#verdict')) ?? '';
  const count = async (id: string) => {
    const found: Record<string, number> = {};
    for (const heading of await page.locator(`#${id} h3`).all()) {
      const name = (await heading.getAttribute('data-name')) ?? '';
      found[name] = Number(await heading.getAttribute('data-count'));
    }
    return found;
  };
  const isVerified = verdict.startsWith('VERIFIED');
  return { isVerified, findings: await count('findings'), notes: await count('notes') };
}

function askProgram({ policyPath }: Context, packPath: string): Answer {
  const args = [PROGRAM, packPath, '--policy', policyPath, '--json'];
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  const report = JSON.parse(stdout || stderr) as {
    verdict: string;
    findings: { name: string }[];
    notes: { name: string }[];
  };
  const count = (remarks: { name: string }[]) => {
    const found: Record<string, number> = {};
    for (const { name } of remarks) found[name] = (found[name] ?? 0) + 1;
    return found;
  };
  const isVerified = report.verdict === 'verified';
  return { isVerified, findings: count(report.findings), notes: count(report.notes) };
}

browser('says of a good pack what the command line says', async (context) => {
  const answer = await askPage(context, context.packPath);
  assert.equal(answer, askProgram(context, context.packPath));
  assert.equal([answer.isVerified, answer.findings], [true, {}]);
  assert.match((await context.page.textContent('#subject')) ?? '', /pack\.zip, dock leeds\/dock-1/);
});

browser('names in fifteen damaged packs what the command line names', async (context) => {
  const storage = await openStorage(context.packPath);
  const source = await openZip(storage, nodeInflate);
  const files = new Map<string, Uint8Array>();
  for (const { path } of await source.list()) files.set(path, await source.read(path, 1 << 26));
  await storage.close();
  for (const { what, bytes, names } of damagedPacks(files)) {
    const path = join(context.folder, 'damaged.zip');
    writeFileSync(path, bytes);
    const answer = await askPage(context, path);
    assert.equal(answer, askProgram(context, path), what);
    assert.not.ok(answer.isVerified, what);
    for (const name of names) assert.ok(name in answer.findings, `${what}: ${name}`);
  }
});

browser('takes both files when they are dropped', async (context) => {
  const { page, packPath, policyPath } = context;
  await page.reload();
  const files = [packPath, policyPath].map((path) => {
    return { name: path.split('/').at(-1) ?? '', base64: readFileSync(path).toString('base64') };
  });
  // Text for the browser, because its types are not those of Node.
  await page.evaluate(`(async (files) => {
    const transfer = new DataTransfer();
    for (const { name, base64 } of files) {
      const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
      transfer.items.add(new File([bytes], name));
    }
    const options = { bubbles: true, cancelable: true, dataTransfer: transfer };
    document.body.dispatchEvent(new DragEvent('drop', options));
  })(${JSON.stringify(files)})`);
  assert.ok((await readPage(page)).isVerified);
});

browser('says what is wrong with a policy, and waits for a better one', async (context) => {
  const { page, packPath, folder } = context;
  await page.reload();
  const bad = join(folder, 'bad-policy.txt');
  writeFileSync(bad, 'quorum none\n');
  await page.setInputFiles('#pack', packPath);
  assert.is(await page.textContent('#verdict'), 'Waiting for a policy');
  await page.setInputFiles('#policy', bad);
  assert.not.ok((await readPage(page)).isVerified);
  assert.match((await page.textContent('#verdict')) ?? '', /policy cannot be used/);
});

browser('asks for nothing but itself, and may ask for nothing', async (context) => {
  const { page, requests } = context;
  assert.ok(requests.length > 0);
  assert.ok(requests.every((url) => url === pathToFileURL(PAGE).href));
  const isBlocked = await page.evaluate("fetch('data:text/plain,x').then(() => false, () => true)");
  assert.ok(isBlocked);
});

browser(
  'has a name for every field, a language, and a status that is read aloud',
  async ({ page }) => {
    assert.is(await page.getAttribute('html', 'lang'), 'en');
    for (const id of ['pack', 'policy']) {
      assert.is(await page.locator(`label[for=${id}]`).count(), 1);
    }
    assert.is(await page.getAttribute('#verdict', 'role'), 'status');
  },
);

browser.run();
