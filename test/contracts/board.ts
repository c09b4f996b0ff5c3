import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { FLASH_NAMES, LIGHT_NAMES } from '../../src/core/dock/lights.ts';
import type { Board, BoardFault, BoardListeners, Press } from '../../src/ports/board.ts';

export interface BoardBench {
  readonly board: Board;
  /** As a finger on the button of bay 1 would. */
  press(press: Press): Promise<void>;
  /** As a camera put into bay 1, or taken out of it, would. */
  setPresent(isPresent: boolean): Promise<void>;
  dispose(): Promise<void>;
}

/** What every board promises, with at least bay 1. */
export function boardContract(name: string, open: () => Promise<BoardBench>): void {
  const board = suite(`board contract: ${name}`);

  const started = async (bench: BoardBench) => {
    const told: string[] = [];
    const faults: BoardFault[] = [];
    const listeners: BoardListeners = {
      onPress: (bay, press) => told.push(`${bay} ${press}`),
      onSensors: (bay, { present }) => told.push(`${bay} present ${present}`),
      onFault: (fault) => faults.push(fault),
    };
    faults.push(...(await bench.board.start(listeners)));
    return { told, faults };
  };

  const promise = (words: string, test: (bench: BoardBench) => Promise<void>) =>
    board(words, async () => {
      const bench = await open();
      try {
        await test(bench);
      } finally {
        await bench.dispose();
      }
    });

  promise('shows every light and flash without a fault', async (bench) => {
    const { faults } = await started(bench);
    for (const light of LIGHT_NAMES) bench.board.show(1, light);
    for (const flash of FLASH_NAMES) bench.board.flash(1, flash);
    assert.equal(faults, []);
  });

  promise('takes no notice of a bay that it does not have', async (bench) => {
    const { faults } = await started(bench);
    bench.board.show(99, 'fast-red');
    bench.board.flash(99, 'incident-seen');
    assert.equal(bench.board.sensors(99), { present: undefined, charged: undefined });
    assert.equal(faults, []);
  });

  promise('tells each press once, with its bay', async (bench) => {
    const { told } = await started(bench);
    await bench.press('short');
    await bench.press('long');
    assert.equal(told, ['1 short', '1 long']);
  });

  promise('tells a change of presence once, and knows it when asked', async (bench) => {
    const { told } = await started(bench);
    await bench.setPresent(true);
    await bench.setPresent(true);
    assert.is(bench.board.sensors(1).present, true);
    await bench.setPresent(false);
    assert.is(bench.board.sensors(1).present, false);
    assert.equal(told.slice(0, 1), ['1 present true']);
    assert.equal(told.slice(-1), ['1 present false']);
    assert.is(told.length, 2);
  });

  promise('tells nothing after it stopped, and stops twice without harm', async (bench) => {
    const { told } = await started(bench);
    await bench.board.stop();
    await bench.press('short');
    await bench.setPresent(true);
    bench.board.show(1, 'fast-red');
    await bench.board.stop();
    assert.equal(told, []);
  });

  board.run();
}
