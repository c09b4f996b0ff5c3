import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readChips, resolveLine } from '../../../src/adapters/gpio/chips.ts';
import { chipsFolder } from './bench-board.ts';

const chips = suite('gpio chips');

const PI_3 = [
  { label: 'pinctrl-bcm2835', base: 512, ngpio: 54 },
  { label: 'raspberrypi-exp-gpio', base: 566, ngpio: 8 },
];

chips('a line is its chip’s base and its own number, whichever chip comes first', async () => {
  const root = await chipsFolder(...PI_3);
  await writeFile(path.join(root, 'export'), '');
  const found = await readChips(root);
  assert.is(found.length, 2);
  assert.is(resolveLine(found, { chip: 'pinctrl-bcm2835', line: 17 }), 529);
  assert.is(resolveLine(found, { chip: 'raspberrypi-exp-gpio', line: 0 }), 566);
  await rm(root, { recursive: true });
});

chips('a computer without sysfs GPIO has no chips', async () => {
  assert.equal(await readChips('/nowhere/gpio'), []);
});

chips('a chip that cannot be understood is left out', async () => {
  const root = await chipsFolder(...PI_3);
  await writeFile(path.join(root, 'gpiochip512', 'base'), 'none\n');
  assert.equal(
    (await readChips(root)).map((chip) => chip.label),
    ['raspberrypi-exp-gpio'],
  );
  await rm(path.join(root, 'gpiochip566', 'ngpio'));
  assert.equal(await readChips(root), []);
  await rm(root, { recursive: true });
});

chips('a missing chip, a line past the end and a label given twice are faults that say so', () => {
  const known = [{ label: 'pinctrl-rp1', base: 569, lineCount: 54 }];
  const faultOf = (given: typeof known, wanted: { chip: string; line: number }) => {
    const resolved = resolveLine(given, wanted);
    if (typeof resolved === 'number') throw new Error(`resolved to ${resolved}`);
    assert.is(resolved.code, 'GPIO_UNAVAILABLE');
    return resolved.message;
  };
  assert.match(
    faultOf(known, { chip: 'pinctrl-bcm2711', line: 1 }),
    /pinctrl-bcm2711.*pinctrl-rp1/,
  );
  assert.match(faultOf([], { chip: 'pinctrl-bcm2711', line: 1 }), /none/);
  assert.match(faultOf(known, { chip: 'pinctrl-rp1', line: 54 }), /0 to 53, not 54/);
  assert.match(faultOf(known, { chip: 'pinctrl-rp1', line: -1 }), /not -1/);
  assert.match(faultOf([...known, ...known], { chip: 'pinctrl-rp1', line: 1 }), /2 GPIO chips/);
});

chips.run();
