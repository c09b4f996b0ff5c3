import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { BayLines } from '../../../src/adapters/gpio/bay-lines.ts';
import { durationMs, FLASHES } from '../../../src/core/dock/lights.ts';
import type { BoardFault } from '../../../src/ports/board.ts';
import { FakeLines } from '../../fakes/fake-lines.ts';
import { BASE, benchBoard, benchConfig } from './bench-board.ts';

const board = suite('onoff board');

type Bench = Awaited<ReturnType<typeof benchBoard>>;

async function withBoard(
  test: (bench: Bench & { told: string[]; faults: BoardFault[] }) => Promise<void>,
  prepare: (bench: Bench) => void = () => undefined,
): Promise<void> {
  const bench = await benchBoard();
  prepare(bench);
  const told: string[] = [];
  const faults: BoardFault[] = [];
  try {
    const atStart = await bench.board.start({
      onPress: (bay, press) => told.push(`${bay} ${press}`),
      onSensors: (bay, { present, charged }) => told.push(`${bay} ${present} ${charged}`),
      onFault: (fault) => faults.push(fault),
    });
    faults.push(...atStart);
    await test({ ...bench, told, faults });
  } finally {
    await bench.dispose();
  }
}

const lit = ({ lines }: Bench) =>
  [0, 1, 2, 10, 11, 12].filter((line) => lines.levelOf(BASE + line));
/** Lets the loop wake for what was just shown, then time pass. */
const pass = async ({ clock }: Pick<Bench, 'clock'>, ms: number) => {
  await turn();
  await clock.advance(ms);
  await turn();
};
const turn = () => new Promise((resolve) => setImmediate(resolve));

board('plays a flash over the light and goes back to it', () =>
  withBoard(async (bench) => {
    bench.board.show(1, 'steady-green');
    bench.board.flash(1, 'incident-seen');
    await pass(bench, 10);
    assert.equal(lit(bench), [0, 1, 2]);
    await pass(bench, durationMs(FLASHES['incident-seen'].rhythm));
    assert.equal(lit(bench), [0]);
  }),
);

board('plays a flash that was asked for after its turn had taken the time', async () => {
  const lines = new FakeLines();
  const bay = new BayLines({
    board: benchConfig(),
    chips: [{ label: 'pinctrl-test', base: BASE, lineCount: 58 }],
    lines,
    nowMs: 0,
    onEdge: () => undefined,
    onFault: () => undefined,
  });
  const [first] = benchConfig().bays;
  assert.ok(first);
  bay.open(first);
  bay.flash('incident-seen', 1_003);
  bay.playLamps(1_000);
  assert.equal(
    [0, 1, 2].map((line) => lines.levelOf(BASE + line)),
    [true, true, true],
  );
});

board('a light of one bay leaves the other alone', () =>
  withBoard(async (bench) => {
    bench.board.show(2, 'steady-green');
    await pass(bench, 10);
    assert.equal(lit(bench), [10]);
  }),
);

board('wakes only for what changes, and once a second', () =>
  withBoard(async ({ board: shown, clock }) => {
    await turn();
    assert.equal(clock.waitingMs, [1000]);
    shown.show(1, 'fast-red');
    await turn();
    assert.ok(clock.waitingMs.length === 1 && clock.waitingMs[0]! <= 200);
  }),
);

board('sees a level whose edge was lost', () =>
  withBoard(async ({ lines, clock, board: read, told }) => {
    await turn();
    lines.setWithoutEdge(BASE + 5, true);
    await pass({ clock }, 1020);
    assert.equal(read.sensors(1), { present: false, charged: true });
    assert.equal(told, ['1 false true']);
  }),
);

board('a bay without contacts has no sensors', () =>
  withBoard(async ({ board: read }) => {
    assert.equal(read.sensors(2), { present: undefined, charged: undefined });
  }),
);

board('a line that cannot be opened is one fault, and the others work', () =>
  withBoard(
    async (bench) => {
      assert.equal(
        bench.faults.map((fault) => [fault.code, /^bay 1 amber/.test(fault.message)]),
        [['GPIO_FAILED', true]],
      );
      bench.board.show(1, 'slow-amber');
      bench.board.show(2, 'steady-green');
      await pass(bench, 10);
      assert.equal(lit(bench), [10]);
    },
    ({ lines }) => lines.fail(BASE + 1, Object.assign(new Error('busy'), { code: 'EBUSY' })),
  ),
);

board('a line that fails later is told once, and its sensor is unknown', () =>
  withBoard(async ({ lines, clock, board: read, faults, told }) => {
    await turn();
    lines.fail(BASE + 4, new Error('gone'));
    lines.fail(BASE + 0, new Error('gone'));
    await pass({ clock }, 1000);
    read.show(1, 'green-double-blink');
    await pass({ clock }, 5000);
    assert.equal(faults.map((fault) => fault.message.split(' (')[0]).sort(), [
      'bay 1 green light',
      'bay 1 present line',
    ]);
    assert.equal(read.sensors(1), { present: undefined, charged: false });
    assert.equal(told, ['1 undefined false']);
  }),
);

board('not being permitted says which group is missing', () =>
  withBoard(
    async ({ faults }) => {
      assert.is(faults[0]?.code, 'GPIO_UNAVAILABLE');
      assert.match(faults[0]?.action ?? '', /group gpio/);
    },
    ({ lines }) => lines.fail(BASE + 1, Object.assign(new Error('no'), { code: 'EACCES' })),
  ),
);

board('a computer without GPIO is one fault, and nothing else happens', () =>
  withBoard(
    async (bench) => {
      assert.equal(
        bench.faults.map((fault) => fault.code),
        ['GPIO_UNAVAILABLE'],
      );
      bench.board.show(1, 'fast-red');
      await pass(bench, 1000);
      assert.equal(bench.lines.openNumbers, []);
    },
    ({ lines }) => {
      lines.isAccessible = false;
    },
  ),
);

board('a chip that is missing for every line is told once', async () => {
  const config = JSON.parse(JSON.stringify(benchConfig()).replaceAll('pinctrl-test', 'elsewhere'));
  const bench = await benchBoard(config);
  const ignore = () => undefined;
  const faults = await bench.board.start({ onPress: ignore, onSensors: ignore, onFault: ignore });
  assert.is(faults.length, 1);
  await bench.dispose();
});

board('stop puts the lamps out and gives back every line, even when one fails', () =>
  withBoard(async (bench) => {
    bench.board.show(1, 'steady-green');
    bench.board.show(2, 'steady-green');
    await pass(bench, 10);
    assert.equal(lit(bench), [0, 10]);
    bench.lines.fail(BASE + 2, new Error('gone'));
    await bench.board.stop();
    assert.equal(lit(bench), []);
    assert.equal(bench.lines.openNumbers, []);
    assert.ok(bench.faults.length > 0);
  }),
);

board.run();
