import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Draw, degenerate, malleate, mutate, resize } from '../core/link/hostile.ts';
import * as ref from '../vectors/link/reference.ts';
import { Bench, KEYS, SERIAL } from './bench.ts';
import { LinkClient, TYPE } from './link-client.ts';

const TRANSCRIPTS = 10_000;
const hostile = suite('hostile transcripts to a camera');
const bench = new Bench();
const OTHER = {
  dock: 'leeds-north/dock-2',
  link: ref.keyFromSeed(Buffer.alloc(32, 8)),
  receipt: ref.keyFromSeed(Buffer.alloc(32, 9)),
};
const STRANGER = ref.keyFromSeed(Buffer.alloc(32, 10));
const MALFORMED = 1;
const AUTH_REQUIRED = 3;
const NOT_AUTHENTIC = 4;

interface Greeting {
  readonly draw: Draw;
  readonly hello: ref.Hello;
  /** The camera's own, over this session. */
  readonly signature: Buffer;
  /** The dock's right proof. */
  readonly right: Buffer;
  /** Right proofs of this dock in sessions that are over. */
  readonly seen: readonly Buffer[];
}

type Forge = (greeting: Greeting) => Uint8Array;

const FORGERIES: Readonly<Record<string, Forge>> = {
  'with some bits changed': ({ draw, right }) => mutate(right, draw),
  'cut or with more behind it': ({ draw, right }) => resize(right, draw),
  'of an earlier session': ({ draw, seen }) => draw.pick(seen),
  'that is the signature of the camera itself': ({ signature }) => signature,
  'signed as a camera signs': ({ hello }) => KEYS.link.sign(ref.transcript('camera', hello)),
  'made for another camera': ({ hello }) =>
    KEYS.link.sign(ref.transcript('dock', { ...hello, serial: 'CAM-0002' })),
  'made for another dock': ({ hello }) =>
    KEYS.link.sign(ref.transcript('dock', { ...hello, dock: OTHER.dock })),
  'of another dock that is paired too': ({ hello }) =>
    OTHER.link.sign(ref.transcript('dock', hello)),
  'of another dock for itself': ({ hello }) =>
    OTHER.link.sign(ref.transcript('dock', { ...hello, dock: OTHER.dock })),
  'over other nonces': ({ hello, draw }) =>
    KEYS.link.sign(ref.transcript('dock', { ...hello, cameraNonce: Buffer.from(draw.bytes(32)) })),
  'over nonces that changed places': ({ hello }) => {
    const { dockNonce, cameraNonce } = hello;
    const swapped = { ...hello, dockNonce: cameraNonce, cameraNonce: dockNonce };
    return KEYS.link.sign(ref.transcript('dock', swapped));
  },
  'over another counter': ({ hello }) =>
    KEYS.link.sign(ref.transcript('dock', { ...hello, lastCounter: hello.lastCounter + 1 })),
  'with the key that signs receipts': ({ hello }) =>
    KEYS.receipt.sign(ref.transcript('dock', hello)),
  'signed by a stranger': ({ hello }) => STRANGER.sign(ref.transcript('dock', hello)),
  'that only a lax verifier takes': ({ right }) => malleate(right),
  'of small order or of nothing': ({ draw }) => degenerate(draw),
};

/** What would do harm if the camera took the sender for its dock. */
const REQUESTS: readonly (readonly [number, Buffer])[] = [
  [TYPE.STATUS, Buffer.alloc(0)],
  [TYPE.LIST, Buffer.concat([ref.u64(0), ref.u16(10)])],
  [TYPE.READ, Buffer.concat([ref.u64(1), ref.u64(0), ref.u32(1000), ref.u32(64)])],
  [TYPE.RECEIPT, Buffer.concat([ref.u64(1), Buffer.from('docket/receipt/v1\n')])],
  [TYPE.CLOCK, ref.i64(0)],
  [TYPE.RATE, ref.u32(3_000_000)],
];

const errorOf = (frame: ref.Frame | undefined) =>
  frame?.type === TYPE.ERROR ? frame.payload.readUInt16LE(0) : undefined;

hostile.before(async () => {
  await bench.start({ clips: [bench.file('clip.mp4', 5_000)] });
  bench.pair(KEYS, OTHER);
});
hostile.after(() => bench.end());

async function greet(client: LinkClient, draw: Draw, seen: readonly Buffer[]): Promise<Greeting> {
  const dockNonce = Buffer.from(draw.bytes(32));
  const { payload } = await client.hello(KEYS.dock, dockNonce);
  const at = 3 + (payload[2] ?? 0);
  const hello: ref.Hello = {
    ...{ dock: KEYS.dock, serial: SERIAL, dockNonce },
    cameraNonce: payload.subarray(at, at + 32),
    lastCounter: Number(payload.readBigUInt64LE(at + 32)),
  };
  const right = KEYS.link.sign(ref.transcript('dock', hello));
  return { draw, hello, right, seen, signature: payload.subarray(at + 40) };
}

hostile(
  `are ${TRANSCRIPTS} and none is accepted, and nothing is told to their sender`,
  async () => {
    const client = new LinkClient(bench.link);
    const draw = new Draw(7);
    const names = Object.keys(FORGERIES);
    const seen = [KEYS.link.sign(Buffer.from('no session at all'))];
    for (let count = 0; count < TRANSCRIPTS; count++) {
      const greeting = await greet(client, draw, seen);
      const name = names[count % names.length] ?? '';
      const proof = FORGERIES[name]?.(greeting) ?? new Uint8Array(0);
      const prove = client.send(TYPE.PROVE, proof);
      const [type, payload] = draw.pick(REQUESTS);
      const request = client.send(type, payload);
      const isWhole = proof.length === 64;
      const refusal = errorOf(await client.answer(prove));
      assert.is(refusal, isWhole ? NOT_AUTHENTIC : MALFORMED, `${count}: a proof ${name}`);
      assert.is(errorOf(await client.answer(request)), AUTH_REQUIRED, `${count}: a proof ${name}`);
      // SPEC 4.4: the session is over, so the right proof comes too late.
      if (isWhole && count % 10 === 0) {
        assert.is(errorOf(await client.ask(TYPE.PROVE, greeting.right)), AUTH_REQUIRED);
      }
      // What was right once is what a listener replays.
      if (count % 100 === 99) {
        const docked = await greet(client, draw, seen);
        assert.is((await client.ask(TYPE.PROVE, docked.right)).type, TYPE.PROVED);
        assert.is((await client.ask(TYPE.STATUS)).type, TYPE.STATUS_OK);
        seen.push(docked.right);
      }
    }
    await bench.leave(client);
  },
);

hostile('include a HELLO in the name of a dock that the camera does not know', async () => {
  const client = new LinkClient(bench.link);
  for (const dock of ['leeds-north/dock-3', 'leeds-north/dock-', 'leeds-north/dock-11']) {
    const { answer } = await client.dock({ ...KEYS, dock });
    assert.is(errorOf(answer), NOT_AUTHENTIC, dock);
  }
  await bench.leave(client);
});

hostile('erased and changed nothing', async () => {
  const client = await bench.dock();
  assert.equal(
    (await client.list()).map(({ counter }) => counter),
    [1],
  );
  const status = await client.ask(TYPE.STATUS);
  assert.ok(status.payload.readBigInt64LE(18) > 1_000_000_000_000n);
  await bench.leave(client);
});

hostile.run();
