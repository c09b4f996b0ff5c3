import type { VerifyEd25519 } from '../custody/primitives.ts';
import { DockError, type ErrorCode } from '../errors.ts';
import type { CameraAuth, CameraSerial, DockId } from '../evidence/clip.ts';
import { FRAME_TYPE, type Frame } from './frame.ts';
import {
  encodeHello,
  type HelloOk,
  parseCameraError,
  parseEmpty,
  parseHelloOk,
  SIGNATURE_SIZE,
} from './message.ts';
import { encodeTranscript, type Transcript } from './transcript.ts';

/** What the dock brings to a handshake. */
export interface HandshakeContext {
  readonly dock: DockId;
  /** 32 bytes, fresh for each handshake. */
  readonly dockNonce: Uint8Array;
  readonly sign: (message: Uint8Array) => Uint8Array;
  readonly verify: VerifyEd25519;
  readonly publicKeyOf: (serial: CameraSerial) => Uint8Array | undefined;
  readonly allowKeyless: boolean;
  /** Deadline of each HELLO and PROVE in order; no more of both are sent than there are deadlines. */
  readonly tryTimeoutsMs: readonly number[];
}

export interface DockedCamera {
  readonly serial: CameraSerial;
  readonly auth: CameraAuth;
  readonly publicKey: Uint8Array | undefined;
  readonly lastCounter: number;
}

export type HandshakeState =
  | { readonly phase: 'idle' }
  | { readonly phase: 'hello'; readonly request: number; readonly tries: number }
  | {
      readonly phase: 'proving';
      readonly request: number;
      readonly tries: number;
      readonly proof: Uint8Array;
      readonly camera: DockedCamera;
    }
  | { readonly phase: 'ready'; readonly camera: DockedCamera }
  | { readonly phase: 'failed' };

/** `request` is a new request number, used if a frame is sent. `heard`: bytes came on the line since the start. */
export type HandshakeInput =
  | { readonly kind: 'start'; readonly request: number }
  | { readonly kind: 'frame'; readonly request: number; readonly frame: Frame }
  | { readonly kind: 'deadline'; readonly request: number; readonly heard: boolean };

export type HandshakeEffect =
  | { readonly kind: 'send'; readonly frame: Frame }
  | { readonly kind: 'wait'; readonly timeoutMs: number }
  | { readonly kind: 'ready'; readonly camera: DockedCamera }
  | { readonly kind: 'fail'; readonly error: DockError };

export interface HandshakeStep {
  readonly state: HandshakeState;
  readonly effects: readonly HandshakeEffect[];
}

/** SPEC 4 from HELLO to PROVED. Does nothing itself: the caller sends, waits and closes. */
export function nextHandshake(
  state: HandshakeState,
  input: HandshakeInput,
  context: HandshakeContext,
): HandshakeStep {
  if (state.phase === 'ready' || state.phase === 'failed') return { state, effects: [] };
  if (input.kind === 'start') return hello(0, input.request, context);
  if (state.phase === 'idle') return { state, effects: [] };
  if (input.kind === 'deadline') return onDeadline(state, input, context);
  // An answer to an earlier HELLO carries a nonce that the camera has since forgotten.
  if (input.frame.request !== state.request) return { state, effects: [] };
  if (input.frame.type === FRAME_TYPE.ERROR) return onError(state, input, context);
  if (state.phase === 'hello') return onHelloOk(state, input, context);
  return onProved(state, input.frame);
}

type Hello = Extract<HandshakeState, { phase: 'hello' }>;
type Proving = Extract<HandshakeState, { phase: 'proving' }>;
type FrameInput = Extract<HandshakeInput, { kind: 'frame' }>;
type DeadlineInput = Extract<HandshakeInput, { kind: 'deadline' }>;

function hello(tries: number, request: number, context: HandshakeContext): HandshakeStep {
  const payload = encodeHello(context.dock, context.dockNonce);
  return {
    state: { phase: 'hello', request, tries: tries + 1 },
    effects: [
      { kind: 'send', frame: { type: FRAME_TYPE.HELLO, request, payload } },
      { kind: 'wait', timeoutMs: context.tryTimeoutsMs[tries] ?? 0 },
    ],
  };
}

function onDeadline(
  state: Hello | Proving,
  input: DeadlineInput,
  context: HandshakeContext,
): HandshakeStep {
  if (state.tries < context.tryTimeoutsMs.length) {
    return state.phase === 'hello'
      ? hello(state.tries, input.request, context)
      : prove(state, input.request, context);
  }
  if (state.phase === 'hello' && input.heard) {
    return fail('LINK_FOREIGN', 'what is in the bay does not speak the camera link', {
      action: 'Take it out of the bay; if it is a camera, see that its firmware has the link.',
    });
  }
  return fail('LINK_TIMEOUT', `no answer to ${state.phase === 'hello' ? 'HELLO' : 'PROVE'}`);
}

