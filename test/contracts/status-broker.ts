import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Json, StatusBroker } from '../../src/ports/status-broker.ts';

export interface StatusBrokerBench {
  readonly broker: StatusBroker;
  /** Resolves when the centre has exactly this retained; undefined for nothing. */
  untilRetained(path: string, body: Json | undefined): Promise<void>;
  /** Resolves with the bodies of the first `count` events that reached the centre. */
  untilEvents(count: number): Promise<readonly Json[]>;
  /** Every value of the path that reached the centre since `back`, or since the start. */
  publishedOf(path: string): readonly Json[];
  /** Somebody else publishes on this dock's path. */
  say(path: string, text: string, isRetained?: boolean): Promise<void>;
  away(): Promise<void>;
  /** The centre comes back with an empty memory. */
  back(): Promise<void>;
  close(): Promise<void>;
}

/** One suite for the fake and for the real adapter. */
export function statusBrokerContract(name: string, open: () => Promise<StatusBrokerBench>): void {
  const contract = suite<{ bench: StatusBrokerBench }>(`status broker: ${name}`);

  contract.before.each(async (context) => {
    context.bench = await open();
  });
  contract.after.each(async ({ bench }) => {
    await bench.close();
  });

  contract('says online when it starts and disconnected when it stops', async ({ bench }) => {
    await bench.broker.start();
    await bench.untilRetained('availability', 'online');
    await bench.broker.stop();
    await bench.untilRetained('availability', 'disconnected');
    assert.is(bench.broker.connected, false);
  });

  contract('retains what was said before it started', async ({ bench }) => {
    bench.broker.retain('state', { state: 'starting' });
    await bench.broker.start();
    await bench.untilRetained('state', { state: 'starting' });
  });

  contract('replaces a retained value and clears it with null', async ({ bench }) => {
    await bench.broker.start();
    bench.broker.retain('alarm/vault-full', { severity: 'warning' });
    await bench.untilRetained('alarm/vault-full', { severity: 'warning' });
    bench.broker.retain('alarm/vault-full', { severity: 'critical' });
    await bench.untilRetained('alarm/vault-full', { severity: 'critical' });
    bench.broker.retain('alarm/vault-full', null);
    await bench.untilRetained('alarm/vault-full', undefined);
  });

  contract('publishes every retained value again when the centre comes back', async ({ bench }) => {
    await bench.broker.start();
    bench.broker.retain('state', { state: 'ready' });
    bench.broker.retain('bay/1/state', { bay: 1 });
    await bench.untilRetained('bay/1/state', { bay: 1 });
    await bench.away();
    assert.is(bench.broker.connected, false);
    await bench.back();
    await bench.untilRetained('state', { state: 'ready' });
    await bench.untilRetained('bay/1/state', { bay: 1 });
    await bench.untilRetained('availability', 'online');
  });

  contract(
    'sends only the latest of the values that changed while it was away',
    async ({ bench }) => {
      await bench.broker.start();
      await bench.untilRetained('availability', 'online');
      await bench.away();
      for (let step = 1; step <= 50; step++) bench.broker.retain('state', { step });
      await bench.back();
      await bench.untilRetained('state', { step: 50 });
      assert.equal(bench.publishedOf('state'), [{ step: 50 }]);
    },
  );

  contract('forgets what was cleared while it was away', async ({ bench }) => {
    await bench.broker.start();
    bench.broker.retain('alarm/vault-full', { severity: 'warning' });
    await bench.untilRetained('alarm/vault-full', { severity: 'warning' });
    await bench.away();
    bench.broker.retain('alarm/vault-full', null);
    bench.broker.retain('state', { state: 'ready' });
    await bench.back();
    await bench.untilRetained('availability', 'online');
    await bench.untilRetained('alarm/vault-full', undefined);
  });

  contract('sends events in order, those of its absence too', async ({ bench }) => {
    await bench.broker.start();
    bench.broker.emit('event/docked', { seq: 1 });
    assert.equal(await bench.untilEvents(1), [{ seq: 1 }]);
    await bench.away();
    bench.broker.emit('event/docked', { seq: 2 });
    bench.broker.emit('event/vaulted', { seq: 3 });
    await bench.back();
    const all = await bench.untilEvents(3);
    assert.equal(all, [{ seq: 1 }, { seq: 2 }, { seq: 3 }]);
  });

  contract(
    'hears what is said and what is retained on its paths, and nothing else',
    async ({ bench }) => {
      const heard: string[] = [];
      const isHeard = (text: string) =>
        new Promise<void>((resolve) => {
          bench.broker.listen('cosig', (payload) => {
            heard.push(new TextDecoder().decode(payload));
            if (heard.at(-1) === text) resolve();
          });
        });
      await bench.say('cosig', 'retained', true);
      await bench.say('other', 'retained too', true);
      const retained = isHeard('retained');
      await bench.broker.start();
      await retained;
      assert.equal(heard, ['retained']);
    },
  );

  contract('hears again after the centre was away', async ({ bench }) => {
    let onHeard: (text: string) => void = () => undefined;
    const isHeard = () =>
      new Promise<string>((resolve) => {
        onHeard = resolve;
      });
    bench.broker.listen('cosig', (payload) => onHeard(new TextDecoder().decode(payload)));
    await bench.broker.start();
    await bench.untilRetained('availability', 'online');
    await bench.away();
    await bench.back();
    await bench.untilRetained('availability', 'online');
    const heard = isHeard();
    await bench.say('cosig', 'later', true);
    assert.is(await heard, 'later');
  });

  contract('tells its listeners when the connection comes and goes', async ({ bench }) => {
    const seen: boolean[] = [];
    bench.broker.onConnectedChange((connected) => seen.push(connected));
    await bench.broker.start();
    await bench.untilRetained('availability', 'online');
    await bench.away();
    await bench.back();
    await bench.untilRetained('availability', 'online');
    assert.equal(seen, [true, false, true]);
  });

  contract('may be stopped twice, and before it ever started', async ({ bench }) => {
    await bench.broker.stop();
    await bench.broker.stop();
    bench.broker.retain('state', { state: 'late' });
    bench.broker.emit('event/late', {});
  });

  contract.run();
}
