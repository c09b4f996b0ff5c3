import { startEmbeddedBroker } from '../../../src/adapters/mqtt/embedded-broker.ts';

/** The embedded broker in a process of its own, until it is killed: `broker-process.ts PORT`. */
await startEmbeddedBroker({ mqttPort: Number(process.argv[2]) });
