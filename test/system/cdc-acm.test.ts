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
  'takes the clips of a camera on a USB cable, and the camera erases them',
  'takes a clip whole whose camera was pulled out in the middle of it and put in again',
  'enters in the log that the camera was taken out early, and that nothing was lost',
  'docks a camera each time of ten that it is pulled out and put in',
] as const;

const onUsb = suite<{ guest: Guest; results: Map<string, Result> }>('docket run on USB CDC-ACM');

onUsb.before(async (context) => {
  const uml = await openUml();
  try {
    context.guest = await uml.run('cdc-acm-scenario.sh', { seconds: 300 });
  } finally {
    await uml.close();
  }
  const results = context.guest.output
    .split('\n')
    .filter((line) => line.startsWith('result '))
    .map((line) => JSON.parse(line.slice('result '.length)) as Result);
  context.results = new Map(results.map((result) => [result.name, result]));
});

onUsb('the guest got to its end', ({ guest }) => {
  assert.is(guest.exitCode, 0, guest.output);
});

for (const name of PROMISES) {
  onUsb(name, ({ results, guest }) => {
    const result = results.get(name);
    assert.ok(result !== undefined, `the guest did not say:\n${guest.output}`);
    assert.is(result.failure, null, result.failure ?? '');
  });
}

onUsb.run();
