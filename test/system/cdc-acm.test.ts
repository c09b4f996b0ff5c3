// timeout: 1200
import { guestContract } from './uml/guest-contract.ts';

guestContract('docket run on USB CDC-ACM', {
  script: 'cdc-acm-scenario.sh',
  seconds: 300,
  promises: [
    'takes the clips of a camera on a USB cable, and the camera erases them',
    'takes a clip whole whose camera was pulled out in the middle of it and put in again',
    'enters in the log that the camera was taken out early, and that nothing was lost',
    'docks a camera each time of ten that it is pulled out and put in',
  ],
});
