import type { ErrorCode } from '../../core/errors.ts';
import { DockError } from '../../core/errors.ts';

const DISK_CODES = new Set([
  'EBADF',
  'EFBIG',
  'EINVAL',
  'EIO',
  'EMFILE',
  'EPERM',
  'EACCES',
  'EROFS',
  'ESPIPE',
  'EPIPE',
]);
const FULL_CODES = new Set(['ENOSPC', 'EDQUOT']);

function codeOf(error: unknown): string {
  if (!(error instanceof Error) || !('code' in error)) return '';
  return typeof error.code === 'string' ? error.code : '';
}

function classify(code: string, otherwise: ErrorCode): ErrorCode {
  if (code === 'ECANCELED') return 'CANCELLED';
  if (FULL_CODES.has(code)) return 'VAULT_FULL';
  return DISK_CODES.has(code) ? 'VAULT_UNWRITABLE' : otherwise;
}

/** A TypeError or a call out of order is a programmer's error and passes through unchanged. */
function isProgrammerError(error: unknown): boolean {
  return error instanceof TypeError || codeOf(error) === 'ESTATE';
}

/** `what` names the act and the segment, never the clip's content. */
export function sealError(error: unknown, what: string): unknown {
  if (isProgrammerError(error)) return error;
  const code = codeOf(error);
  return new DockError(classify(code, 'SEAL_FAILED'), `${what} failed: ${code || String(error)}`, {
    cause: error,
  });
}

export function openError(error: unknown, what: string): unknown {
  if (isProgrammerError(error) || error instanceof DockError) return error;
  const code = codeOf(error);
  if (code === 'ECANCELED')
    return new DockError('CANCELLED', `${what} was stopped`, { cause: error });
  const reason =
    code === 'EPAYLOAD'
      ? 'age payload refused: it was altered, cut or added to'
      : `reading or writing gave ${code || String(error)}`;
  return new DockError('OPEN_FAILED', `${what} failed: ${reason}`, { cause: error });
}
