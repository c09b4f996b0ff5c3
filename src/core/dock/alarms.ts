export type AlarmSeverity = 'warning' | 'error' | 'critical';

/** Who ends an alarm: the camera leaving the bay, the cause going away, or a person who dealt with it. */
export type AlarmEnd = 'camera-gone' | 'recovery' | 'person';

export interface AlarmRow {
  readonly severity: AlarmSeverity;
  readonly text: string;
  /** What IT does now: an order, not an explanation. */
  readonly action: string;
  readonly ends: AlarmEnd;
}

const row = (
  severity: AlarmSeverity,
  ends: AlarmEnd,
  words: { readonly text: string; readonly action: string },
): AlarmRow => ({ severity, ends, ...words });

const TABLE = {
  VAULT_FULL: row('critical', 'recovery', {
    text: 'The vault is full; new clips stay on the cameras.',
    action: 'Add storage, or review what is held; nothing is deleted to make room.',
  }),
  VAULT_UNWRITABLE: row('critical', 'recovery', {
    text: 'The vault cannot be written; new clips stay on the cameras.',
    action: 'Check that the disk is mounted, writable and healthy, then restart the dock.',
  }),
  CUSTODY_UNWRITABLE: row('critical', 'recovery', {
    text: 'The custody log cannot be written; the dock takes no clips.',
    action: 'Check the disk of the data folder, then restart the dock.',
  }),
  CUSTODY_CORRUPT: row('critical', 'person', {
    text: 'The custody log is damaged; the dock takes no clips.',
    action: 'Keep the disk as it is, run docket-verify on a copy, and call the evidence team.',
  }),
  CUSTODY_ROLLBACK: row('critical', 'person', {
    text: 'The centre holds newer custody entries than this dock: an old copy of its disk was put back.',
    action: 'Keep this disk as it is, put the newest one back, and call the evidence team.',
  }),
  CUSTODY_REPAIRED: row('warning', 'person', {
    text: 'An unfinished record at the end of the custody log was cut off at start.',
    action: 'Check the power supply, and compare the checkpoint with the one the centre holds.',
  }),
  CLIP_MISSING: row('critical', 'person', {
    text: 'The custody log names a clip that the vault does not have.',
    action: 'Stop the dock, keep the disk as it is, and call the evidence team.',
  }),
  CLIP_QUARANTINED: row('error', 'person', {
    text: 'A clip failed a check; it is in quarantine, and the camera keeps its own copy.',
    action: 'Keep the camera out of service, and have the evidence team read the clip from it.',
  }),
  SEGMENT_DIGEST_MISMATCH: row('critical', 'person', {
    text: 'A sealed segment in the vault is not what was written.',
    action: 'Replace the disk, and restore the clip from its offloaded copy.',
  }),
  COUNTER_GAP: row('error', 'person', {
    text: 'A camera counts recordings that neither it nor this dock has.',
    action:
      'Check whether another dock took them; ask the wearer and the evidence team about those that no dock has.',
  }),
  CAMERA_CLOCK_OFF: row('warning', 'recovery', {
    text: 'The clock of a camera was wrong; it is set now, and the manifests say by how much it was off.',
    action:
      'Check the time of the dock; if it is right, have the battery and the clock of the camera looked at.',
  }),
  CAMERA_TAKEN_EARLY: row('warning', 'recovery', {
    text: 'A camera was taken out before its recordings were safe.',
    action: 'Ask the wearer to put the camera back in any bay.',
  }),
  CAMERA_UNKNOWN: row('error', 'camera-gone', {
    text: 'A camera that is not registered here was put in.',
    action: 'Register the camera, or find out where it belongs.',
  }),
  CAMERA_NOT_AUTHENTIC: row('critical', 'camera-gone', {
    text: 'A camera could not prove that it is the one whose serial it gives.',
    action: 'Take the camera out of service, and pair it again only after it was examined.',
  }),
  CAMERA_KEYLESS: row('error', 'camera-gone', {
    text: 'A camera without a key was put in, and the policy does not allow it.',
    action: 'Pair the camera, or allow cameras without keys in the policy.',
  }),
  CAMERA_FULL_OF_ERRORS: row('error', 'camera-gone', {
    text: 'A camera answers with errors again and again.',
    action: 'Try the camera in another bay; send it for repair if it fails there too.',
  }),
  LINK_FOREIGN: row('error', 'camera-gone', {
    text: 'Something that is not a camera is plugged into a bay.',
    action: 'Unplug it, and find out who put it there.',
  }),
  RECEIPT_REFUSED: row('error', 'camera-gone', {
    text: 'A camera refused the dock’s receipt and keeps its recordings.',
    action: 'Check that the camera holds this dock’s receipt key; pair it again.',
  }),
  BAY_FAILED: row('error', 'camera-gone', {
    text: 'A bay stopped working on its camera.',
    action: 'Read the code on the status page, take the camera out, and try another bay.',
  }),
  DOCK_FAILED: row('critical', 'recovery', {
    text: 'The dock stopped taking clips.',
    action: 'Read the code on the status page and the log, then restart the dock.',
  }),
  SERIAL_FAILED: row('error', 'recovery', {
    text: 'The serial line of a bay cannot be opened.',
    action: 'Check the cable of the bay and the path in the board file.',
  }),
  SERIAL_IN_USE: row('error', 'recovery', {
    text: 'Another program has the serial line of a bay.',
    action: 'Stop the other program; look for a login console on the serial line.',
  }),
  GPIO_UNAVAILABLE: row('error', 'recovery', {
    text: 'The lights and buttons cannot be reached; clips are still taken.',
    action: 'Check the board file against the GPIO chips of this computer, and restart the dock.',
  }),
  GPIO_FAILED: row('error', 'recovery', {
    text: 'A light, button or sensor line does not work; clips are still taken.',
    action: 'Check what else uses the line and its wiring, and restart the dock.',
  }),
  BROKER_UNREACHABLE: row('warning', 'recovery', {
    text: 'The broker cannot be reached; the dock goes on without it.',
    action: 'Check the network, and that the broker is running at the configured address.',
  }),
  BROKER_REFUSED: row('error', 'recovery', {
    text: 'The broker refuses this dock; the dock goes on without it.',
    action: 'Check the dock’s certificate and the broker’s access rules.',
  }),
  WITNESS_SILENT: row('error', 'recovery', {
    text: 'The witness at the centre has not cosigned the custody log for a long time.',
    action: 'Check that docket witness runs, has the newest policy file, and reaches the broker.',
  }),
  WITNESS_REFUSED: row('error', 'recovery', {
    text: 'The witness at the centre refuses the checkpoints of this dock.',
    action:
      'Add the log key of this dock to the policy file of the witness; read the witness’s log.',
  }),
  TIME_DOUBTFUL: row('error', 'recovery', {
    text: 'The time of the witness does not fit what this dock knows; nothing is deleted on it.',
    action: 'Check the clock of the witness; when it is right, restart the dock.',
  }),
  KEY_INVALID: row('critical', 'recovery', {
    text: 'A key of this dock cannot be used; the dock takes no clips.',
    action: 'Restore the dock’s keys from its provisioning, then restart the dock.',
  }),
  RECIPIENT_INVALID: row('critical', 'recovery', {
    text: 'A recipient in the configuration is not valid; the dock takes no clips.',
    action: 'Correct the recipients in the configuration, then restart the dock.',
  }),
  DURABLE_WRITE_FAILED: row('critical', 'recovery', {
    text: 'The disk refused a write that must be durable; the dock takes no clips.',
    action: 'Replace the disk, and keep the old one as it is.',
  }),
} as const satisfies Record<string, AlarmRow>;

export type AlarmCode = keyof typeof TABLE;

export const ALARMS: Readonly<Record<AlarmCode, AlarmRow>> = TABLE;
export const ALARM_CODES = Object.keys(TABLE) as readonly AlarmCode[];

export function parseAlarmCode(text: string): AlarmCode | undefined {
  return Object.hasOwn(TABLE, text) ? (text as AlarmCode) : undefined;
}

/** The alarm's name in a topic, where only lower-case letters, digits and hyphens are allowed. */
export function formatAlarmName(code: AlarmCode): string {
  return code.toLowerCase().replaceAll('_', '-');
}