function onError(
  state: Hello | Proving,
  input: FrameInput,
  context: HandshakeContext,
): HandshakeStep {
  const error = parseOrUndefined(() => parseCameraError(input.frame.payload));
  if (error === undefined) return { state, effects: [] };
  const again = error.name === 'AUTH_REQUIRED' || error.name === 'BUSY';
  if (again && state.tries < context.tryTimeoutsMs.length) {
    return hello(state.tries, input.request, context);
  }
  const name = error.name ?? `error ${error.code}`;
  return fail('CAMERA_REFUSED', `the camera answered ${name}: ${error.detail}`, {
    action: error.name === 'NOT_AUTHENTIC' ? 'Pair the camera with this dock again.' : 'Try again.',
  });
}

function onHelloOk(state: Hello, input: FrameInput, context: HandshakeContext): HandshakeStep {
  if (input.frame.type !== FRAME_TYPE.HELLO_OK) return { state, effects: [] };
  const answer = parseOrUndefined(() => parseHelloOk(input.frame.payload));
  if (answer === undefined) return { state, effects: [] };
  const transcript: Transcript = { ...answer, dock: context.dock, dockNonce: context.dockNonce };
  const publicKey = context.publicKeyOf(answer.serial);
  const refusal = refuse(answer, encodeTranscript('camera', transcript), { context, publicKey });
  if (refusal !== undefined) return refusal;
  const { serial, auth, lastCounter } = answer;
  const proof = context.sign(encodeTranscript('dock', transcript));
  const camera = { serial, auth, publicKey, lastCounter };
  return prove({ tries: state.tries, proof, camera }, input.request, context);
}

/** SPEC 4.3: nothing more is told to a camera that is not known, or whose signature is wrong. */
function refuse(
  answer: HelloOk,
  transcript: Uint8Array,
  known: { readonly context: HandshakeContext; readonly publicKey: Uint8Array | undefined },
): HandshakeStep | undefined {
  const { context, publicKey } = known;
  const { serial, signature } = answer;
  if (publicKey !== undefined) {
    const holds = answer.auth === 'ed25519' && signature.length === SIGNATURE_SIZE;
    if (holds && context.verify(publicKey, transcript, signature)) return undefined;
    return fail('CAMERA_NOT_AUTHENTIC', `camera ${serial} did not prove its registered key`, {
      action: 'Keep the camera and tell IT: it may not be the camera that it says it is.',
    });
  }
  if (answer.auth === 'ed25519') {
    return fail('CAMERA_UNKNOWN', `camera ${serial} is not registered with this dock`, {
      action: 'Register the camera with this dock.',
    });
  }
  if (!context.allowKeyless) {
    return fail('CAMERA_KEYLESS', `camera ${serial} has no key and the policy asks for one`, {
      action: 'Give the camera a key, or allow cameras without keys in the policy.',
    });
  }
  if (signature.every((byte) => byte === 0)) return undefined;
  return fail('CAMERA_NOT_AUTHENTIC', `camera ${serial} has no key but sent a signature`);
}

function prove(
  from: Pick<Proving, 'tries' | 'proof' | 'camera'>,
  request: number,
  context: HandshakeContext,
): HandshakeStep {
  const { tries, proof, camera } = from;
  return {
    state: { phase: 'proving', request, tries: tries + 1, proof, camera },
    effects: [
      { kind: 'send', frame: { type: FRAME_TYPE.PROVE, request, payload: proof } },
      { kind: 'wait', timeoutMs: context.tryTimeoutsMs[tries] ?? context.tryTimeoutsMs[0] ?? 0 },
    ],
  };
}

function onProved(state: Proving, frame: Frame): HandshakeStep {
  if (frame.type !== FRAME_TYPE.PROVED) return { state, effects: [] };
  const proved = parseOrUndefined(() => {
    parseEmpty(frame.payload, 'PROVED');
    return true;
  });
  if (proved === undefined) return { state, effects: [] };
  const { camera } = state;
  return { state: { phase: 'ready', camera }, effects: [{ kind: 'ready', camera }] };
}

function fail(
  code: ErrorCode,
  message: string,
  options: { readonly action?: string } = {},
): HandshakeStep {
  const error = new DockError(code, message, options);
  return { state: { phase: 'failed' }, effects: [{ kind: 'fail', error }] };
}

/** An answer that is not of its message is as good as none: the try runs into its deadline. */
function parseOrUndefined<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch (error) {
    if (error instanceof DockError && error.code === 'LINK_PROTOCOL') return undefined;
    throw error;
  }
}
