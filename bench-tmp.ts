import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { createHash } from 'node:crypto';
import { formatIdentity } from './src/adapters/nacl/age-keys.ts';
import { makeKit, random, sealClip } from './test/native/kit.ts';
const kit = makeKit();
fs.writeFileSync(`${kit.folder}/id`, formatIdentity(kit.escrow.identity) + '\n');
let ok = 0;
for (let i = 0; i < 60; i++) {
  const size = i < 20 ? [0, 1, 65535, 65536, 65537, 131072][i % 6]! : Math.floor(Math.random() * 400000);
  const clip = random.bytes(size);
  const sealed = await sealClip(kit, clip, { name: `a${i}`, segmentBytes: i % 2 ? 131072 : 1 << 26, writeBytes: [1 + Math.floor(Math.random() * 200000)] });
  const h = createHash('sha256');
  for (const f of sealed.files) h.update(new Uint8Array(spawnSync('age', ['-d', '-i', `${kit.folder}/id`, f]).stdout));
  if (h.digest('hex') === sealed.sha256) ok++;
}
console.log('age CLI', ok, 'of 60');
const STEP = 1 << 20, N = 512 << 20;
for (const dir of ['/dev/shm', kit.folder]) for (const par of [1, 2]) { const rates: string[] = []; for (let r = 0; r < 3; r++) {
  const t0 = performance.now(); const fds: string[] = [];
  await Promise.all(Array.from({ length: par }, async (_, k) => { const f = `${dir}/z${k}-${r}.age`; fds.push(f); const fd = fs.openSync(f, 'w'); const s = kit.sealer.begin(); const b = new Uint8Array(STEP).fill(k); await s.beginSegment({ index: 0, fd }); for (let i = 0; i < N; i += STEP) await s.write(b); await s.endSegment(); fs.closeSync(fd); }));
  rates.push((par * N / (performance.now() - t0) / 1e3).toFixed(0)); for (const f of fds) fs.unlinkSync(f); }
  console.log(dir, par, rates.join(' ')); }
kit.remove();
