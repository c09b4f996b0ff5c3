import { SimulatedBoard } from '../../src/adapters/simulated/simulated-board.ts';
import type { BaySensors, Board, Press } from '../../src/ports/board.ts';
import { BASE, benchBoard } from '../adapters/gpio/bench-board.ts';
import { FakeBoard } from '../fakes/fake-board.ts';
import { type BoardBench, boardContract } from './board.ts';

interface Pressable extends Board {
  press(bay: number, press: Press): void;
  setSensors(bay: number, sensors: BaySensors): void;
}

const bench = (board: Pressable): BoardBench => ({
  board,
  press: async (press) => board.press(1, press),
  setPresent: async (present) => board.setSensors(1, { present, charged: undefined }),
  dispose: () => board.stop(),
});

boardContract('fake', async () => bench(new FakeBoard()));

boardContract('simulated', async () =>
  bench(new SimulatedBoard({ name: 'simulated', bays: [1, 2], onLight: () => undefined })),
);

boardContract('onoff, on lines in memory', async () => {
  const { board, clock, lines, dispose } = await benchBoard();
  const hold = async (line: number, isClosed: boolean, ms: number) => {
    lines.set(BASE + line, isClosed);
    await new Promise((resolve) => setImmediate(resolve));
    await clock.advance(ms);
  };
  return {
    board,
    press: async (press) => {
      await hold(3, true, press === 'long' ? 900 : 100);
      await hold(3, false, 100);
    },
    setPresent: (isPresent) => hold(4, isPresent, 100),
    dispose,
  };
});
