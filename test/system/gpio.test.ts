import { guestContract } from './uml/guest-contract.ts';

guestContract('gpio on a Pi 4 of gpio-sim', {
  script: 'gpio-scenario.sh',
  seconds: 300,
  promises: [
    'finds the chip by its label at base 512',
    'plays every light on the lines of its bay and on no other',
    'tells a short press once, after the contact came to rest',
    'tells a long press while the button is down, and nothing when it is let go',
    'tells that a camera came and went by the presence line',
    'blinks and hears a press in real time',
    'does not mind lines left exported and lit by a run that was killed',
    'does not mind lines that a killed run left the other way round',
    'puts lamps out and gives every line back at stop',
    'stops in the middle of a storm of edges',
    'reports a line that another program takes away at the moment of an edge',
    'drives an active-low lamp the other way round, dark from the first moment',
    'reports a board without its chip as a state, once, and goes on',
    'names a line that a driver holds and works with the others',
    'reports a chip that vanishes while the dock runs',
  ],
});
