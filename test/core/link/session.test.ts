import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { concatBytes } from '../../../src/core/bytes.ts';
import type { ErrorCode } from '../../../src/core/errors.ts';
import type { CameraSerial, DockId } from '../../../src/core/evidence/clip.ts';
import { FRAME_TYPE, type Frame } from '../../../src/core/link/frame.ts';
import {
  type HandshakeContext,
  type HandshakeInput,
  type HandshakeState,
  type HandshakeStep,
  nextHandshake,
} from '../../../src/core/link/session.ts';
import { encodeTranscript } from '../../../src/core/link/transcript.ts';
import { encodeString8, encodeU16, encodeU64 } from '../../../src/core/link/wire.ts';
import { collector } from './collect.ts';
import { testKey, verifyEd25519 } from './ed25519.ts';
import { hex, readVectors } from './vectors.ts';

const session = suite('session');
const dock = 'leeds-north/dock-1' as DockId;
const serial = 'CAM-0001' as CameraSerial;
const camera = testKey(new Uint8Array(32).fill(1));
const link = testKey(new Uint8Array(32).fill(2));
const foreign = testKey(new Uint8Array(32).fill(3));
const dockNonce = new Uint8Array(32).fill(4);
const cameraNonce = new Uint8Array(32).fill(5);
const nothing = new Uint8Array(0);

const context: HandshakeContext = {
  dock,
  dockNonce,
  sign: (message) => link.sign(message),
  verify: verifyEd25519,
  publicKeyOf: (asked) => (asked === serial ? camera.publicKey : undefined),
  allowKeyless: false,
  tryTimeoutsMs: [100, 200, 400],
};

interface HelloOkFields {
  readonly protocol?: number;
  readonly auth?: number;
  readonly serial?: string;
  readonly signature?: Uint8Array;
}

const transcript = { protocol: 1, dock, serial, dockNonce, cameraNonce, lastCounter: 9 };
const signature = camera.sign(encodeTranscript('camera', transcript));

function helloOk(request: number, fields: HelloOkFields = {}): Frame {
  const payload = concatBytes(
    Uint8Array.of(fields.protocol ?? 1, fields.auth ?? 1),
    encodeString8(fields.serial ?? serial),
    cameraNonce,
    encodeU64(9),
    fields.signature ?? signature,
  );
  return { type: FRAME_TYPE.HELLO_OK, request, payload };
}

function errorFrame(request: number, code: number): Frame {
  return {
    type: FRAME_TYPE.ERROR,
    request,
    payload: concatBytes(encodeU16(code), encodeString8('why')),
  };
}

/** Feeds inputs in order from a start with request 1. */
function run(inputs: readonly HandshakeInput[], changes: Partial<HandshakeContext> = {}) {
  let state: HandshakeState = { phase: 'idle' };
  let step: HandshakeStep = { state, effects: [] };
  for (const input of [{ kind: 'start', request: 1 } as const, ...inputs]) {
    step = nextHandshake(state, input, { ...context, ...changes });
    state = step.state;
  }
  return step;
}

const frame = (each: Frame, request = 100): HandshakeInput => ({
  kind: 'frame',
  request,
  frame: each,
});
const deadline = (request: number, heard = false): HandshakeInput => ({
  kind: 'deadline',
  request,
  heard,
});

function codeOf(step: HandshakeStep): ErrorCode | undefined {
  const [effect] = step.effects;
  return effect?.kind === 'fail' ? effect.error.code : undefined;
}

session('is ready when the camera proved its key and took the proof of the dock', () => {
  const proving = run([frame(helloOk(1), 2)]);
  const [send] = proving.effects;
  assert.ok(send?.kind === 'send' && send.frame.type === FRAME_TYPE.PROVE);
  const signed = encodeTranscript('dock', transcript);
  assert.ok(verifyEd25519(link.publicKey, signed, send.frame.payload));
  const proved = { type: FRAME_TYPE.PROVED, request: 2, payload: nothing };
  const ready = run([frame(helloOk(1), 2), frame(proved, 3)]);
  assert.equal(ready.effects, [
    {
      kind: 'ready',
      camera: { serial, auth: 'ed25519', publicKey: camera.publicKey, lastCounter: 9 },
    },
  ]);
});

session('speaks as the shared session does', () => {
  const keys = readVectors<Record<'camera' | 'link', { seed: string }>>('keys');
  const [values] = readVectors<Record<string, string>[]>('transcripts');
  const steps = readVectors<{ name: string; frames: string[]; camera: string[] }[]>('session');
  const one = (name: string, from: 'frames' | 'camera') => {
    const { decoder, decoded } = collector();
    decoder.push(hex(steps.find((each) => each.name === name)?.[from][0] ?? ''));
    const [found] = decoded.frames;
    return {
      type: found?.type ?? 0,
      request: found?.request ?? 0,
      payload: hex(found?.payload ?? ''),
    };
  };
  const shared: HandshakeContext = {
    ...context,
    dockNonce: hex(values?.dockNonce ?? ''),
    sign: testKey(hex(keys.link.seed)).sign,
    publicKeyOf: () => testKey(hex(keys.camera.seed)).publicKey,
  };
  const hello = one('HELLO', 'frames');
  const prove = one('PROVE', 'frames');
  const start = nextHandshake({ phase: 'idle' }, { kind: 'start', request: hello.request }, shared);
  assert.equal(start.effects[0], { kind: 'send', frame: hello });
  const answered = nextHandshake(start.state, frame(one('HELLO', 'camera'), prove.request), shared);
  assert.equal(answered.effects[0], { kind: 'send', frame: prove });
  const done = nextHandshake(answered.state, frame(one('PROVE', 'camera')), shared);
  assert.is(done.state.phase, 'ready');
});

