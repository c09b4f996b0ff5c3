import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { drawLamps, drawLightTable, drawRhythm } from '../../../src/core/dock/draw-lights.ts';
import {
  DARK,
  durationMs,
  FLASH_NAMES,
  FLASHES,
  flashAt,
  LIGHT_NAMES,
  LIGHTS,
  type LightStep,
  lampsAt,
  msUntilChange,
  progressFlash,
} from '../../../src/core/dock/lights.ts';

const lights = suite('lights');

const isLit = (step: LightStep) => step.green || step.amber || step.red;

/** On and off times from every starting point, the smallest first: what is left of a rhythm when colour and phase are gone. */
function timing(rhythm: readonly LightStep[]): string {
  const steps = rhythm.map(
    (step) => `${isLit(step) ? 'on' : 'off'}${rhythm.length > 1 ? step.ms : ''}`,
  );
  const turns = steps.map((_, index) =>
    [...steps.slice(index), ...steps.slice(0, index)].join(' '),
  );
  return turns.sort()[0]!;
}

/** Flashes in the worst second of a rhythm that repeats. */
function flashesInASecond(rhythm: readonly LightStep[]): number {
  const startsMs: number[] = [];
  const periodMs = durationMs(rhythm);
  let atMs = 0;
  for (let turn = 0; turn < 4; turn++) {
    for (const step of rhythm) {
      if (isLit(step) && rhythm.length > 1) startsMs.push(atMs);
      atMs += step.ms;
    }
  }
  const counts = startsMs
    .filter((ms) => ms < 2 * periodMs)
    .map((from) => startsMs.filter((ms) => ms >= from && ms < from + 1000).length);
  return Math.max(0, ...counts);
}

lights('no two lights have the same on and off times, so colour is not needed', () => {
  const timings = LIGHT_NAMES.map((name) => timing(LIGHTS[name].rhythm));
  assert.is(new Set(timings).size, LIGHT_NAMES.length, timings.join('\n'));
});

lights('no two flashes have the same times and lamps', () => {
  const rhythms = FLASH_NAMES.map((name) => JSON.stringify(FLASHES[name].rhythm));
  assert.is(new Set(rhythms).size, FLASH_NAMES.length);
});

lights('only the green that says take it shines without a break', () => {
  const unbroken = LIGHT_NAMES.filter((name) => LIGHTS[name].rhythm.every(isLit));
  assert.equal(unbroken, ['steady-green']);
});

lights('nothing flashes more than three times in a second', () => {
  for (const name of LIGHT_NAMES) assert.ok(flashesInASecond(LIGHTS[name].rhythm) <= 3, name);
  for (const name of FLASH_NAMES) assert.ok(flashesInASecond(FLASHES[name].rhythm) <= 3, name);
});

lights('every light lights one lamp at most, and says what it means and what to do', () => {
  for (const name of LIGHT_NAMES) {
    const { rhythm, look, meaning, action } = LIGHTS[name];
    for (const step of rhythm)
      assert.ok([step.green, step.amber, step.red].filter(Boolean).length <= 1);
    assert.ok(look.length > 0);
    assert.ok(meaning.endsWith('.') && action.endsWith('.'));
  }
});

lights('lamps repeat with the period of the rhythm, before and after zero', () => {
  for (const name of LIGHT_NAMES) {
    const periodMs = durationMs(LIGHTS[name].rhythm);
    for (let tMs = 0; tMs < periodMs; tMs += 10) {
      assert.equal(lampsAt(name, tMs), lampsAt(name, tMs + 7 * periodMs));
      assert.equal(lampsAt(name, tMs), lampsAt(name, tMs - 3 * periodMs));
    }
  }
});

lights('the lamps change exactly when they are said to', () => {
  for (const name of LIGHT_NAMES) {
    for (let tMs = 0.5; tMs < 4000; tMs += 37) {
      const leftMs = msUntilChange(name, tMs);
      if (leftMs === undefined) continue;
      assert.ok(leftMs > 0);
      assert.equal(lampsAt(name, tMs + leftMs - 0.01), lampsAt(name, tMs));
      assert.not.equal(lampsAt(name, tMs + leftMs + 0.01), lampsAt(name, tMs));
    }
  }
  assert.is(msUntilChange('steady-green', 5), undefined);
});

lights('a flash plays once', () => {
  for (const name of FLASH_NAMES) {
    const lengthMs = durationMs(FLASHES[name].rhythm);
    assert.ok(flashAt(name, 0) !== undefined);
    assert.ok(flashAt(name, lengthMs - 1) !== undefined);
    assert.is(flashAt(name, lengthMs), undefined);
    assert.is(flashAt(name, -1), undefined);
  }
});

lights('progress counts whole quarters and says all only when all is done', () => {
  assert.is(progressFlash(0, 100), 'progress-none');
  assert.is(progressFlash(24, 100), 'progress-none');
  assert.is(progressFlash(25, 100), 'progress-1-quarter');
  assert.is(progressFlash(50, 100), 'progress-2-quarters');
  assert.is(progressFlash(99, 100), 'progress-3-quarters');
  assert.is(progressFlash(100, 100), 'progress-all');
  assert.is(progressFlash(0, 0), 'progress-all');
});

lights('the drawing shows lamps by letter and place', () => {
  assert.is(drawLamps(DARK), '[...]');
  assert.is(drawLamps({ green: true, amber: false, red: true }), '[G.R]');
  assert.is(drawRhythm('fast-red').slice(0, 8), 'RR..RR..');
  assert.is(drawRhythm('steady-amber'), `${'A'.repeat(27)}...`);
  assert.is(drawLightTable().split('\n').length, LIGHT_NAMES.length);
});

lights.run();
