/** Opens a line with serialport, counts the bytes of its `data` events and does nothing else. */
import { once } from 'node:events';
import { SerialPort } from 'serialport';
import { gauge } from '../measure/gauge.ts';

const [path = '', size = ''] = process.argv.slice(2);
const port = new SerialPort({ path, baudRate: 4_000_000, autoOpen: false });
const sample = await gauge({ bytes: Number(size), watch: false }, async () => {
  let left = Number(size);
  const counted = new Promise<void>((resolve) => {
    port.on('data', (bytes: Buffer) => {
      left -= bytes.length;
      if (left <= 0) resolve();
    });
  });
  port.open();
  await once(port, 'open');
  process.send?.('open');
  await counted;
});
process.send?.(sample);
port.close();
process.disconnect();
