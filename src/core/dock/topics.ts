import { assert } from '../assert.ts';
import { type AlarmCode, formatAlarmName } from './alarms.ts';

/** Paths below `docket/1/<site>/<dock>/`. `availability` belongs to the broker's adapter. */
export const DOCK_PATH = 'state';
export const DESCRIPTION_PATH = 'description';

export function bayPath(bay: number): string {
  assert(Number.isInteger(bay) && bay >= 1, `bay ${bay}`);
  return `bay/${bay}/state`;
}

export function alarmPath(code: AlarmCode): string {
  return `alarm/${formatAlarmName(code)}`;
}

export function eventPath(kind: string): string {
  assert(/^[a-z0-9-]{1,64}$/.test(kind), `event kind ${kind}`);
  return `event/${kind}`;
}
