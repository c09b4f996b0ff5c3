import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ALARM_CODES } from '../../../src/core/dock/alarms.ts';
import { type BayState, emptyBay } from '../../../src/core/dock/bay-state.ts';
import { INITIAL_STATE } from '../../../src/core/dock/state.ts';
import { alarmBody, bayBody, dockBody, dockPhase } from '../../../src/core/dock/status.ts';
import { alarmPath, bayPath, eventPath } from '../../../src/core/dock/topics.ts';
import type { CameraSerial } from '../../../src/core/evidence/clip.ts';
import type { Json } from '../../../src/ports/status-broker.ts';

const AT_MS = Date.UTC(2030, 4, 6, 7, 8, 9);

function workingBay(): BayState {
  return {
    ...emptyBay(2),
    link: 'session',
    listed: true,
    clockSet: true,
    camera: { serial: 'CAM-0042' as CameraSerial, lastCounter: 9 },
    clips: [
      { counter: 7, sizeBytes: 99, doneBytes: 99, stage: 'released' },
      { counter: 8, sizeBytes: 400, doneBytes: 100, stage: 'on-camera' },
      { counter: 9, sizeBytes: 0, doneBytes: 0, stage: 'on-camera' },
    ],
  };
}

const FACTS = {
  isStarted: true,
  halted: undefined,
  version: '0.1.0',
  bays: [emptyBay(1), workingBay()],
  counts: INITIAL_STATE.counts,
  treeSize: 12,
  cosigned: undefined,
  time: { kind: 'unknown', floorMs: 0 },
  storage: { totalBytes: 1000, freeBytes: 400 },
  boot: '0a1b2c3d',
  sinceMs: AT_MS - 60_000,
  atMs: AT_MS,
} as const;

const status = suite('status bodies');

status('tell of a bay what is done and what is being read', () => {
  assert.equal(bayBody(workingBay(), AT_MS), {
    bay: 2,
    state: 'working',
    light: 'slow-amber',
    camera: 'CAM-0042',
    clips: { waiting: 2, vaulted: 0, released: 1, quarantined: 0, held: 0 },
    progress: { counter: 8, bytes: 100, ofBytes: 400 },
    percent: 39,
    at: '2030-05-06T07:08:09.000Z',
  });
});

status('say nothing of a camera that is not there', () => {
  const body = bayBody(emptyBay(1), AT_MS);
  assert.is(body.state, 'empty');
  assert.is(body.light, 'off');
  assert.not('camera' in body);
  assert.not('progress' in body);
  assert.not('charged' in body);
  for (const name of ['battery', 'storage', 'firmware', 'clock']) assert.not(name in body, name);
});

const REPORT = {
  batteryPercent: 14,
  charging: true,
  storageBytes: 1_000,
  storageFreeBytes: 49,
  firmware: `v${'9'.repeat(200)}`,
  clockQuality: 'unset',
  clockOffsetMs: -12_000,
} as const;

status('tell of the camera what it says of itself, and what is low or full', () => {
  const body = bayBody({ ...workingBay(), report: REPORT }, AT_MS);
  assert.equal(body.battery, { percent: 14, charging: true, low: true });
  assert.equal(body.storage, { totalBytes: 1_000, freeBytes: 49, full: true });
  assert.equal(body.clock, { quality: 'unset', offsetMs: -12_000 });
  assert.is(body.firmware?.length, 64);
  const well = { ...REPORT, batteryPercent: 15, storageFreeBytes: 50 };
  const other = bayBody({ ...workingBay(), report: well }, AT_MS);
  assert.is(other.battery?.low, false);
  assert.is(other.storage?.full, false);
});

status('do not call a battery low of which nothing is known', () => {
  const report = { ...REPORT, batteryPercent: undefined };
  const { battery } = bayBody({ ...workingBay(), report }, AT_MS);
  assert.equal(battery, { charging: true, low: false });
});

