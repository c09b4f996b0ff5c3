interface PackContents {
  readonly dock: string;
  readonly clips: readonly string[];
}

/** For somebody who was handed a pack and has never heard of us. */
export function packReadme({ dock, clips }: PackContents): string {
  const list = clips.map((clip) => `  ${clip}`).join('\n');
  return `This is evidence from the dock ${dock}: ${clips.length === 1 ? 'one clip' : `${clips.length} clips`}, still sealed.

${list}

What is here

  clips/ID/0000.age ...   the clip, sealed (age-encryption.org/v1), in segments
  clips/ID/manifest.note  what the dock signed of it: camera, times, sizes, digests
  clips/ID/details.age    the camera's own name for it, and its wearer, sealed
  clips/ID/receipt.note   what the dock promised the camera before that erased its copy
  log/*.entry             what the dock's log says of these clips, in order
  log/*.proof             that each entry is in the log (C2SP tlog-proof)
  SHA256SUMS              digests of all files here
  pack.txt                which clips these are

How to check it

Nothing in this pack says whom to believe. Get the policy file (verify-policy.txt) from the council that
runs the dock, by another way than this pack.

1. With the program:    docket-verify PACK.zip --policy verify-policy.txt
2. In a browser:        open verify.html, and drop the pack and the policy on it. It sends nothing anywhere.
3. By hand, that no file was damaged on its way:
                        unzip PACK.zip && sha256sum -c SHA256SUMS

How to open a clip

With an identity of the council (age, https://age-encryption.org), in the folder of the clip:

  for segment in 0*.age; do age -d -i evidence.identity.txt "$segment"; done > clip.mp4

A clip that opens to the bytes that the camera signed has the digest on the line "sha256" of manifest.note:

  sha256sum clip.mp4
`;
}
