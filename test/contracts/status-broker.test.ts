import * as assert from 'uvu/assert';
import { startEmbeddedBroker } from '../../src/adapters/mqtt/embedded-broker.ts';
import { MqttStatusBroker } from '../../src/adapters/mqtt/mqtt-status-broker.ts';
import type { DockId } from '../../src/core/evidence/clip.ts';
import type { Json } from '../../src/ports/status-broker.ts';
import { Observer } from '../adapters/mqtt/observer.ts';
import { FakeClock } from '../fakes/fake-clock.ts';
import { FakeLogger } from '../fakes/fake-logger.ts';
import { FakeRandom } from '../fakes/fake-random.ts';
import { FakeStatusBroker } from '../fakes/fake-status-broker.ts';
import { type StatusBrokerBench, statusBrokerContract } from './status-broker.ts';

const DOCK = 'north/dock-1' as DockId;

async function openFake(): Promise<StatusBrokerBench> {
  const broker = new FakeStatusBroker();
  let publishedFrom = 0;
  return {
    broker,
    async untilRetained(path, body) {
      assert.equal(broker.topics.get(path), body);
    },
    async untilEvents(count) {
      return broker.events.slice(0, count).map((event) => event.body);
    },
    publishedOf: (path) =>
      broker.published
        .slice(publishedFrom)
        .filter((each) => each.path === path)
        .map((each) => each.body),
    async say(path, text, isRetained) {
      broker.say(path, text, isRetained);
    },
    async away() {
      broker.away();
    },
    async back() {
      publishedFrom = broker.published.length;
      broker.back(true);
    },
    async close() {
      await broker.stop();
    },
  };
}

async function openReal(): Promise<StatusBrokerBench> {
  let centre = await startEmbeddedBroker({ mqttPort: 0 });
  const url = `mqtt://127.0.0.1:${centre.mqttPort}`;
  const clock = new FakeClock();
  const logger = new FakeLogger();
  const options = { url, dock: DOCK, clock, logger, random: new FakeRandom(), firstDelayMsMax: 0 };
  const broker = new MqttStatusBroker(options);
  let observer = await Observer.open(url, DOCK);
  const earlierEvents: (readonly Json[])[] = [];
  return {
    broker,
    untilRetained: (path, body) => observer.untilLast(path, body),
    async untilEvents(count) {
      const earlier = earlierEvents.flat();
      await observer.until(() => earlier.length + observer.events.length >= count);
      return [...earlier, ...observer.events].slice(0, count);
    },
    publishedOf: (path) => observer.bodiesOf(path).map((body) => body ?? null),
    say: (path, text, isRetained) => observer.say(path, text, isRetained),
    async away() {
      const lost = new Promise<void>((resolve) => {
        broker.onConnectedChange((connected) => {
          if (!connected) resolve();
        });
      });
      earlierEvents.push(observer.events);
      await observer.close();
      await centre.stop();
      await lost;
    },
    async back() {
      centre = await startEmbeddedBroker({ mqttPort: centre.mqttPort });
      observer = await Observer.open(url, DOCK);
      await clock.untilWaiting();
      await clock.advance(60_000);
    },
    async close() {
      await broker.stop();
      await observer.close();
      await centre.stop();
    },
  };
}

statusBrokerContract('fake', openFake);
statusBrokerContract('mqtt', openReal);
