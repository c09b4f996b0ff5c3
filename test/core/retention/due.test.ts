import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { dueAtMs } from '../../../src/core/retention/due.ts';

const due = suite('due date');
const DAY_MS = 86_400_000;
const INGESTED = Date.UTC(2030, 5, 10);
const CAPTURED = INGESTED - 6 * 3_600_000;
const DUE_BY_CAPTURE = CAPTURED + 60 * DAY_MS;
const DUE_BY_INGEST = INGESTED + 60 * DAY_MS;

const times = {
  endedAtMs: CAPTURED,
  clockQuality: 'dock',
  cameraClockOffsetMs: 0,
  ingestedAtMs: INGESTED,
} as const;

due('counts from the end of the recording', () => {
  assert.is(dueAtMs(times, 60), DUE_BY_CAPTURE);
  assert.is(dueAtMs(times, 1), CAPTURED + DAY_MS);
});

due('corrects a camera clock that was compared', () => {
  const ahead = { endedAtMs: CAPTURED + 5 * DAY_MS, cameraClockOffsetMs: 5 * DAY_MS };
  assert.is(dueAtMs({ ...times, ...ahead }, 60), DUE_BY_CAPTURE);
  const behind = { endedAtMs: CAPTURED - 5 * DAY_MS, cameraClockOffsetMs: -5 * DAY_MS };
  const free = { clockQuality: 'free-running', ...behind } as const;
  assert.is(dueAtMs({ ...times, ...free }, 60), DUE_BY_CAPTURE);
});

due('counts from the ingest when the camera clock says nothing', () => {
  assert.is(dueAtMs({ ...times, clockQuality: 'unset', endedAtMs: 0 }, 60), DUE_BY_INGEST);
  const uncompared = { clockQuality: 'free-running', cameraClockOffsetMs: undefined } as const;
  assert.is(dueAtMs({ ...times, ...uncompared, endedAtMs: 0 }, 60), DUE_BY_INGEST);
});

due('trusts a clock that was set, even if it was not compared', () => {
  assert.is(dueAtMs({ ...times, cameraClockOffsetMs: undefined }, 60), DUE_BY_CAPTURE);
});

due('is never later for a recording that claims to come from the future', () => {
  assert.is(dueAtMs({ ...times, endedAtMs: INGESTED + 400 * DAY_MS }, 60), DUE_BY_INGEST);
});

due.run();
