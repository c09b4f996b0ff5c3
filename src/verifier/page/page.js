import { checkPack } from '../pack.ts';
import { parsePolicy } from '../policy.ts';
import { FINDINGS, Malformed, NOTES, Report, verdictOf } from '../report.ts';
import { openZip } from '../zip.ts';
import { ownCrypto } from './ed25519.ts';

const POLICY_SIZE_MAX = 65_536;
const SHOWN_MAX = 50;

const byId = (id) => document.getElementById(id);
const chosen = { pack: undefined, policy: undefined };
/** A newer choice makes an older answer worthless. */
let question = 0;

/** Reads from the chosen file, piece by piece. */
function storageOf(blob) {
  return {
    sizeBytes: blob.size,
    async read(at, size) {
      if (at < 0 || at + size > blob.size) throw new Malformed('it ends too early');
      return new Uint8Array(await blob.slice(at, at + size).arrayBuffer());
    },
  };
}

async function* inflate(pieces) {
  const iterator = pieces[Symbol.asyncIterator]();
  const packed = new ReadableStream({
    async pull(controller) {
      const { done, value } = await iterator.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
  });
  const reader = packed.pipeThrough(new DecompressionStream('deflate-raw')).getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } catch (error) {
    throw error instanceof Malformed ? error : new Malformed(`it cannot be unpacked (${error})`);
  }
}

async function verify(pack, policyFile) {
  if (policyFile.size > POLICY_SIZE_MAX) throw new Malformed('it is too long');
  const policy = parsePolicy(new Uint8Array(await policyFile.arrayBuffer()), ownCrypto);
  try {
    return await checkPack(await openZip(storageOf(pack), inflate), policy, ownCrypto);
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    const report = new Report('pack');
    report.find('PACK_ZIP', '', error.message);
    return report;
  }
}

function element(name, text, className) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className !== undefined) made.className = className;
  return made;
}

/** Text alone goes onto the page: nothing that a pack holds can become part of it. */
function show(place, remarks, meanings) {
  place.replaceChildren();
  for (const name of new Set(remarks.map((remark) => remark.name))) {
    const same = remarks.filter((remark) => remark.name === name);
    const list = element('ul');
    for (const { path, detail } of same.slice(0, SHOWN_MAX)) {
      const item = element('li');
      item.append(element('code', path === '' ? 'the pack' : path), `: ${detail}`);
      list.append(item);
    }
    if (same.length > SHOWN_MAX) list.append(element('li', `and ${same.length - SHOWN_MAX} more`));
    const heading = element('h3', name);
    heading.dataset.name = name;
    heading.dataset.count = String(same.length);
    place.append(heading, element('p', meanings[name], 'meaning'), list);
  }
}

function say(text, className) {
  const verdict = byId('verdict');
  verdict.textContent = text;
  verdict.className = className;
}

async function run() {
  const { pack, policy } = chosen;
  if (pack === undefined || policy === undefined) {
    say(`Waiting for a ${pack === undefined ? 'pack' : 'policy'}`, '');
    return;
  }
  question += 1;
  const mine = question;
  say('Checking ...', '');
  for (const id of ['subject', 'findings', 'notes']) byId(id).replaceChildren();
  try {
    const report = await verify(pack, policy);
    if (mine !== question) return;
    byId('subject').textContent = `${pack.name}, dock ${report.dock ?? 'unknown'}`;
    byId('findings').className = 'bad';
    show(byId('findings'), report.findings, FINDINGS);
    show(byId('notes'), report.notes, NOTES);
    say(verdictOf(report), report.ok ? 'good' : 'bad');
  } catch (error) {
    if (mine !== question) return;
    say(`The policy cannot be used: ${error.message}`, 'bad');
  }
  byId('verdict').focus();
}

/** A zip file is the pack, anything else the policy. */
function take(files) {
  for (const file of files) {
    if (file.name.toLowerCase().endsWith('.zip')) chosen.pack = file;
    else chosen.policy = file;
  }
  void run();
}

for (const kind of ['pack', 'policy']) {
  byId(kind).addEventListener('change', ({ target }) => {
    chosen[kind] = target.files[0];
    void run();
  });
}
document.addEventListener('dragover', (event) => {
  event.preventDefault();
  byId('drop').classList.add('over');
});
document.addEventListener('dragleave', () => byId('drop').classList.remove('over'));
document.addEventListener('drop', (event) => {
  event.preventDefault();
  byId('drop').classList.remove('over');
  take(event.dataTransfer.files);
});
