/** One file sealed by a process of its own: `seal-file docket|docket-no-read-back|script|streams INPUT OUTPUT RECIPIENT...` */
import { makeSealer, openVault, sealIntoVault } from './docket.ts';
import { sealFileInScript, sealFileInStreams } from './javascript.ts';
import { fileSource } from './source.ts';

const BLOCK_BYTES = 4 * 1024 * 1024;

async function sealWithDocket(
  recipients: readonly string[],
  paths: { readonly input: string; readonly output: string },
  readBack: boolean,
): Promise<void> {
  const sealer = makeSealer(recipients);
  const vault = await openVault(paths.output);
  await sealIntoVault({ sealer, vault, readBack, source: fileSource(paths.input, BLOCK_BYTES) });
  await vault.stop();
}

const [, , how, input = '', output = '', ...recipients] = process.argv;
if (how === 'script') {
  await sealFileInScript(recipients, fileSource(input, 1_048_576), output);
} else if (how === 'streams') await sealFileInStreams(recipients, input, output);
else await sealWithDocket(recipients, { input, output }, how === 'docket');
