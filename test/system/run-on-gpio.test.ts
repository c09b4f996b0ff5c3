// timeout: 1200
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Guest, openUml } from './uml/uml.ts';

interface Result {
  readonly name: string;
  readonly failure: string | null;
}

/** What the guest promises; it may not run fewer. */
const PROMISES = [
  'shows slow amber while it works, then steady green, on the lines of that bay',
  'shows fast red for a camera that the dock does not know',
  'answers a short press with the progress, then shows the light again',
  'holds the last recording after a long press, and says so with a double blink',
  'does not mind pins left exported and lit by a SIGKILL',
  'goes dark when the camera is taken out, and gives every line back at SIGTERM',
  'takes clips without the chip of its board, and says that the lights are dead',
] as const;

const onGpio = suite<{ guest: Guest; results: Map<string, Result> }>('docket run on a Pi 4');

onGpio.before(async (context) => {
  const uml = await openUml();
  try {
    context.guest = await uml.run('run-scenario.sh', { seconds: 380 });
  } finally {
    await uml.close();
  }
  const results = context.guest.output
    .split('\n')
    .filter((line) => line.startsWith('result '))
    .map((line) => JSON.parse(line.slice('result '.length)) as Result);
  context.results = new Map(results.map((result) => [result.name, result]));
});

onGpio('the guest got to its end', ({ guest }) => {
  assert.is(guest.exitCode, 0, guest.output);
});

for (const name of PROMISES) {
  onGpio(name, ({ results, guest }) => {
    const result = results.get(name);
    assert.ok(result !== undefined, `the guest did not say:\n${guest.output}`);
    assert.is(result.failure, null, result.failure ?? '');
  });
}

onGpio.run();
