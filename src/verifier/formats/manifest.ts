import { Malformed } from '../report.ts';
import {
  Lines,
  matching,
  type Parse,
  parseBase64Bytes,
  parseClipId,
  parseCount,
  parseDigestHex,
  parseDockId,
  parseHexBytes,
  parsePositiveCount,
  parseTime,
  readUtf8,
} from './text.ts';

const SEGMENTS_MAX = 512;
export const HEADER_SIZE_MAX = 65_520;
const CAMERA = /^[A-Za-z0-9._-]{1,32}$/;
const OFFSET = /^(unknown|0|-?[1-9]\d{0,15})$/;
const parseTimes: Parse<string> = (text) => {
  const [from = '', to = '', ...more] = text.split(' ');
  const isGood = parseTime(from) !== undefined && parseTime(to) !== undefined && more.length === 0;
  return isGood ? text : undefined;
};
const parseIngested: Parse<string> = (text) =>
  parseTime(text.replace(/ system$/, '')) !== undefined && text.endsWith(' system')
    ? text
    : undefined;

export interface SealedPart {
  readonly name: string;
  readonly size: number;
  readonly sha256: string;
}

export interface ClipManifest {
  readonly dock: string;
  readonly clip: string;
  readonly camera: string;
  readonly cameraAuth: 'ed25519' | 'none';
  readonly counter: number;
  readonly size: number;
  readonly sha256: string;
  readonly recipients: number;
  readonly salt: Uint8Array;
  readonly segments: readonly SealedPart[];
  readonly details: SealedPart;
}

/** `docket/manifest/v1`: the text that the dock signed of one clip. */
export function parseClipManifest(text: string): ClipManifest {
  const lines = new Lines('docket/manifest/v1', text);
  const dock = lines.take('dock', parseDockId);
  const clip = lines.take('clip', parseClipId);
  const camera = lines.take('camera', matching(CAMERA));
  const cameraAuth = lines.take('camera-auth', parseCameraAuth);
  const counter = lines.take('counter', parsePositiveCount);
  lines.take('captured', parseTimes);
  lines.take('clock-quality', matching(/^(unset|free-running|dock|satellite)$/));
  lines.take('camera-clock-offset', matching(OFFSET));
  lines.take('trigger', matching(/^(unknown|button|pre-record|vehicle|remote)$/));
  lines.take('incident', matching(/^(yes|no)$/));
  lines.take('bay', matching(/^[1-9]\d?$/));
  lines.take('ingested', parseIngested);
  const size = lines.take('size', parseCount);
  const digest = lines.take('sha256', parseDigestHex);
  lines.take('record', parseDigestHex);
  const segmentSize = lines.take('segment-bytes', parsePositiveCount);
  const { count: recipients } = lines.take('recipients', parseCountAndDigest);
  const salt = lines.take('salt', (value) => parseHexBytes(value, 32));
  const rows = lines.all('segment', parseSegmentRow);
  const sealed = lines.take('details', parseCountAndDigest);
  lines.take('software', matching(/^[a-z0-9-]{1,32}\/[0-9A-Za-z.+-]{1,64}$/));
  lines.take('boot', matching(/^[0-9a-f]{8}$/));
  lines.end();
  return {
    ...{ dock, clip, camera, cameraAuth, counter, size, sha256: digest, recipients, salt },
    segments: tileClip(rows, size, segmentSize),
    details: { name: 'details.age', size: sealed.count, sha256: sealed.digest },
  };
}

interface SegmentRow {
  readonly index: number;
  readonly plainSize: number;
  readonly size: number;
  readonly sha256: string;
}

/** The segments must make up the clip: none twice, none left out. */
function tileClip(rows: readonly SegmentRow[], size: number, segmentSize: number): SealedPart[] {
  const count = Math.max(1, Math.ceil(size / segmentSize));
  if (rows.length !== count || count > SEGMENTS_MAX) {
    throw new Malformed(`it names ${rows.length} segments where the clip has ${count}`);
  }
  return rows.map((row, index) => {
    const plainSize = Math.min(segmentSize, size - index * segmentSize);
    if (row.index !== index || row.plainSize !== plainSize || row.size <= plainSize) {
      throw new Malformed(`segment ${index} does not fit the clip`);
    }
    const name = `${String(index).padStart(4, '0')}.age`;
    return { name, size: row.size, sha256: row.sha256 };
  });
}

