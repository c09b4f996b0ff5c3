import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  ALARM_CODES,
  ALARMS,
  formatAlarmName,
  parseAlarmCode,
} from '../../../src/core/dock/alarms.ts';

const alarms = suite('alarms');

const ORDERS =
  /^(Add|Ask|Check|Choose|Correct|Find|Keep|Pair|Read|Register|Replace|Restore|Stop|Take|Try|Unplug)\b/;

alarms('every alarm says what is, and tells IT what to do', () => {
  for (const code of ALARM_CODES) {
    const { text, action } = ALARMS[code];
    assert.match(text, /^[A-Z].*\.$/, code);
    assert.match(action, ORDERS, code);
    assert.match(action, /\.$/, code);
    assert.is.not(text, action);
  }
});

alarms('no alarm asks anyone to delete evidence', () => {
  for (const code of ALARM_CODES)
    assert.not.match(ALARMS[code].action, /delet(e|ing) |erase|wipe/i);
});

alarms('a code is read back only if it is one', () => {
  for (const code of ALARM_CODES) assert.is(parseAlarmCode(code), code);
  assert.is(parseAlarmCode('toString'), undefined);
  assert.is(parseAlarmCode('__proto__'), undefined);
  assert.is(parseAlarmCode(''), undefined);
});

alarms('a name fits a topic, and no two codes share one', () => {
  const names = ALARM_CODES.map(formatAlarmName);
  for (const name of names) assert.match(name, /^[a-z0-9-]{1,64}$/);
  assert.is(new Set(names).size, names.length);
  assert.is(formatAlarmName('VAULT_FULL'), 'vault-full');
});

alarms.run();
