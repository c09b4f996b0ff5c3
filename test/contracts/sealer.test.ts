import * as fs from 'node:fs';
import path from 'node:path';
import { Decrypter } from 'age-encryption';
import { formatIdentity } from '../../src/adapters/nacl/age-keys.ts';
import { FakeSealer, type FakeSealerFaults, MemoryFiles, openFake } from '../fakes/fake-sealer.ts';
import { makeKit } from '../native/kit.ts';
import { type SealerBench, sealerContract } from './sealer.ts';

function openFakeBench(): SealerBench {
  const files = new MemoryFiles();
  const recipients = ['age1first', 'age1second'];
  const faults: FakeSealerFaults = {};
  const createFile = (spaceBytes: number | undefined) => (index: number) => {
    faults.spaceBytes = spaceBytes;
    return { index, fd: 100 + index };
  };
  return {
    sealer: new FakeSealer({ files, recipients, faults }),
    recipients,
    createFile: createFile(undefined),
    createFullFile: createFile(100),
    contents: (file) => files.read(file.fd),
    async open(sealed) {
      const plain = openFake(sealed);
      if (plain === undefined) throw new Error('not what the fake seals');
      return plain;
    },
    close() {},
  };
}

function openNativeBench(): SealerBench {
  const kit = makeKit();
  const opened: number[] = [];
  const keep = (fd: number) => {
    opened.push(fd);
    return fd;
  };
  return {
    sealer: kit.sealer,
    recipients: kit.recipients,
    createFile: (index) => ({
      index,
      fd: keep(fs.openSync(path.join(kit.folder, `${index}.age`), 'wx+')),
    }),
    createFullFile: (index) => ({ index, fd: keep(fs.openSync('/dev/full', 'w')) }),
    contents: (file) =>
      Uint8Array.from(fs.readFileSync(path.join(kit.folder, `${file.index}.age`))),
    async open(sealed) {
      const decrypter = new Decrypter();
      decrypter.addIdentity(formatIdentity(kit.escrow.identity));
      return decrypter.decrypt(sealed);
    },
    close() {
      for (const fd of opened) fs.closeSync(fd);
      kit.remove();
    },
  };
}

sealerContract('fake', openFakeBench);
sealerContract('native', openNativeBench);
