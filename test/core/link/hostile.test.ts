import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { concatBytes, formatHex } from '../../../src/core/bytes.ts';
import type { CameraSerial, DockId } from '../../../src/core/evidence/clip.ts';
import { FRAME_TYPE, type Frame } from '../../../src/core/link/frame.ts';
import { encodeHello } from '../../../src/core/link/message.ts';
import {
  type HandshakeContext,
  type HandshakeEffect,
  type HandshakeState,
  nextHandshake,
} from '../../../src/core/link/session.ts';
import { encodeTranscript, type Transcript } from '../../../src/core/link/transcript.ts';
import { encodeString8, encodeU64 } from '../../../src/core/link/wire.ts';
import { testKey, verifyEd25519 } from './ed25519.ts';
import { Draw, degenerate, malleate, mutate, resize } from './hostile.ts';

const TRANSCRIPTS = 10_000;
const hostile = suite('hostile transcripts to a dock');

const dock = 'leeds-north/dock-1' as DockId;
const otherDock = 'leeds-north/dock-2' as DockId;
const serial = 'CAM-0001' as CameraSerial;
const otherSerial = 'CAM-0002' as CameraSerial;
const camera = testKey(new Uint8Array(32).fill(1));
const otherCamera = testKey(new Uint8Array(32).fill(2));
const link = testKey(new Uint8Array(32).fill(3));
const stranger = testKey(new Uint8Array(32).fill(4));
const keys = new Map([
  [serial, camera.publicKey],
  [otherSerial, otherCamera.publicKey],
]);

type Signer = typeof camera;

/** One session as the camera would have it, and what it then answers. */
function answerOf(transcript: Transcript, key: Signer, side: 'camera' | 'dock' = 'camera') {
  const signature = key.sign(encodeTranscript(side, transcript));
  return { transcript, signature, payload: helloOk(transcript, signature) };
}

function helloOk(transcript: Transcript, signature: Uint8Array, auth = 1): Uint8Array {
  return concatBytes(
    Uint8Array.of(transcript.protocol, auth),
    encodeString8(transcript.serial),
    transcript.cameraNonce,
    encodeU64(transcript.lastCounter),
    signature,
  );
}

interface Session {
  readonly draw: Draw;
  /** What this dock begins with, and a camera that answers it rightly. */
  readonly context: HandshakeContext;
  readonly right: ReturnType<typeof answerOf>;
  /** Answers of this camera to this dock in sessions that are over. */
  readonly seen: readonly ReturnType<typeof answerOf>[];
}

type Forge = (session: Session) => Uint8Array;

const FORGERIES: Readonly<Record<string, Forge>> = {
  'with some bits changed': ({ draw, right }) => mutate(right.payload, draw),
  'cut or with more behind it': ({ draw, right }) => resize(right.payload, draw),
  'of an earlier session': ({ draw, seen }) => draw.pick(seen).payload,
  'of an earlier session with the nonce of this one': ({ right, seen, draw }) =>
    helloOk(right.transcript, draw.pick(seen).signature),
  'with another nonce than the one that was signed': ({ right, draw }) =>
    helloOk({ ...right.transcript, cameraNonce: draw.bytes(32) }, right.signature),
  'with another counter than the one that was signed': ({ right, draw }) =>
    helloOk({ ...right.transcript, lastCounter: 10 + draw.below(1000) }, right.signature),
  'signed as a dock signs': ({ right }) => answerOf(right.transcript, camera, 'dock').payload,
  'that is the proof of the dock itself': ({ right }) =>
    answerOf(right.transcript, link, 'dock').payload,
  'that is the HELLO of the dock': ({ context, draw }) =>
    resize(encodeHello(dock, context.dockNonce), draw),
  'that was made for another dock': ({ right }) =>
    helloOk(right.transcript, answerOf({ ...right.transcript, dock: otherDock }, camera).signature),
  'of another camera that this dock knows': ({ right }) =>
    helloOk(right.transcript, answerOf(right.transcript, otherCamera).signature),
  'of another camera under its serial': ({ right }) =>
    helloOk({ ...right.transcript, serial: otherSerial }, right.signature),
  'of a camera that is not registered': ({ right }) =>
    answerOf({ ...right.transcript, serial: 'CAM-9999' as CameraSerial }, stranger).payload,
  'signed by a stranger': ({ right }) => answerOf(right.transcript, stranger).payload,
  'that says it has no key': ({ right, draw }) =>
    helloOk(right.transcript, draw.pick([new Uint8Array(64), right.signature]), 0),
  'with a signature that only a lax verifier takes': ({ right }) =>
    helloOk(right.transcript, malleate(right.signature)),
  'with a signature of small order or of nothing': ({ right, draw }) =>
    helloOk(right.transcript, degenerate(draw)),
};

