// timeout: 180
import { suite } from 'uvu';
import { checkKills } from './kit/check-kills.ts';

const kill = suite('kill');

kill('a dock that is killed again and again loses no clip and releases none early', async () => {
  await checkKills(8);
});

kill.run();