status('say why a bay is in trouble', () => {
  const body = bayBody({ ...workingBay(), trouble: 'CAMERA_UNKNOWN' }, AT_MS);
  assert.is(body.state, 'trouble');
  assert.is(body.code, 'CAMERA_UNKNOWN');
});

status('tell of the dock what it holds and since when it runs', () => {
  assert.equal(dockBody(FACTS), {
    state: 'working',
    version: '0.1.0',
    bays: 2,
    clips: { vaulted: 0, released: 0, quarantined: 0, missing: 0, held: 0 },
    storage: { totalBytes: 1000, freeBytes: 400 },
    boot: '0a1b2c3d',
    since: '2030-05-06T07:07:09.000Z',
    treeSize: 12,
    time: { quality: 'unknown' },
    at: '2030-05-06T07:08:09.000Z',
  });
});

status('tell what the centre has, and how sure the time is', () => {
  const cosigned = { treeSize: 11, atMs: AT_MS };
  const time = { kind: 'known', earliestMs: AT_MS + 90_500, latestMs: AT_MS + 91_000 } as const;
  const body = dockBody({ ...FACTS, cosigned, time: { ...time, source: 'witness' } });
  assert.equal(body.cosigned, { treeSize: 11, at: '2030-05-06T07:08:09.000Z', ageSeconds: 90 });
  assert.equal(body.time, {
    ...{ quality: 'known', source: 'witness' },
    ...{ earliest: '2030-05-06T07:09:39.500Z', latest: '2030-05-06T07:09:40.000Z' },
  });
  const later = dockBody({ ...FACTS, cosigned, time: { kind: 'unknown', floorMs: AT_MS } });
  assert.equal(later.cosigned, { treeSize: 11, at: '2030-05-06T07:08:09.000Z' });
  assert.equal(later.time, { quality: 'unknown', after: '2030-05-06T07:08:09.000Z' });
});

status('let a halt outweigh everything, and a start everything else', () => {
  assert.is(dockPhase({ ...FACTS, halted: 'VAULT_UNWRITABLE' }), 'halted');
  assert.is(dockPhase({ ...FACTS, isStarted: false }), 'starting');
  assert.is(dockPhase({ ...FACTS, bays: [emptyBay(1)] }), 'ready');
  assert.is(
    dockPhase({ ...FACTS, bays: [{ ...workingBay(), waitingFor: 'VAULT_FULL' }] }),
    'waiting',
  );
  assert.is(dockBody({ ...FACTS, halted: 'VAULT_UNWRITABLE' }).code, 'VAULT_UNWRITABLE');
  assert.not('storage' in dockBody({ ...FACTS, storage: undefined }));
});

status('give every alarm an action and a topic of its own', () => {
  for (const code of ALARM_CODES) {
    const body = alarmBody(code, { sinceMs: AT_MS, bays: [3, 1] });
    assert.ok(body.action.length > 10, code);
    assert.equal(body.bays, [1, 3]);
    assert.match(alarmPath(code), /^alarm\/[a-z0-9-]{1,64}$/);
  }
  assert.not('bays' in alarmBody('VAULT_FULL', { sinceMs: AT_MS, bays: [] }));
  assert.is(new Set(ALARM_CODES.map(alarmPath)).size, ALARM_CODES.length);
});

status('are JSON as the broker takes it', () => {
  const bodies: readonly Json[] = [
    dockBody(FACTS),
    bayBody(workingBay(), AT_MS),
    bayBody({ ...workingBay(), report: { ...REPORT, batteryPercent: undefined } }, AT_MS),
    alarmBody('VAULT_FULL', { sinceMs: AT_MS, bays: [] }),
  ];
  for (const body of bodies) assert.equal(JSON.parse(JSON.stringify(body)), body);
});

status('refuse a path that would leave the dock’s own tree', () => {
  assert.is(bayPath(1), 'bay/1/state');
  assert.throws(() => bayPath(0));
  assert.throws(() => eventPath('a/b'));
  assert.throws(() => eventPath('#'));
});

status.run();
