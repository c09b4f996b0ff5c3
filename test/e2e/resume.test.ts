// timeout: 240
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ResumeRun } from './kit/resume-run.ts';

const resume = suite('resume');

resume(
  'a camera taken out at 100 random bytes is asked for no byte that came, in whichever bay',
  async () => {
    const tally = await new ResumeRun({ cuts: 100, seed: 20_260 }).run();
    console.log(JSON.stringify(tally));
    assert.ok(tally.resumed >= 50, `${tally.resumed} times a clip went on`);
    assert.ok(tally.askedAgainBytes <= tally.lostBytes, `${tally.askedAgainBytes} bytes`);
  },
);

resume('a dock that starts anew asks for nothing below the last whole segment', async () => {
  const tally = await new ResumeRun({ cuts: 24, seed: 7, restartEvery: 3 }).run();
  console.log(JSON.stringify(tally));
  assert.ok(tally.restarts >= 6);
  assert.ok(tally.askedAgainBytes <= tally.lostBytes, `${tally.askedAgainBytes} bytes`);
});

resume.run();