function newSession(draw: Draw): Session {
  const transcriptOf = (): Transcript => ({
    ...{ protocol: 1, dock, serial, lastCounter: draw.below(10) },
    ...{ dockNonce: draw.bytes(32), cameraNonce: draw.bytes(32) },
  });
  const transcript = transcriptOf();
  const context: HandshakeContext = {
    ...{ dock, dockNonce: transcript.dockNonce, verify: verifyEd25519 },
    sign: (message) => link.sign(message),
    publicKeyOf: (asked) => keys.get(asked),
    allowKeyless: false,
    tryTimeoutsMs: [1, 1],
  };
  const seen = [transcriptOf()].map((each) => answerOf(each, camera));
  return { draw, context, right: answerOf(transcript, camera), seen };
}

/** Answers HELLO with the payload, then says PROVED as if the dock had proved itself. */
function play(payload: Uint8Array, { context }: Session) {
  const effects: HandshakeEffect[] = [];
  let state: HandshakeState = { phase: 'idle' };
  let request = 1;
  const feed = (frame: Frame | undefined) => {
    const input =
      frame === undefined
        ? ({ kind: state.phase === 'idle' ? 'start' : 'deadline', heard: true } as const)
        : ({ kind: 'frame', frame } as const);
    const step = nextHandshake(state, { ...input, request: request++ }, context);
    state = step.state;
    effects.push(...step.effects);
  };
  const asked = () => ('request' in state ? state.request : 1);
  const proved = { type: FRAME_TYPE.PROVED, payload: new Uint8Array(0) };
  feed(undefined);
  feed({ type: FRAME_TYPE.HELLO_OK, request: asked(), payload });
  feed({ ...proved, request: asked() });
  feed(undefined);
  feed({ ...proved, request: asked() });
  feed(undefined);
  feed(undefined);
  return { phase: (state as HandshakeState).phase, effects };
}

function sentTypes(effects: readonly HandshakeEffect[]): Set<number> {
  return new Set(effects.flatMap((effect) => (effect.kind === 'send' ? [effect.frame.type] : [])));
}

hostile(`are ${TRANSCRIPTS} and none is accepted, and nothing is told to their sender`, () => {
  const draw = new Draw(4);
  const names = Object.keys(FORGERIES);
  const refused = new Map(names.map((name) => [name, 0]));
  for (let count = 0; count < TRANSCRIPTS; count++) {
    const session = newSession(draw);
    const name = names[count % names.length] ?? '';
    const payload = FORGERIES[name]?.(session) ?? new Uint8Array(0);
    assert.not.equal(formatHex(payload), formatHex(session.right.payload), name);
    const { phase, effects } = play(payload, session);
    assert.is(phase, 'failed', `an answer ${name}: ${formatHex(payload)}`);
    assert.equal(sentTypes(effects), new Set([FRAME_TYPE.HELLO]), name);
    refused.set(name, (refused.get(name) ?? 0) + 1);
  }
  for (const [name, times] of refused) assert.ok(times > TRANSCRIPTS / names.length - 1, name);
});

hostile('come to nothing where a right one comes through', () => {
  const draw = new Draw(5);
  for (let count = 0; count < 100; count++) {
    const session = newSession(draw);
    const { phase, effects } = play(session.right.payload, session);
    assert.is(phase, 'ready');
    assert.equal(sentTypes(effects), new Set([FRAME_TYPE.HELLO, FRAME_TYPE.PROVE]));
  }
});

hostile('come to nothing where cameras without a key are allowed', () => {
  const draw = new Draw(6);
  for (const [name, forge] of Object.entries(FORGERIES)) {
    // A serial that nobody registered, without a signature, is what the policy allows.
    if (name === 'with some bits changed') continue;
    for (let count = 0; count < 20; count++) {
      const session = newSession(draw);
      const context = { ...session.context, allowKeyless: true };
      assert.is(play(forge(session), { ...session, context }).phase, 'failed', name);
    }
  }
});

hostile.run();
