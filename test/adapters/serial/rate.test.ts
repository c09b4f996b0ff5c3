import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { StartOptions } from '../../../firmware-bridge/sim/provision.ts';
import { never, newRig, type PlugOptions, type Rig, readAll, receiptFor } from './rig.ts';

const BASE = 115_200;
const MOST = 3_000_000;
/** As a UART is: what one end sends at another rate than the other's is noise. */
const UART = { strictRate: true };

const rates = suite<{ rig: Rig; told: number[] }>('the rate of a serial line');

rates.before.each(async (context) => {
  context.rig = await newRig(BASE, { baudRateMax: MOST });
  context.told = [];
});
rates.after.each(async (context) => {
  await context.rig.end();
});

/** Docks a camera, brings its clip over, releases it, and gives the rate at which the dock docked it. */
async function ingest(
  { rig, told }: { readonly rig: Rig; readonly told: number[] },
  line: Pick<StartOptions, 'rates' | 'strictRate' | 'deadRate'>,
  options: Partial<PlugOptions> = {},
): Promise<unknown> {
  const [content] = await rig.plug({ sizes: [400_000], line, ...options });
  rig.camera?.onEvent(({ event, baud }) => {
    if (event === 'rate') told.push(Number(baud));
  });
  const session = await rig.dock();
  const [record] = (await session.records(never)).records;
  assert.ok(Buffer.from(await readAll(session, record!)).equals(content!));
  await session.release(record!.counter, receiptFor(record!, rig.receiptKey), never);
  await session.close();
  return rig.logged.find(({ event }) => event === 'link.docked')?.baudRate;
}

rates('is the highest that both sides support', async (context) => {
  assert.is(await ingest(context, UART), MOST);
  assert.is(context.told[0], MOST);
});

rates('is what the camera can do when that is less', async (context) => {
  assert.is(await ingest(context, { ...UART, rates: [BASE, 460_800, 921_600] }), 921_600);
  assert.is(context.told[0], 921_600);
});

rates('stays with a camera that knows one rate only', async (context) => {
  assert.is(await ingest(context, {}), BASE);
  assert.equal(context.told, []);
});

rates(
  'is asked for again when the answer was lost and the camera has changed it',
  async (context) => {
    assert.is(await ingest(context, UART, { faults: ['no-rate-answer'] }), MOST);
    assert.equal(context.told.slice(0, 3), [MOST, BASE, MOST]);
  },
);

rates('is the next lower where the highest carries nothing', async (context) => {
  assert.is(await ingest(context, { ...UART, deadRate: MOST }), 2_000_000);
  assert.equal(context.told.slice(0, 3), [MOST, BASE, 2_000_000]);
});

rates('is agreed on a line that loses one frame in ten', async (context) => {
  assert.is(await ingest(context, UART, { faults: ['drop=0.1'] }), MOST);
});

rates('is the base rate again for the next session', async (context) => {
  const { rig, told } = context;
  await rig.plug({ sizes: [1], line: UART });
  rig.camera?.onEvent(({ event, baud }) => {
    if (event === 'rate') told.push(Number(baud));
  });
  for (let time = 0; time < 2; time++) {
    const session = await rig.dock();
    const lost = rig.camera!.next('line-lost');
    await session.close();
    await lost;
  }
  assert.equal(told, [MOST, BASE, MOST, BASE]);
});

rates('comes down in the middle of a clip when it stops carrying', async (context) => {
  const { rig, told } = context;
  const [content] = await rig.plug({ sizes: [900_000], line: UART });
  rig.camera?.onEvent(({ event, baud }) => {
    if (event !== 'rate') return;
    told.push(Number(baud));
    if (baud === 2_000_000) rig.camera?.send('fault none');
  });
  const session = await rig.dock();
  const [record] = (await session.records(never)).records;
  const parts: Uint8Array[] = [];
  await session.read(record!, {
    fromByte: 0,
    toByte: record!.sizeBytes,
    signal: never,
    onBytes: async (bytes) => {
      if (parts.length === 0) rig.camera?.send('fault corrupt=0.4');
      parts.push(bytes.slice());
    },
  });
  assert.ok(Buffer.concat(parts).equals(content!));
  assert.equal(told.slice(0, 2), [MOST, 2_000_000]);
  await session.close();
});

rates('is not touched on a line whose rate says nothing', async (context) => {
  await context.rig.end();
  const fast = await newRig(4_000_000, { baudRateMax: 12_000_000 });
  try {
    assert.is(
      await ingest({ ...context, rig: fast }, { rates: [4_000_000, 12_000_000] }),
      4_000_000,
    );
    assert.equal(context.told, []);
  } finally {
    await fast.end();
  }
});

rates.run();
