import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { boardJsonSchema, parseBoard } from '../../../src/core/config/board.ts';
import { formatFault } from '../../../src/core/config/faults.ts';

const board = suite('board');

function read(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`../../../boards/${name}`, import.meta.url), 'utf8'));
}

function lights(first: number) {
  const at = (line: number) => ({ chip: 'chip', line: first + line });
  return { green: at(0), amber: at(1), red: at(2) };
}

function valid() {
  return {
    name: 'bench',
    gpio: 'sysfs',
    bays: [
      { bay: 1, serial: '/dev/ttyA', lights: lights(0) },
      { bay: 2, serial: '/dev/ttyB', lights: lights(3), button: { chip: 'chip', line: 6 } },
    ],
  };
}

function faultsOf(value: unknown): string[] {
  const parsed = parseBoard(value);
  return 'faults' in parsed ? parsed.faults.map(formatFault) : [];
}

for (const name of ['rpi-4b', 'simulated']) {
  board(`${name}.json is a board of four bays`, () => {
    const parsed = parseBoard(read(`${name}.json`));
    assert.ok('value' in parsed, faultsOf(read(`${name}.json`)).join('\n'));
    assert.is(parsed.value.name, name);
    assert.is(parsed.value.bays.length, 4);
  });
}

board('rpi-4b.json leaves the lines of I2C, UART0 and the EEPROM alone', () => {
  const parsed = parseBoard(read('rpi-4b.json'));
  assert.ok('value' in parsed);
  const taken = new Set([0, 1, 2, 3, 14, 15]);
  for (const bay of parsed.value.bays) {
    const all = [...Object.values(bay.lights), bay.button, bay.present, bay.charged];
    for (const line of all.filter((candidate) => candidate !== undefined)) {
      assert.is(line.chip, 'pinctrl-bcm2711');
      assert.ok(line.line <= 27 && !taken.has(line.line), `line ${line.line}`);
    }
  }
});

board('rpi-4b.json lights no lamp before the dock starts', () => {
  const parsed = parseBoard(read('rpi-4b.json'));
  assert.ok('value' in parsed);
  // A BCM2711 pulls lines 0 to 8 up and the rest of the header down until someone drives them.
  for (const bay of parsed.value.bays) {
    for (const lamp of Object.values(bay.lights)) {
      assert.ok(lamp.line > 8 && !lamp.activeLow, `bay ${bay.bay} line ${lamp.line}`);
    }
  }
});

board('board.schema.json is the schema of the code', () => {
  assert.equal(read('board.schema.json'), JSON.parse(JSON.stringify(boardJsonSchema())));
});

board('fills in what may be left out', () => {
  const parsed = parseBoard(valid());
  assert.ok('value' in parsed);
  assert.is(parsed.value.longPressMs, 800);
  assert.is(parsed.value.bays[0]?.baudRate, 115_200);
  assert.is(parsed.value.bays[0]?.baudRateMax, 3_000_000);
  assert.is(parsed.value.bays[0]?.lights.green.activeLow, false);
  assert.is(parsed.value.bays[0]?.button, undefined);
});

board('refuses a line that is used twice, and says by whom', () => {
  const value = valid();
  value.bays[1] = { bay: 2, serial: '/dev/ttyB', lights: lights(2) };
  const faults = faultsOf(value);
  assert.is(faults.length, 1);
  assert.match(
    faults[0] ?? '',
    'bays[1].lights.green: this line is already that of bays[0].lights.red',
  );
});

board('refuses a highest rate that is below the rate at which sessions begin', () => {
  const value = valid();
  Object.assign(value.bays[1] ?? {}, { baudRate: 921_600, baudRateMax: 460_800 });
  assert.equal(faultsOf(value).length, 1);
  assert.match(faultsOf(value)[0] ?? '', 'bays[1].baudRateMax: it is below baudRate');
  Object.assign(value.bays[1] ?? {}, { baudRateMax: 921_600 });
  assert.equal(faultsOf(value), []);
});

board('allows the same line number on two chips', () => {
  const value = valid();
  const other = { chip: 'other', line: 0 };
  Object.assign(value.bays[0] ?? {}, { present: other });
  assert.equal(faultsOf(value), []);
});

board('refuses bays with a gap and a serial line shared by two', () => {
  const value = valid();
  Object.assign(value.bays[1] ?? {}, { bay: 3, serial: '/dev/ttyA' });
  const faults = faultsOf(value);
  assert.is(faults.length, 2);
  assert.match(faults[0] ?? '', 'bays[1].bay: bay 3 stands where bay 2 belongs');
  assert.match(
    faults[1] ?? '',
    'bays[1].serial: this serial line is already that of bays[0].serial',
  );
});

board('lists the faults of the schema and of the cross checks together', () => {
  const value: Record<string, unknown> = { ...valid(), gpio: 'gpiod', colour: 'red' };
  value.bays = [...valid().bays, { bay: 9, serial: 'ttyC', lights: {} }];
  const text = faultsOf(value).join('\n');
  for (const part of ['gpio: it is not one of sysfs, simulated', 'colour: this key is not known']) {
    assert.match(text, part);
  }
  assert.match(text, 'bays[2].serial: it has not the right form; write the absolute path');
  assert.match(text, 'bays[2].lights.green: it is missing');
  assert.match(text, 'bays[2].bay: bay 9 stands where bay 3 belongs');
});

board('gives faults, never an exception, for any JSON at all', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const parsed = parseBoard(value);
      assert.ok('faults' in parsed && parsed.faults.length > 0);
    }),
    { numRuns: 200 },
  );
});

board.run();
