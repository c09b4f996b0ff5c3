import { randomBytes } from 'node:crypto';
import type { Random } from '../../ports/random.ts';

export class NodeRandom implements Random {
  bytes(sizeBytes: number): Uint8Array {
    // A copy of its own: small Buffers are views of a pool that others can see.
    return new Uint8Array(randomBytes(sizeBytes));
  }
}
