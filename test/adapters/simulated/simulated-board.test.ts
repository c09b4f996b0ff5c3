import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { SimulatedBoard } from '../../../src/adapters/simulated/simulated-board.ts';

const simulated = suite('simulated board');

simulated('tells each change of light once, and puts all lights out at stop', async () => {
  const told: string[] = [];
  const board = new SimulatedBoard({
    name: 'simulated',
    bays: [1, 2],
    onLight: (bay, light) => told.push(`${bay} ${light}`),
    onFlash: (bay, flash) => told.push(`${bay} ${flash}`),
  });
  board.show(1, 'slow-amber');
  board.show(1, 'slow-amber');
  board.flash(2, 'progress-all');
  board.show(3, 'fast-red');
  assert.is(board.lightOf(1), 'slow-amber');
  await board.stop();
  assert.equal(told, ['1 slow-amber', '2 progress-all', '1 off']);
});

simulated.run();
