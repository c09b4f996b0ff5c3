import type { ClipId } from '../core/evidence/clip.ts';

/**
 * The texts behind the entries: orders with their signatures, receipts, certificates, the newest roles file, and each by its version. The log alone decides what counts;
 * a text that is not the one of its entry's digest is as good as none. Each is durable when its call returns, and replaces an earlier one.
 */
export interface OrderStore {
  start(): Promise<void>;
  putOrder(counter: number, note: string): Promise<void>;
  putReceipt(counter: number, receipt: string): Promise<void>;
  /** Undefined when there is none. */
  readReceipt(counter: number): Promise<string | undefined>;
  putRoles(note: string): Promise<void>;
  readRoles(): Promise<string | undefined>;
  putCertificate(clip: ClipId, note: string): Promise<void>;
  readCertificate(clip: ClipId): Promise<string | undefined>;
}
