/** What `app` does about an error. Operators see the code; the disposition is ours. */
export type Disposition = 'retry' | 'reject' | 'quarantine' | 'haltBay' | 'haltDock';

const DISPOSITIONS = {
  LINK_TIMEOUT: 'retry',
  LINK_CLOSED: 'retry',
  LINK_FOREIGN: 'haltBay',
  LINK_PROTOCOL: 'retry',
  SERIAL_IN_USE: 'retry',
  SERIAL_FAILED: 'retry',
  CAMERA_UNKNOWN: 'haltBay',
  CAMERA_NOT_AUTHENTIC: 'haltBay',
  CAMERA_KEYLESS: 'haltBay',
  CAMERA_REFUSED: 'retry',
  CAMERA_FULL_OF_ERRORS: 'haltBay',
  CLIP_RECORD_INVALID: 'quarantine',
  CLIP_DIGEST_MISMATCH: 'quarantine',
  CLIP_SIZE_MISMATCH: 'quarantine',
  RECEIPT_REFUSED: 'haltBay',
  VAULT_FULL: 'reject',
  VAULT_UNWRITABLE: 'haltDock',
  VAULT_EXISTS: 'reject',
  VAULT_MISSING: 'quarantine',
  SEGMENT_DIGEST_MISMATCH: 'quarantine',
  SEAL_FAILED: 'reject',
  OPEN_FAILED: 'reject',
  MANIFEST_INVALID: 'quarantine',
  NOTE_INVALID: 'reject',
  SIGNATURE_INVALID: 'reject',
  PROOF_INVALID: 'reject',
  ENTRY_INVALID: 'haltDock',
  CUSTODY_CORRUPT: 'haltDock',
  CUSTODY_UNWRITABLE: 'haltDock',
  CUSTODY_ROLLBACK: 'haltDock',
  DURABLE_WRITE_FAILED: 'haltDock',
  CACHE_CORRUPT: 'retry',
  RECIPIENT_INVALID: 'haltDock',
  IDENTITY_INVALID: 'reject',
  KEY_INVALID: 'haltDock',
  CONFIG_INVALID: 'haltDock',
  BOARD_INVALID: 'haltDock',
  GPIO_UNAVAILABLE: 'retry',
  GPIO_FAILED: 'retry',
  BROKER_UNREACHABLE: 'retry',
  BROKER_REFUSED: 'retry',
  NATIVE_UNAVAILABLE: 'haltDock',
  DATA_DIR_IN_USE: 'haltDock',
  ARGUMENT_INVALID: 'reject',
  CLIP_NOT_FOUND: 'reject',
  CANCELLED: 'reject',
  BAY_FAILED: 'haltBay',
  ROLES_MISSING: 'reject',
  ROLES_INVALID: 'reject',
  ORDER_MALFORMED: 'reject',
  ORDER_FLOOD: 'reject',
  ORDER_OTHER_DOCK: 'reject',
  ORDER_UNSIGNED: 'reject',
  ORDER_SIGNATURES_MISSING: 'reject',
  ORDER_SEQUENCE: 'reject',
  ORDER_EXPIRED: 'reject',
  ORDER_ROLES_OTHER: 'reject',
  ORDER_UNANSWERED: 'retry',
  TIME_UNKNOWN: 'reject',
  CLIP_HELD: 'reject',
  CLIP_RESTRICTED: 'reject',
  CLIP_NOT_DUE: 'reject',
  CLIP_NOT_RELEASED: 'reject',
  CLIP_DISPOSED: 'reject',
} as const satisfies Record<string, Disposition>;

export type ErrorCode = keyof typeof DISPOSITIONS;

export interface DockErrorOptions {
  readonly cause?: unknown;
  /** What a person should do next, in one sentence. */
  readonly action?: string;
}

/** An operating error: expected, coded, and never carrying clip content, keys or names of people. */
export class DockError extends Error {
  readonly code: ErrorCode;
  readonly action: string | undefined;

  constructor(code: ErrorCode, message: string, options: DockErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'DockError';
    this.code = code;
    this.action = options.action;
  }
}

export function dispositionOf(code: ErrorCode): Disposition {
  return DISPOSITIONS[code];
}

export function isDockError(error: unknown, code?: ErrorCode): error is DockError {
  return error instanceof DockError && (code === undefined || error.code === code);
}

/** Wraps what a library threw; a DockError passes through unchanged. */
export function asDockError(error: unknown, code: ErrorCode, message: string): DockError {
  if (error instanceof DockError) return error;
  const detail = error instanceof Error ? `: ${error.message}` : '';
  return new DockError(code, `${message}${detail}`, { cause: error });
}
