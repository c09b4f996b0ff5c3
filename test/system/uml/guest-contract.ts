import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Guest, openUml } from './uml.ts';

interface Result {
  readonly name: string;
  readonly failure: string | null;
}

export interface Scenario {
  /** Runs in the guest; beside this file. */
  readonly script: string;
  readonly seconds: number;
  /** What the guest promises; it may not run fewer. */
  readonly promises: readonly string[];
}

function parseResults({ output }: Guest): Map<string, Result> {
  const lines = output.split('\n').filter((line) => line.startsWith('result '));
  const results = lines.map((line) => JSON.parse(line.slice('result '.length)) as Result);
  return new Map(results.map((result) => [result.name, result]));
}

/** Runs promises in User-Mode Linux, in one boot. */
export function guestContract(title: string, { script, seconds, promises }: Scenario): void {
  const guests = suite<{ guest: Guest; results: Map<string, Result> }>(title);
  guests.before(async (context) => {
    const uml = await openUml();
    try {
      context.guest = await uml.run(script, { seconds });
    } finally {
      await uml.close();
    }
    context.results = parseResults(context.guest);
  });
  guests('the guest got to its end', ({ guest }) => {
    assert.is(guest.exitCode, 0, guest.output);
  });
  for (const name of promises) {
    guests(name, ({ results, guest }) => {
      const result = results.get(name);
      assert.ok(result !== undefined, `the guest did not say:\n${guest.output}`);
      assert.is(result.failure, null, result.failure ?? '');
    });
  }
  guests.run();
}
