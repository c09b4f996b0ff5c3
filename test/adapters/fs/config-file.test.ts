import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readBoardFile, readDockConfig } from '../../../src/adapters/fs/config-file.ts';
import { type ErrorCode, isDockError } from '../../../src/core/errors.ts';

const files = suite<{ folder: string }>('config-file');

const LINE = (line: number) => ({ chip: 'chip', line });
const BOARD = {
  name: 'bench',
  gpio: 'sysfs',
  bays: [1, 2].map((bay) => ({
    bay,
    serial: `/dev/ttyS${bay}`,
    baudRate: 115_200,
    lights: { green: LINE(bay * 3), amber: LINE(bay * 3 + 1), red: LINE(bay * 3 + 2) },
  })),
};
const CONFIG = {
  site: 'north-depot',
  dock: 'dock-1',
  dataDir: 'data',
  board: 'boards/bench.json',
  recipients: ['q', 'p'].map((letter, index) => ({
    role: ['evidence', 'escrow'][index],
    recipient: `age1${letter.repeat(58)}`,
  })),
};

files.before.each(async (context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'docket-config-'));
  mkdirSync(join(context.folder, 'boards'));
  write(context.folder, 'boards/bench.json', BOARD);
});
files.after.each(async ({ folder }) => {
  rmSync(folder, { recursive: true });
});

function write(folder: string, name: string, value: unknown): string {
  const path = join(folder, name);
  writeFileSync(path, typeof value === 'string' ? value : JSON.stringify(value, null, 2));
  return path;
}

async function refused(path: string, code: ErrorCode): Promise<string> {
  try {
    await readDockConfig(path);
  } catch (error) {
    assert.ok(isDockError(error, code), String(error));
    return error.message;
  }
  throw new Error('it was taken');
}

files('makes every path absolute and every size bytes', async ({ folder }) => {
  const broker = { url: 'mqtts://hub:8883', caFile: 'tls/ca.crt', username: 'dock-1' };
  const path = write(folder, 'dock.json', { ...CONFIG, broker, segmentMiB: 2, reserveMiB: 16 });
  const config = await readDockConfig(path);
  assert.is(config.dockId, 'north-depot/dock-1');
  assert.is(config.dataDir, join(folder, 'data'));
  assert.equal(config.broker, { ...broker, caFile: join(folder, 'tls/ca.crt') });
  assert.is(config.segmentBytes, 2_097_152);
  assert.is(config.reserveBytes, 16_777_216);
  assert.is(config.board.bays[1]?.serial, '/dev/ttyS2');
});

files('overrides a serial line and keeps the rest of the bay', async ({ folder }) => {
  const bays = [{ bay: 2, serial: '/dev/ttyUSB7' }];
  const { board } = await readDockConfig(write(folder, 'dock.json', { ...CONFIG, bays }));
  assert.is(board.bays[0]?.serial, '/dev/ttyS1');
  assert.is(board.bays[1]?.serial, '/dev/ttyUSB7');
  assert.is(board.bays[1]?.baudRate, 115_200);
});

files('two bays may change places, but not share a line', async ({ folder }) => {
  const swapped = [
    { bay: 1, serial: '/dev/ttyS2' },
    { bay: 2, serial: '/dev/ttyS1' },
  ];
  const path = write(folder, 'dock.json', { ...CONFIG, bays: swapped });
  assert.is((await readDockConfig(path)).board.bays[0]?.serial, '/dev/ttyS2');
  write(folder, 'dock.json', { ...CONFIG, bays: [{ bay: 1, serial: '/dev/ttyS2' }] });
  assert.match(await refused(path, 'CONFIG_INVALID'), "it is the board's serial line of bay 2");
});

files('joins the cameras of both lists and refuses one that is in both', async ({ folder }) => {
  const [one, two] = [1, 2].map((n) => ({ serial: `CAM-${n}`, publicKey: `0${n}`.repeat(32) }));
  const named = { ...CONFIG, cameras: [one], camerasFile: 'cameras.json' };
  const path = write(folder, 'dock.json', named);
  write(folder, 'cameras.json', [two]);
  const { cameras } = await readDockConfig(path);
  assert.equal(
    cameras.map(({ serial }) => serial),
    ['CAM-1', 'CAM-2'],
  );
  assert.equal(cameras[1]?.publicKey, new Uint8Array(32).fill(2));
  write(folder, 'cameras.json', [two, one]);
  const message = await refused(path, 'CONFIG_INVALID');
  assert.match(message, 'camerasFile[1].serial: this serial is already that of cameras[0].serial');
});

files('lists the faults of all the files at once', async ({ folder }) => {
  write(folder, 'boards/bench.json', { ...BOARD, gpio: 'i2c' });
  write(folder, 'cameras.json', [{ serial: '../x', publicKey: 'ab' }]);
  const wrong = { ...CONFIG, site: 'Nord!', camerasFile: 'cameras.json', retention: 3 };
  const message = await refused(write(folder, 'dock.json', wrong), 'CONFIG_INVALID');
  for (const part of [
    'dock.json has 5 faults:',
    '\n  site: ',
    '\n  retention: this key is not known',
    '\n  camerasFile: [0].serial: ',
    '\n  camerasFile: [0].publicKey: ',
    '\n  board: gpio: it is not one of sysfs, simulated',
  ]) {
    assert.match(message, part);
  }
});

files('a board that is wrong alone is BOARD_INVALID', async ({ folder }) => {
  const path = write(folder, 'dock.json', CONFIG);
  write(folder, 'boards/bench.json', { ...BOARD, bays: [] });
  assert.match(await refused(path, 'BOARD_INVALID'), 'board: bays: it is less than 1 items');
  rmSync(join(folder, 'boards/bench.json'));
  assert.match(await refused(path, 'BOARD_INVALID'), 'bench.json cannot be read (ENOENT)');
});

files('an override of a bay that the board lacks is refused', async ({ folder }) => {
  const bays = [{ bay: 3, serial: '/dev/ttyUSB0' }];
  const message = await refused(write(folder, 'dock.json', { ...CONFIG, bays }), 'CONFIG_INVALID');
  assert.match(message, 'bays[0].bay: the board bench has no bay 3; write a bay from 1 to 2');
});

files(
  'a file that is missing, a folder, cut, empty or huge is one clear fault',
  async (context) => {
    const path = join(context.folder, 'dock.json');
    assert.match(await refused(path, 'CONFIG_INVALID'), 'cannot be read (ENOENT)');
    assert.match(await refused(context.folder, 'CONFIG_INVALID'), 'cannot be read (EISDIR)');
    writeFileSync(path, '{\n  "site": "a",\n  password }');
    const message = await refused(path, 'CONFIG_INVALID');
    assert.match(message, 'is not JSON at line 3');
    assert.not.match(message, 'password');
    writeFileSync(path, '');
    assert.match(await refused(path, 'CONFIG_INVALID'), 'is not JSON');
    truncateSync(path, 2 ** 32);
    assert.match(await refused(path, 'CONFIG_INVALID'), 'more than');
  },
);

files('reads the boards of this repository', async () => {
  for (const name of ['rpi-4b', 'simulated']) {
    const url = new URL(`../../../boards/${name}.json`, import.meta.url);
    assert.is((await readBoardFile(url.pathname)).name, name);
  }
});

files.run();
