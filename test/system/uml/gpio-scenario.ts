import * as assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { readChips } from '../../../src/adapters/gpio/chips.ts';
import { OnoffBoard } from '../../../src/adapters/gpio/onoff-board.ts';
import { SystemClock } from '../../../src/adapters/node/system-clock.ts';
import { type BoardConfig, parseBoard } from '../../../src/core/config/board.ts';
import {
  durationMs,
  LIGHT_NAMES,
  LIGHTS,
  type LightName,
  lampsAt,
} from '../../../src/core/dock/lights.ts';
import type { Clock } from '../../../src/ports/clock.ts';
import { FakeClock } from '../../fakes/fake-clock.ts';
import { levelOf, pull, removeChip, until } from './sim-gpio.ts';

const BASE = 512;
const pi = readPi();
const first = pi.bays[0]!;
const button = first.button!.line;
const present = first.present!.line;

function readPi(): BoardConfig {
  const parsed = parseBoard(JSON.parse(readFileSync('boards/rpi-4b.json', 'utf8')));
  if ('faults' in parsed) throw new Error(JSON.stringify(parsed.faults));
  return parsed.value;
}

async function started(config: BoardConfig, clock: Clock) {
  const told: string[] = [];
  const board = new OnoffBoard(config, { clock });
  const faults = await board.start({
    onPress: (bay, press) => told.push(`bay ${bay} ${press}`),
    onSensors: (bay, sensors) => told.push(`bay ${bay} present ${sensors.present}`),
    onFault: (fault) => told.push(fault.code),
  });
  return { board, faults, told };
}

function lampLines(config: BoardConfig): readonly number[] {
  return config.bays.flatMap(({ lights }) => Object.values(lights).map(({ line }) => line));
}

function litLines(config: BoardConfig): readonly number[] {
  return lampLines(config).filter((line) => levelOf(line) === 1);
}

function readLine(line: number, name: string): string {
  return readFileSync(`/sys/class/gpio/gpio${BASE + line}/${name}`, 'utf8').trim();
}

