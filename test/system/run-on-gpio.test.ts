// timeout: 1200
import { guestContract } from './uml/guest-contract.ts';

guestContract('docket run on a Pi 4', {
  script: 'run-scenario.sh',
  seconds: 380,
  promises: [
    'shows slow amber while it works, then steady green, on the lines of that bay',
    'shows fast red for a camera that the dock does not know',
    'answers a short press with the progress, then shows the light again',
    'holds the last recording after a long press, and says so with a double blink',
    'does not mind pins left exported and lit by a SIGKILL',
    'goes dark when the camera is taken out, and gives every line back at SIGTERM',
    'takes clips without the chip of its board, and says that the lights are dead',
  ],
});
