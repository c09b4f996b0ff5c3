/** One Ed25519 key for one purpose. The secret half never leaves the adapter. */
export interface Signer {
  /** Signed-note key name, `<site>/<dock>/<purpose>`. */
  readonly name: string;
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  /** 64 bytes over the message. */
  sign(message: Uint8Array): Uint8Array;
}

export const KEY_PURPOSES = ['link', 'manifest', 'log', 'receipt'] as const;
export type KeyPurpose = (typeof KEY_PURPOSES)[number];
export type DockKeys = Readonly<Record<KeyPurpose, Signer>>;
