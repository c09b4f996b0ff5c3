import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseCameraList, parseDockConfig } from '../../../src/core/config/dock-config.ts';
import { formatFault } from '../../../src/core/config/faults.ts';

const config = suite('dock-config');

const EVIDENCE = `age1${'q'.repeat(58)}`;
const ESCROW = `age1${'p'.repeat(58)}`;

function valid(): Record<string, unknown> {
  return {
    site: 'north-depot',
    dock: 'dock-1',
    dataDir: 'data',
    board: 'boards/rpi-4b.json',
    recipients: [
      { role: 'evidence', recipient: EVIDENCE },
      { role: 'escrow', recipient: ESCROW },
    ],
  };
}

function faultsOf(value: unknown): string[] {
  const result = parseDockConfig(value);
  return 'faults' in result ? result.faults.map(formatFault) : [];
}

config('fills in what may be left out', () => {
  const result = parseDockConfig(valid());
  assert.ok('config' in result, faultsOf(valid()).join('\n'));
  const { cameras, bays, allowKeylessCameras, segmentMiB, reserveMiB, retentionDays, logLevel } =
    result.config;
  assert.equal(
    { cameras, bays, allowKeylessCameras, segmentMiB, reserveMiB, retentionDays, logLevel },
    {
      cameras: [],
      bays: [],
      allowKeylessCameras: false,
      segmentMiB: 64,
      reserveMiB: 256,
      retentionDays: 60,
      logLevel: 'info',
    },
  );
  assert.is(result.config.broker, undefined);
});

config('lists every fault at once, each with its path and what to do', () => {
  const faults = faultsOf({
    ...valid(),
    site: 'North Depot',
    dataDir: undefined,
    recipients: [{ role: 'evidence', recipient: EVIDENCE, note: 'x' }],
    retentionDays: 0,
    allowKeylessCamera: true,
    broker: { url: 'http://broker', certFile: 'dock.crt' },
  });
  const expected = [
    'site: it has not the right form; write 1 to 64 lower-case letters',
    'dataDir: it is missing; write the folder of the evidence',
    'recipients: it is less than 2 items; write two or more recipients',
    'recipients[0].note: this key is not known; remove it or correct its spelling; known here: role, recipient',
    'retentionDays: it is less than 1; write days, 1 to 3650',
    'allowKeylessCamera: this key is not known',
    'broker.url: it has not the right form; write mqtt, mqtts, ws or wss://host:port',
    'broker.keyFile: it is missing',
  ];
  for (const part of expected) {
    assert.ok(
      faults.some((fault) => fault.includes(part)),
      `${part}\nin\n${faults.join('\n')}`,
    );
  }
  assert.is(faults.length, expected.length);
});

config('takes a limit for ingests at once and one for the clocks of cameras', () => {
  const parsed = parseDockConfig(valid());
  assert.ok('config' in parsed);
  assert.is(parsed.config.ingestsMax, undefined);
  assert.is(parsed.config.cameraClockOffsetMinutesMax, 5);
  assert.equal(faultsOf({ ...valid(), ingestsMax: 2, cameraClockOffsetMinutesMax: 60 }), []);
  const faults = faultsOf({ ...valid(), ingestsMax: 0, cameraClockOffsetMinutesMax: 1_441 });
  assert.is(faults.length, 2);
  assert.match(faults.join('\n'), /ingestsMax: it is less than 1; write bays that take clips/);
});

config('refuses a secret identity among the recipients without repeating it', () => {
  const secret = 'AGE-SECRET-KEY-1QQPQZR';
  const recipients = [
    { role: 'evidence', recipient: EVIDENCE },
    { role: 'escrow', recipient: secret },
  ];
  const text = faultsOf({ ...valid(), recipients }).join('\n');
  assert.match(text, 'recipients[1].recipient: it is a secret identity');
  assert.not.match(text, secret);
});

config('refuses a recipient listed twice, which is no escrow', () => {
  const recipients = [
    { role: 'evidence', recipient: EVIDENCE },
    { role: 'escrow', recipient: EVIDENCE },
  ];
  const faults = faultsOf({ ...valid(), recipients });
  assert.is(faults.length, 1);
  assert.match(faults[0] ?? '', 'recipients[1].recipient: this recipient is already that of');
});

config('refuses a password in the url of the broker, and does not repeat it', () => {
  const text = faultsOf({ ...valid(), broker: { url: 'mqtt://dock:hunter2@broker:1883' } }).join();
  assert.match(text, 'broker.url');
  assert.not.match(text, 'hunter2');
});

config('takes the urls of the four transports', () => {
  for (const url of [
    'mqtt://127.0.0.1:1883',
    'mqtts://hub.example',
    'ws://h:9001/mqtt',
    'wss://[::1]:9/x',
  ]) {
    assert.equal(faultsOf({ ...valid(), broker: { url } }), []);
  }
});

config('refuses certificates on a line that is not encrypted', () => {
  const broker = { url: 'mqtt://broker', caFile: 'ca.crt' };
  assert.match(faultsOf({ ...valid(), broker }).join(), 'broker.caFile');
});

config('refuses two cameras with one serial or one key', () => {
  const publicKey = 'ab'.repeat(32);
  const cameras = [
    { serial: 'CAM-1', publicKey },
    { serial: 'CAM-1', publicKey: 'cd'.repeat(32) },
    { serial: 'CAM-2', publicKey },
  ];
  const faults = faultsOf({ ...valid(), cameras });
  assert.is(faults.length, 2);
  assert.match(
    faults[0] ?? '',
    'cameras[1].serial: this serial is already that of cameras[0].serial',
  );
  assert.match(faults[1] ?? '', 'cameras[2].publicKey: this key is already that of cameras[0]');
  assert.ok('faults' in parseCameraList(cameras));
});

config('refuses a key that is all zero, which is a place holder and not a key', () => {
  const list = parseCameraList([{ serial: 'CAM-1', publicKey: '00'.repeat(32) }]);
  assert.ok('faults' in list);
  assert.is(list.faults[0]?.path, '[0].publicKey');
});

config('refuses two overrides of one bay', () => {
  const bays = [
    { bay: 1, serial: '/dev/ttyA' },
    { bay: 1, serial: '/dev/ttyB' },
  ];
  assert.match(faultsOf({ ...valid(), bays }).join(), 'bays[1].bay: this bay is already that of');
});

config('knows nothing of prototypes', () => {
  const value: unknown = JSON.parse(`{"__proto__":{"site":"x"},"constructor":1}`);
  assert.ok(faultsOf(value).length >= 5);
});

config('gives faults, never an exception, for any JSON at all', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      assert.ok(faultsOf(value).length > 0);
    }),
    { numRuns: 100 },
  );
});

config.run();
