const WORDS = {
  online: 'Online',
  offline: 'Offline: the dock was lost without a word',
  disconnected: 'Switched off in order',
};
const SEVERITIES = { warning: 'Warning', error: 'Error', critical: 'Critical' };
const isStill = matchMedia('(prefers-reduced-motion: reduce)');

function clone(id) {
  return document.getElementById(id).content.firstElementChild.cloneNode(true);
}

function part(element, name) {
  return element.querySelector(`[data-of="${name}"]`);
}

/** Untouched when nothing changed, so that a screen reader stays silent. */
function write(element, name, text) {
  const node = part(element, name);
  if (node.textContent !== String(text)) node.textContent = String(text);
}

function formatTime(iso) {
  const time = new Date(iso);
  return Number.isNaN(time.getTime()) ? '–' : time.toLocaleString();
}

function formatBytes(bytes) {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  return `${(bytes / 1000 ** power).toFixed(power > 1 ? 1 : 0)} ${units[power]}`;
}

function keyframesOf(rhythm, lamp) {
  const total = rhythm.reduce((sum, step) => sum + step.ms, 0);
  let elapsed = 0;
  const frames = rhythm.map((step) => {
    const frame = { opacity: step[lamp] ? 1 : 0, offset: elapsed / total, easing: 'steps(1, end)' };
    elapsed += step.ms;
    return frame;
  });
  return { frames: [...frames, { ...frames.at(-1), offset: 1 }], total };
}

/** Plays the same rhythm as the lamp on the dock, all bays in time; `undefined` draws a light that nobody knows. */
function play(lamps, light) {
  for (const socket of lamps.children) {
    const lamp = socket.firstElementChild;
    for (const animation of lamp.getAnimations()) animation.cancel();
    const isLit = light?.rhythm.some((step) => step[socket.className]) ?? false;
    lamp.style.opacity = isLit ? 1 : 0;
    if (!isLit || light.rhythm.length < 2 || isStill.matches) continue;
    const { frames, total } = keyframesOf(light.rhythm, socket.className);
    lamp.animate(frames, { duration: total, iterations: Number.POSITIVE_INFINITY }).startTime = 0;
  }
}

export class DockView {
  element = clone('dock');
  #lights;
  #bays = new Map();
  #alarms = new Map();
  #availability = '';
  #isLive = true;

  constructor(id, lights) {
    this.#lights = lights;
    write(this.element, 'name', id);
    this.#showTrust();
  }

  setLine(isLive) {
    if (this.#isLive === isLive) return;
    this.#isLive = isLive;
    this.#showTrust();
  }

  update(path, body) {
    const [kind, name] = path.split('/');
    if (path === 'availability') {
      this.#availability = String(body ?? '');
      this.#showTrust();
    } else if (path === 'state' && body !== null) this.#showDock(body);
    else if (kind === 'bay' && body !== null) this.#showBay(Number(name), body);
    else if (kind === 'alarm') this.#showAlarm(name, body);
  }

  /** What is on the page is only as good as the last word of the dock. */
  #showTrust() {
    const isKnown = this.#isLive && this.#availability === 'online';
    const text = this.#isLive
      ? (WORDS[this.#availability] ?? 'Not heard yet')
      : 'Unknown: no broker';
    write(this.element, 'availability', text);
    part(this.element, 'availability').dataset.tone = isKnown ? 'good' : 'bad';
    const why = part(this.element, 'why');
    why.hidden = isKnown;
    write(
      this.element,
      'why',
      isKnown
        ? ''
        : 'What follows is the last that this dock said. Look at the lights on the dock itself.',
    );
    this.element.classList.toggle('stale', !isKnown);
    for (const { element, body } of this.#bays.values()) this.#showLight(element, body);
  }

  #showDock({ state, code, clips, storage, ...rest }) {
    write(this.element, 'state', code === undefined ? state : `${state}: ${code}`);
    for (const [name, count] of Object.entries(clips ?? {})) {
      if (part(this.element, name) !== null) write(this.element, name, count);
    }
    const free =
      storage && `${formatBytes(storage.freeBytes)} of ${formatBytes(storage.totalBytes)}`;
    write(this.element, 'free', free ?? 'unknown');
    write(this.element, 'treeSize', rest.treeSize);
    write(this.element, 'version', rest.version);
    write(this.element, 'since', formatTime(rest.since));
    write(this.element, 'at', formatTime(rest.at));
  }

  #showBay(number, body) {
    const known = this.#bays.get(number);
    const element = known?.element ?? clone('bay');
    this.#bays.set(number, { element, body });
    if (known === undefined) this.#insertBay(number, element);
    write(element, 'bay', number);
    write(element, 'camera', body.camera ?? '');
    if (known?.body.light !== body.light) this.#showLight(element, body);
    write(element, 'phase', body.code === undefined ? body.state : `${body.state}: ${body.code}`);
    const { waiting, vaulted, released, quarantined, held } = body.clips;
    part(element, 'work').hidden = waiting + vaulted === 0;
    part(element, 'bar').value = body.percent;
    part(element, 'bar').ariaLabel = `Bay ${number}`;
    write(element, 'percent', `${body.percent} %`);
    const counts = {
      'to read': waiting,
      'in the vault': vaulted,
      'safe and released': released,
      held,
      quarantined,
    };
    const words = Object.entries(counts).filter(([, count]) => count > 0);
    write(element, 'counts', words.map(([word, count]) => `${count} ${word}`).join(', '));
    write(this.element, 'at', formatTime(body.at));
  }

  #insertBay(number, element) {
    const next = [...this.#bays.keys()].filter((each) => each > number).sort((a, b) => a - b)[0];
    part(this.element, 'bays').insertBefore(element, this.#bays.get(next)?.element ?? null);
  }

  #showLight(element, body) {
    const isKnown = !this.element.classList.contains('stale');
    const light = this.#lights[body.light];
    play(element.querySelector('.lamps'), isKnown ? light : undefined);
    write(element, 'look', isKnown ? (light?.look ?? '') : 'light unknown');
    write(element, 'meaning', isKnown && light ? `${light.meaning} ${light.action}` : '');
  }

  #showAlarm(name, body) {
    this.#alarms.get(name)?.remove();
    this.#alarms.delete(name);
    if (body !== null) {
      const element = clone('alarm');
      element.dataset.severity = body.severity;
      write(element, 'severity', `${SEVERITIES[body.severity] ?? body.severity}.`);
      for (const key of ['text', 'action', 'code']) write(element, key, body[key]);
      write(element, 'where', body.bays ? `bay ${body.bays.join(', ')}` : 'the whole dock');
      write(element, 'since', formatTime(body.since));
      this.#alarms.set(name, element);
      part(this.element, 'alarms').prepend(element);
    }
    part(this.element, 'noAlarm').hidden = this.#alarms.size > 0;
  }
}