session('refuses a signature that was reflected from the dock', () => {
  const reflected = link.sign(encodeTranscript('dock', transcript));
  const step = run([frame(helloOk(1, { signature: reflected }))]);
  assert.is(codeOf(step), 'CAMERA_NOT_AUTHENTIC');
  const own = camera.sign(encodeTranscript('dock', transcript));
  assert.is(codeOf(run([frame(helloOk(1, { signature: own }))])), 'CAMERA_NOT_AUTHENTIC');
});

session('refuses a signature that was replayed from another session', () => {
  const step = run([frame(helloOk(1))], { dockNonce: new Uint8Array(32).fill(6) });
  assert.is(codeOf(step), 'CAMERA_NOT_AUTHENTIC');
});

session('refuses a signature that was made for another dock', () => {
  const step = run([frame(helloOk(1))], { dock: 'leeds-north/dock-2' as DockId });
  assert.is(codeOf(step), 'CAMERA_NOT_AUTHENTIC');
});

session('refuses a wrong key and sends nothing more', () => {
  const wrong = foreign.sign(encodeTranscript('camera', transcript));
  const step = run([frame(helloOk(1, { signature: wrong }))]);
  assert.is(codeOf(step), 'CAMERA_NOT_AUTHENTIC');
  assert.is(step.effects.length, 1);
  const after = nextHandshake(step.state, deadline(5), context);
  assert.equal(after.effects, []);
});

session('refuses a camera that is not registered', () => {
  assert.is(codeOf(run([frame(helloOk(1, { serial: 'CAM-0002' }))])), 'CAMERA_UNKNOWN');
});

session('refuses a registered camera that says it has no key', () => {
  const step = run([frame(helloOk(1, { auth: 0, signature: new Uint8Array(64) }))], {
    allowKeyless: true,
  });
  assert.is(codeOf(step), 'CAMERA_NOT_AUTHENTIC');
});

session('takes a camera without a key only where the policy allows it', () => {
  const keyless = helloOk(1, { auth: 0, serial: 'CAM-0002', signature: new Uint8Array(64) });
  assert.is(codeOf(run([frame(keyless)])), 'CAMERA_KEYLESS');
  assert.is(run([frame(keyless, 2)], { allowKeyless: true }).state.phase, 'proving');
  const signed = helloOk(1, { auth: 0, serial: 'CAM-0002' });
  assert.is(codeOf(run([frame(signed)], { allowKeyless: true })), 'CAMERA_NOT_AUTHENTIC');
});

session('takes a protocol that was not offered for no answer', () => {
  assert.is(run([frame(helloOk(1, { protocol: 2 }))]).state.phase, 'hello');
});

session('takes a serial out of its grammar for no answer', () => {
  assert.is(run([frame(helloOk(1, { serial: '../CAM' }))]).state.phase, 'hello');
});

session('listens only to the answer to its last HELLO', () => {
  const late = run([deadline(2), frame(helloOk(1))]);
  assert.equal(late.effects, []);
  assert.is(late.state.phase, 'hello');
  assert.is(run([deadline(2), frame(helloOk(2), 3)]).state.phase, 'proving');
});

session('repeats HELLO with a longer wait each time, and ends with LINK_TIMEOUT in silence', () => {
  const second = run([deadline(2)]);
  assert.equal(second.effects[1], { kind: 'wait', timeoutMs: 200 });
  assert.is(codeOf(run([deadline(2), deadline(3), deadline(4)])), 'LINK_TIMEOUT');
});

session('ends with LINK_FOREIGN when bytes came but no answer', () => {
  const step = run([deadline(2, true), deadline(3, true), deadline(4, true)]);
  assert.is(codeOf(step), 'LINK_FOREIGN');
});

session('says what the camera refused', () => {
  assert.is(codeOf(run([frame(errorFrame(1, 2))])), 'CAMERA_REFUSED');
  assert.is(codeOf(run([frame(helloOk(1), 2), frame(errorFrame(2, 4))])), 'CAMERA_REFUSED');
});

session('begins again, but not for ever, when the camera forgot the session', () => {
  const again = run([frame(helloOk(1), 2), frame(errorFrame(2, 3), 3)]);
  assert.is(again.state.phase, 'hello');
  const inputs: HandshakeInput[] = [];
  for (let request = 1; request < 20; request += 2) {
    inputs.push(
      frame(helloOk(request), request + 1),
      frame(errorFrame(request + 1, 3), request + 2),
    );
  }
  assert.is(run(inputs).state.phase, 'failed');
});

session.run();
