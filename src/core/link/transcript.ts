import { concatBytes, utf8 } from '../bytes.ts';
import type { CameraSerial, DockId } from '../evidence/clip.ts';
import { encodeString8, encodeU8, encodeU64 } from './wire.ts';

export interface Transcript {
  readonly protocol: number;
  readonly dock: DockId;
  readonly serial: CameraSerial;
  readonly dockNonce: Uint8Array;
  readonly cameraNonce: Uint8Array;
  readonly lastCounter: number;
}

/** SPEC 4: what each side signs. The label differs by direction, so that a signature cannot be sent back. */
export function encodeTranscript(side: 'camera' | 'dock', transcript: Transcript): Uint8Array {
  return concatBytes(
    utf8(`docket-link/1 ${side}\0`),
    encodeU8(transcript.protocol),
    encodeString8(transcript.dock),
    encodeString8(transcript.serial),
    transcript.dockNonce,
    transcript.cameraNonce,
    encodeU64(transcript.lastCounter),
  );
}
