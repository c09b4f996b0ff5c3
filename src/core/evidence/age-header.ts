import { equalBytes, parseBase64 } from '../bytes.ts';
import { DockError } from '../errors.ts';

/** age: the textual header of a file in the age-encryption.org/v1 format, and the keys that come from its file key. */
export const AGE_HEADER_BYTES_MAX = 65_520;
export const FILE_KEY_BYTES = 16;
export const PAYLOAD_NONCE_BYTES = 16;
export const PAYLOAD_KEY_BYTES = 32;

const VERSION_LINE = 'age-encryption.org/v1';
const STANZA_START = '-> ';
const MAC_START = '--- ';
const MAC_MARK = '---';
const MAC_BYTES = 32;
const BODY_COLUMNS = 64;
const LINE_FEED = 0x0a;

export interface AgeStanza {
  readonly type: string;
  readonly args: readonly string[];
  readonly body: Uint8Array;
}

export interface AgeHeader {
  readonly stanzas: readonly AgeStanza[];
  readonly mac: Uint8Array;
  /** What the MAC covers: the header up to and including `---`. */
  readonly macInput: Uint8Array;
  /** Size of the whole header, its last line feed included. */
  readonly sizeBytes: number;
}

/** The caller brings the primitives: core computes only with what it is given. */
export interface AgeKeySchedule {
  readonly hkdfSha256: (ikm: Uint8Array, salt: Uint8Array, info: string) => Uint8Array;
  readonly hmacSha256: (key: Uint8Array, message: Uint8Array) => Uint8Array;
}

/** The start of a new age file. The payload key seals exactly one payload and is wiped after use. */
export interface SealedAgeHeader {
  /** Header and payload nonce, as they stand in the file. */
  readonly prefix: Uint8Array;
  readonly payloadKey: Uint8Array;
}

export interface OpenedAgeHeader {
  readonly prefix: Uint8Array;
  readonly payloadKey: Uint8Array;
  /** A verifier compares it with the number of recipients the council configured. */
  readonly stanzaCount: number;
}
/** Takes the file's first bytes, at most AGE_HEADER_BYTES_MAX and the nonce. Throws OPEN_FAILED. */
export type OpenAgeHeader = (start: Uint8Array) => OpenedAgeHeader;

/** OPEN_FAILED, with the reason in the words of the age specification. */
export function refuseHeader(reason: string): DockError {
  return new DockError('OPEN_FAILED', `age header refused: ${reason}`);
}

function macOf(fileKey: Uint8Array, macInput: Uint8Array, schedule: AgeKeySchedule): Uint8Array {
  const key = schedule.hkdfSha256(fileKey, new Uint8Array(0), 'header');
  const mac = schedule.hmacSha256(key, macInput);
  key.fill(0);
  return mac;
}

export function verifyAgeHeaderMac(
  header: AgeHeader,
  fileKey: Uint8Array,
  schedule: AgeKeySchedule,
): boolean {
  return equalBytes(header.mac, macOf(fileKey, header.macInput, schedule));
}

export function derivePayloadKey(
  fileKey: Uint8Array,
  nonce: Uint8Array,
  schedule: AgeKeySchedule,
): Uint8Array {
  return schedule.hkdfSha256(fileKey, nonce, 'payload');
}

/** Reads lines of printable ASCII, each ended by a line feed and nothing else. */
class LineReader {
  offset = 0;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes.subarray(0, AGE_HEADER_BYTES_MAX);
  }

  next(): string {
    const end = this.#bytes.indexOf(LINE_FEED, this.offset);
    if (end < 0) throw refuseHeader('it is cut, too long, or not an age file');
    const line = this.#bytes.subarray(this.offset, end);
    if (line.some((byte) => byte < 0x20 || byte > 0x7e)) {
      throw refuseHeader('a line holds a character that is not printable ASCII');
    }
    this.offset = end + 1;
    return String.fromCharCode(...line);
  }
}

function parseBody(reader: LineReader): Uint8Array {
  let text = '';
  let line = reader.next();
  while (line.length === BODY_COLUMNS) {
    text += line;
    line = reader.next();
  }
  if (line.length > BODY_COLUMNS) throw refuseHeader('a body line is longer than 64 columns');
  const body = parseBase64(text + line, false);
  if (body === undefined) throw refuseHeader('a stanza body is not canonical base64');
  return body;
}

function parseStanza(line: string, reader: LineReader): AgeStanza {
  const [type = '', ...args] = line.slice(STANZA_START.length).split(' ');
  if ([type, ...args].includes('')) throw refuseHeader('a stanza has an empty argument');
  return { type, args, body: parseBody(reader) };
}

function parseMac(line: string): Uint8Array {
  const mac = parseBase64(line.slice(MAC_START.length), false);
  if (mac === undefined || mac.length !== MAC_BYTES) {
    throw refuseHeader('the MAC is not 32 bytes of canonical base64');
  }
  return mac;
}

/** Strict: what the specification refuses is refused. `bytes` may go on after the header. Throws OPEN_FAILED. */
export function parseAgeHeader(bytes: Uint8Array): AgeHeader {
  const reader = new LineReader(bytes);
  const stanzas: AgeStanza[] = [];
  if (reader.next() !== VERSION_LINE)
    throw refuseHeader('the version is not age-encryption.org/v1');
  let lineOffset = reader.offset;
  let line = reader.next();
  while (line.startsWith(STANZA_START)) {
    stanzas.push(parseStanza(line, reader));
    lineOffset = reader.offset;
    line = reader.next();
  }
  if (!line.startsWith(MAC_START)) throw refuseHeader('a line is neither a stanza nor the MAC');
  if (stanzas.length === 0) throw refuseHeader('it has no stanza');
  return {
    stanzas,
    mac: parseMac(line),
    macInput: bytes.slice(0, lineOffset + MAC_MARK.length),
    sizeBytes: reader.offset,
  };
}
