// timeout: 1200
import { suite } from 'uvu';
import { checkKills } from '../e2e/kit/check-kills.ts';

const kill = suite('kill');

kill('200 kills lose no clip and release none early', async () => {
  await checkKills(200);
});

kill.run();