async function killRunOf(board: 'as-it-is' | 'swapped'): Promise<void> {
  const child = spawn(process.execPath, [...process.execArgv, process.argv[1]!, board], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  child.kill('SIGKILL');
  await once(child, 'exit');
}

/** From the first moment: dark, then the light that is shown, and a press. */
async function checkWorks(): Promise<void> {
  const clock = new FakeClock();
  const { board, faults, told } = await started(pi, clock);
  assert.deepEqual(faults, []);
  assert.deepEqual(litLines(pi), []);
  board.show(1, 'steady-green');
  await until('green on', () => levelOf(first.lights.green.line) === 1);
  pull(button, 'down');
  await until('the edge', () => clock.waitingMs[0] === pi.debounceMs);
  await clock.advance(pi.longPressMs);
  pull(button, 'up');
  await board.stop();
  assert.deepEqual(told, ['bay 1 long']);
}

/** A line that is gone is ready for ever to epoll. */
async function checkRests(): Promise<void> {
  const before = process.cpuUsage();
  await new Promise((resolve) => setTimeout(resolve, 1500));
  const { user, system } = process.cpuUsage(before);
  assert.ok(user + system < 750_000, `busy for ${user + system} of 1,500,000 microseconds`);
}

const tests: Record<string, () => Promise<void>> = {
  'finds the chip by its label at base 512': async () => {
    const chips = await readChips();
    assert.deepEqual(chips, [{ label: 'pinctrl-bcm2711', base: BASE, lineCount: 58 }]);
  },

  'plays every light on the lines of its bay and on no other': async () => {
    const clock = new FakeClock();
    const { board, faults } = await started(pi, clock);
    assert.deepEqual(faults, []);
    for (const [index, light] of LIGHT_NAMES.entries()) {
      const { bay, lights } = pi.bays[index % pi.bays.length]!;
      board.show(bay, light);
      await clock.advance(1);
      for (let ms = 0; ms < 2 * durationMs(LIGHTS[light].rhythm); ms += 50) {
        await clock.advance(50);
        const lamps = lampsAt(light, clock.monotonicMs());
        const expected = (['green', 'amber', 'red'] as const)
          .filter((colour) => lamps[colour])
          .map((colour) => lights[colour].line);
        assert.deepEqual(litLines(pi), expected, `${light} at ${clock.monotonicMs()} ms`);
      }
      board.show(bay, 'off');
    }
    await board.stop();
  },

  'tells a short press once, after the contact came to rest': async () => {
    const clock = new FakeClock();
    const { board, told } = await started(pi, clock);
    await until('the first wait', () => clock.waitingMs.length === 1);
    pull(button, 'down');
    await until('the edge', () => clock.waitingMs[0] === pi.debounceMs);
    await clock.advance(100);
    assert.deepEqual(told, []);
    pull(button, 'up');
    await until('the edge', () => clock.waitingMs[0] === pi.debounceMs);
    await clock.advance(5000);
    await board.stop();
    assert.deepEqual(told, ['bay 1 short']);
  },

  'tells a long press while the button is down, and nothing when it is let go': async () => {
    const clock = new FakeClock();
    const { board, told } = await started(pi, clock);
    await until('the first wait', () => clock.waitingMs.length === 1);
    pull(button, 'down');
    await until('the edge', () => clock.waitingMs[0] === pi.debounceMs);
    await clock.advance(pi.longPressMs);
    assert.deepEqual(told, ['bay 1 long']);
    pull(button, 'up');
    await until('the edge', () => clock.waitingMs[0] === pi.debounceMs);
    await clock.advance(5000);
    await board.stop();
    assert.deepEqual(told, ['bay 1 long']);
  },

  'tells that a camera came and went by the presence line': async () => {
    const clock = new FakeClock();
    const { board, told } = await started(pi, clock);
    await until('the first wait', () => clock.waitingMs.length === 1);
    assert.deepEqual(board.sensors(1), { present: false, charged: undefined });
    pull(present, 'up');
    await until('the edge', () => clock.waitingMs[0] === pi.debounceMs);
    await clock.advance(pi.debounceMs);
    assert.deepEqual(board.sensors(1), { present: true, charged: undefined });
    pull(present, 'down');
    await until('the edge', () => clock.waitingMs[0] === pi.debounceMs);
    await clock.advance(pi.debounceMs);
    await board.stop();
    assert.deepEqual(told, ['bay 1 present true', 'bay 1 present false']);
  },

  'blinks and hears a press in real time': async () => {
    const { board, told } = await started(pi, new SystemClock());
    board.show(1, 'fast-red');
    const red = first.lights.red.line;
    await until('red on', () => levelOf(red) === 1);
    await until('red off', () => levelOf(red) === 0);
    pull(button, 'down');
    await until('a long press', () => told.length > 0);
    pull(button, 'up');
    await board.stop();
    assert.deepEqual(told, ['bay 1 long']);
  },

  'does not mind lines left exported and lit by a run that was killed': async () => {
    await killRunOf('as-it-is');
    const green = first.lights.green.line;
    assert.ok(existsSync(`/sys/class/gpio/gpio${BASE + green}`));
    assert.equal(levelOf(green), 1);
    await checkWorks();
  },

  'does not mind lines that a killed run left the other way round': async () => {
    await killRunOf('swapped');
    assert.equal(readLine(button, 'direction'), 'out');
    assert.equal(readLine(first.lights.green.line, 'edge'), 'both');
    await checkWorks();
  },

  'puts lamps out and gives every line back at stop': async () => {
    const { board } = await started(pi, new SystemClock());
    board.show(1, 'steady-green');
    await until('green on', () => levelOf(first.lights.green.line) === 1);
    await board.stop();
    assert.deepEqual(litLines(pi), []);
    const left = lampLines(pi).filter((line) => existsSync(`/sys/class/gpio/gpio${BASE + line}`));
    assert.deepEqual(left, []);
  },

  'stops in the middle of a storm of edges': async () => {
    for (let run = 0; run < 20; run++) {
      const { board } = await started(pi, new SystemClock());
      const stopped = board.stop();
      for (const { button: contact } of pi.bays) pull(contact!.line, run % 2 === 0 ? 'down' : 'up');
      await stopped;
    }
    for (const { button: contact } of pi.bays) pull(contact!.line, 'up');
    await new Promise((resolve) => setTimeout(resolve, 100));
  },

  'reports a line that another program takes away at the moment of an edge': async () => {
    const { board, told } = await started(pi, new SystemClock());
    pull(button, 'down');
    writeFileSync('/sys/class/gpio/unexport', String(BASE + button));
    await until('a fault', () => told.includes('GPIO_FAILED'));
    await checkRests();
    await board.stop();
    pull(button, 'up');
    assert.deepEqual(told, ['GPIO_FAILED']);
  },

  'drives an active-low lamp the other way round, dark from the first moment': async () => {
    const lights = { ...first.lights, green: { ...first.lights.green, activeLow: true } };
    const clock = new FakeClock();
    const { board, faults } = await started({ ...pi, bays: [{ ...first, lights }] }, clock);
    assert.deepEqual(faults, []);
    assert.equal(levelOf(lights.green.line), 1);
    board.show(1, 'steady-green');
    await clock.advance(1);
    await until('green on', () => levelOf(lights.green.line) === 0);
    await board.stop();
  },

  'reports a board without its chip as a state, once, and goes on': async () => {
    const other = JSON.parse(JSON.stringify(pi).replaceAll('pinctrl-bcm2711', 'pinctrl-rp1'));
    const { board, faults } = await started(other, new SystemClock());
    assert.deepEqual(
      faults.map(({ code }) => code),
      ['GPIO_UNAVAILABLE'],
    );
    assert.match(faults[0]!.message, /pinctrl-rp1.*pinctrl-bcm2711/);
    board.show(1, 'fast-red');
    board.flash(1, 'incident-seen');
    assert.deepEqual(board.sensors(1), { present: undefined, charged: undefined });
    await board.stop();
  },

  'names a line that a driver holds and works with the others': async () => {
    const charged = { chip: 'pinctrl-bcm2711', line: 4, activeLow: false };
    const { board, faults } = await started(
      { ...pi, bays: [{ ...first, charged }] },
      new SystemClock(),
    );
    assert.deepEqual(
      faults.map(({ code }) => code),
      ['GPIO_FAILED'],
    );
    assert.match(faults[0]!.message, /^bay 1 charged line \(pinctrl-bcm2711 line 4\): .*EBUSY/);
    board.show(1, 'steady-green');
    await until('green on', () => levelOf(first.lights.green.line) === 1);
    await board.stop();
  },

  'reports a chip that vanishes while the dock runs': async () => {
    const { board, told } = await started(pi, new SystemClock());
    board.show(1, 'slow-amber');
    removeChip();
    await until('a fault', () => told.includes('GPIO_FAILED'));
    board.show(1, 'fast-red' satisfies LightName);
    await checkRests();
    await board.stop();
  },
};

/** The first bay with its button where its green light is, and the other way round. */
function swapped(): BoardConfig {
  const { lights } = first;
  const swappedBay = {
    ...first,
    lights: { ...lights, green: { ...lights.green, line: button } },
    button: { ...first.button!, line: lights.green.line },
  };
  return { ...pi, bays: [swappedBay] };
}

async function hold(config: BoardConfig): Promise<void> {
  const { board } = await started(config, new SystemClock());
  board.show(1, 'steady-green');
  const green = config.bays[0]!.lights.green.line;
  await until('green on', () => levelOf(green) === 1);
  console.log('holding');
}

async function runAll(): Promise<void> {
  for (const [name, test] of Object.entries(tests)) {
    try {
      await test();
      console.log(`result ${JSON.stringify({ name, failure: null })}`);
    } catch (error) {
      const failure = error instanceof Error ? (error.stack ?? error.message) : String(error);
      console.log(`result ${JSON.stringify({ name, failure })}`);
    }
  }
}

const [, , mode] = process.argv;
if (mode === undefined) {
  await runAll();
  process.exit(0);
}
await hold(mode === 'swapped' ? swapped() : pi);
