import { type Checked, isThere } from '../checked.ts';
import type { DockKeys } from '../clips.ts';
import type { ClipHistory } from '../formats/entries.ts';
import { NOTE_SIZE_MAX, parseSignedText, textSignedBy } from '../formats/notes.ts';
import { parseCertificateText } from '../formats/orders.ts';
import { hexOf, sha256 } from '../formats/text.ts';

const PATH = /^certificates\/([0-9a-f]{32})\.note$/;

/** A disposal leaves a certificate, whose digest is in the log; one that was cut off may have left it before its end. */
export async function checkCertificates(checked: Checked, keys: DockKeys): Promise<void> {
  const { report, history, files } = checked;
  for (const known of history.clips.values()) {
    const path = `certificates/${known.clip}.note`;
    if (isThere(checked, path) && known.disposing) {
      await checkCertificate(checked, { path, known, keys });
    } else if (known.certificate !== undefined) {
      report.find('CERTIFICATE_MISSING', path, `clip ${known.clip}`);
    }
  }
  for (const path of files) {
    const [, clip] = PATH.exec(path) ?? [];
    if (clip === undefined || history.clips.get(clip)?.disposing === true) continue;
    report.find('UNEXPECTED_FILE', path, 'the log tells of no disposal of this clip');
  }
}

async function checkCertificate(
  { source, report, crypto }: Checked,
  { path, known, keys }: { path: string; known: ClipHistory; keys: DockKeys },
): Promise<void> {
  const { clip, certificate } = known;
  await report.guard('CERTIFICATE_MALFORMED', path, async () => {
    const bytes = await source.read(path, NOTE_SIZE_MAX);
    if (certificate !== undefined && hexOf(sha256(crypto, bytes)) !== certificate) {
      report.find('CERTIFICATE_DIGEST', path, `clip ${clip}`);
    }
    const note = parseSignedText(bytes);
    await report.guard('CERTIFICATE_SIGNATURE', path, () => {
      textSignedBy(note, keys.manifest, crypto);
    });
    const { reason, begun, ...of } = parseCertificateText(note.text);
    const { commitment = '', bytes: size = 0, segments = 0 } = known.vaulted ?? {};
    const expected = { dock: keys.dock, clip, commitment, size, segments };
    const isSame =
      JSON.stringify(of) === JSON.stringify(expected) &&
      begun === known.begun?.index &&
      reason === known.begun.reason;
    if (!isSame) report.find('CERTIFICATE_FIELDS', path, `clip ${clip}, entry ${begun}`);
  });
}
