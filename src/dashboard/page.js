import mqtt from './mqtt.js';
import { DockView } from './view.js';

const PREFIX = 'docket/1/';
const RECONNECT_MS = 3000;

const docks = new Map();
const lights = await (await fetch('lights.json')).json();

function say(text, tone) {
  const line = document.getElementById('line');
  if (line.textContent !== text) line.textContent = text;
  line.parentElement.dataset.tone = tone;
  for (const dock of docks.values()) dock.setLine(tone === 'good');
}

function parse(text) {
  try {
    return text === '' ? null : JSON.parse(text);
  } catch {
    return text;
  }
}

function onMessage(topic, payload) {
  const [site, name, ...path] = topic.slice(PREFIX.length).split('/');
  const id = `${site}/${name}`;
  let dock = docks.get(id);
  if (dock === undefined) {
    dock = new DockView(id, lights);
    docks.set(id, dock);
    document.getElementById('none').hidden = true;
    document.getElementById('docks').append(dock.element);
  }
  dock.update(path.join('/'), parse(new TextDecoder().decode(payload)));
}

const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
const client = mqtt.connect(`${scheme}://${location.host}/`, {
  protocolVersion: 4,
  clientId: `page_${crypto.getRandomValues(new Uint32Array(2)).join('_')}`,
  reconnectPeriod: RECONNECT_MS,
  keepalive: 15,
  // A worker would keep time, and the page's policy allows none.
  timerVariant: 'native',
});
client.on('connect', () => {
  client.subscribe(`${PREFIX}#`, { qos: 1 });
  say('Live from the broker.', 'good');
});
client.on('message', onMessage);
client.on('close', () => say('No connection to the broker: this page shows the past.', 'bad'));
client.on('error', (error) => say(`The broker refused this page: ${error.message}`, 'bad'));