function parseSegmentRow(text: string): SegmentRow | undefined {
  const [, index = '', plainSize = '', size = '', digest = ''] =
    /^(\d+) (\d+) (\d+) ([0-9a-f]{64})$/.exec(text) ?? [];
  const row = {
    ...{ index: parseCount(index), plainSize: parseCount(plainSize), size: parseCount(size) },
    sha256: digest,
  };
  return Object.values(row).includes(undefined) ? undefined : (row as SegmentRow);
}

function parseCountAndDigest(text: string): { count: number; digest: string } | undefined {
  const [, countText = '', digest = ''] = /^(\d+) ([0-9a-f]{64})$/.exec(text) ?? [];
  const count = parsePositiveCount(countText);
  return count === undefined ? undefined : { count, digest };
}

function parseCameraAuth(text: string): 'ed25519' | 'none' | undefined {
  if (text === 'none') return 'none';
  const [, key = ''] = /^ed25519 (\S+)$/.exec(text) ?? [];
  return parseBase64Bytes(key, '=')?.length === 32 ? 'ed25519' : undefined;
}

/** age: number of stanzas, that is of recipients, in the header with which these bytes begin. */
export function countStanzas(start: Uint8Array): number {
  const end = headerEnd(start);
  if (end === undefined) throw new Malformed('its header does not end');
  const header = readUtf8(start.subarray(0, end));
  const [version, ...lines] = header.split('\n');
  const mac = lines.splice(-2)[0] ?? '';
  if (version !== 'age-encryption.org/v1') throw new Malformed('it is not an age v1 file');
  if (parseBase64Bytes(mac.slice('--- '.length), '')?.length !== 32) {
    throw new Malformed('its header has no MAC of 32 bytes');
  }
  const body = `${lines.join('\n')}\n`;
  // age: arguments, then base64 in lines of 64 columns, the last of them shorter.
  const stanza = /-> [!-~]+(?: [!-~]+)*\n((?:[A-Za-z0-9+/]{64}\n)*[A-Za-z0-9+/]{0,63}\n)/y;
  let count = 0;
  while (stanza.lastIndex < body.length) {
    const found = stanza.exec(body);
    if (
      found === null ||
      parseBase64Bytes((found[1] ?? '').replaceAll('\n', ''), '') === undefined
    ) {
      throw new Malformed('its header has a line that is no stanza');
    }
    count += 1;
  }
  return count;
}

/** Behind the line that begins with three dashes. */
function headerEnd(start: Uint8Array): number | undefined {
  let lineStart = 0;
  for (let at = start.indexOf(10); at >= 0; at = start.indexOf(10, at + 1)) {
    const isMac = start
      .subarray(lineStart, lineStart + 4)
      .every((byte, i) => byte === '--- '.charCodeAt(i));
    if (isMac && at - lineStart >= 4) return at + 1;
    lineStart = at + 1;
  }
  return undefined;
}

/** `docket/receipt/v1`: on this the camera erased its copy. */
export interface ClipReceipt {
  readonly clip: string;
  readonly leaf: Uint8Array;
  readonly index: number;
  readonly size: number;
  readonly root: Uint8Array;
  readonly proof: readonly Uint8Array[];
  /** What it says of the clip, to be compared with the manifest. */
  readonly about: string;
}

export function parseReceiptText(text: string): ClipReceipt {
  const lines = new Lines('docket/receipt/v1', text);
  const parseHash: Parse<Uint8Array> = (value) => parseHexBytes(value, 32);
  const about = [
    lines.take('dock', parseDockId),
    lines.take('camera', matching(CAMERA)),
    lines.take('counter', parseCount),
    lines.take('size', parseCount),
    lines.take('sha256', parseDigestHex),
  ].join(' ');
  const receipt = {
    clip: lines.take('clip', parseClipId),
    leaf: lines.take('leaf', parseHash),
    index: lines.take('index', parseCount),
    size: lines.take('tree', parseCount),
    root: lines.take('root', parseHash),
    proof: lines.all('proof', parseHash),
    about,
  };
  lines.end();
  return receipt;
}
