import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { startEmbeddedBroker } from '../../../src/adapters/mqtt/embedded-broker.ts';
import { MqttWitnessBus } from '../../../src/adapters/mqtt/mqtt-witness-bus.ts';
import type { DockId } from '../../../src/core/evidence/clip.ts';
import { FakeClock } from '../../fakes/fake-clock.ts';
import { FakeLogger } from '../../fakes/fake-logger.ts';
import { FakeRandom } from '../../fakes/fake-random.ts';
import { Observer } from './observer.ts';

const DOCK = 'leeds/dock-1' as DockId;

interface Heard {
  readonly dock: DockId;
  readonly text: string;
}

/** What the witness hears, in order; `until` resolves with the first so many. */
class Ear {
  readonly heard: Heard[] = [];
  #onHeard: (() => void)[] = [];

  readonly listener = (dock: DockId, payload: Uint8Array): void => {
    this.heard.push({ dock, text: new TextDecoder().decode(payload) });
    for (const listener of this.#onHeard.splice(0)) listener();
  };

  async until(count: number): Promise<readonly Heard[]> {
    while (this.heard.length < count) {
      await new Promise<void>((resolve) => this.#onHeard.push(resolve));
    }
    return this.heard;
  }
}

function newBus(port: number, clock = new FakeClock()): MqttWitnessBus {
  const url = `mqtt://127.0.0.1:${port}`;
  return new MqttWitnessBus({ url, clock, logger: new FakeLogger(), random: new FakeRandom() });
}

const bus = suite('witness bus');

bus(
  'hears the checkpoints of every dock, the retained ones first, and no other topic',
  async () => {
    const broker = await startEmbeddedBroker({ mqttPort: 0 });
    const url = `mqtt://127.0.0.1:${broker.mqttPort}`;
    const first = await Observer.open(url, DOCK);
    const second = await Observer.open(url, 'york/dock-9');
    await first.say('checkpoint', 'kept', true);
    await first.say('state', 'other', true);
    const ear = new Ear();
    const witness = newBus(broker.mqttPort);
    await witness.start(ear.listener);
    await ear.until(1);
    await second.say('checkpoint', 'said');
    await second.say('checkpoint/more', 'no');
    await first.say('checkpoint', 'last');
    assert.equal(await ear.until(3), [
      { dock: DOCK, text: 'kept' },
      { dock: 'york/dock-9', text: 'said' },
      { dock: DOCK, text: 'last' },
    ]);
    await witness.stop();
    await first.close();
    await second.close();
    await broker.stop();
  },
);

bus('answers below the topics of the dock, and clears what is over', async () => {
  const broker = await startEmbeddedBroker({ mqttPort: 0 });
  const dock = await Observer.open(`mqtt://127.0.0.1:${broker.mqttPort}`, DOCK);
  const witness = newBus(broker.mqttPort);
  const connected = new Promise<void>((resolve) => {
    witness.onConnectedChange((isConnected) => isConnected && resolve());
  });
  await witness.start(() => undefined);
  await connected;
  witness.say({ dock: DOCK, path: 'cosig', body: { status: 200 }, retain: true });
  await dock.untilLast('cosig', { status: 200 });
  witness.say({ dock: DOCK, path: 'cosig', body: null, retain: true });
  await dock.untilLast('cosig', undefined);
  await witness.stop();
  await witness.stop();
  await dock.close();
  await broker.stop();
});

bus('comes back when the broker does', async () => {
  const clock = new FakeClock();
  let broker = await startEmbeddedBroker({ mqttPort: 0 });
  const witness = newBus(broker.mqttPort, clock);
  const changes: boolean[] = [];
  let onChange: () => void = () => undefined;
  witness.onConnectedChange((isConnected) => {
    changes.push(isConnected);
    onChange();
  });
  const until = async (count: number) => {
    while (changes.length < count) {
      await new Promise<void>((resolve) => {
        onChange = resolve;
      });
    }
  };
  const ear = new Ear();
  await witness.start(ear.listener);
  await until(1);
  await broker.stop();
  await until(2);
  broker = await startEmbeddedBroker({ mqttPort: broker.mqttPort });
  await clock.untilWaiting();
  await clock.advance(60_000);
  await until(3);
  assert.equal(changes, [true, false, true]);
  const dock = await Observer.open(`mqtt://127.0.0.1:${broker.mqttPort}`, DOCK);
  await dock.say('checkpoint', 'again', true);
  assert.equal(await ear.until(1), [{ dock: DOCK, text: 'again' }]);
  await witness.stop();
  await dock.close();
  await broker.stop();
});

bus.run();
