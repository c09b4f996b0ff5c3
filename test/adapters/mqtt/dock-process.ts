import { MqttStatusBroker } from '../../../src/adapters/mqtt/mqtt-status-broker.ts';
import { NodeRandom } from '../../../src/adapters/node/node-random.ts';
import { PinoLogger } from '../../../src/adapters/node/pino-logger.ts';
import { SystemClock } from '../../../src/adapters/node/system-clock.ts';
import type { DockId } from '../../../src/core/evidence/clip.ts';

/** A dock that says it is online until it is killed: `dock-process.ts URL SITE/DOCK`. */
const [url = '', dock = ''] = process.argv.slice(2);
const broker = new MqttStatusBroker({
  url,
  dock: dock as DockId,
  clock: new SystemClock(),
  random: new NodeRandom(),
  logger: new PinoLogger(),
  firstDelayMsMax: 0,
});
broker.retain('state', { state: 'ready' });
await broker.start();
process.once('SIGTERM', () => {
  void broker.stop();
});
