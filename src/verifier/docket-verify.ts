#!/usr/bin/env node
import { promises } from 'node:fs';
import { type Policy, parsePolicy } from './formats/policy.ts';
import { nodeCrypto, verifyPath } from './node.ts';
import { FINDINGS, Malformed, NOTES, plainReport, type Report, verdictOf } from './report.ts';

const USAGE = `usage: docket-verify DIR|PACK --policy FILE [--json]

Checks a dock's data folder, a mirror of its log, or an export pack, against a policy that says whom you believe.
Ends with 0 when everything holds, with 1 when there is a finding, with 2 when it could not be asked.`;
const POLICY_SIZE_MAX = 65_536;
const SHOWN_MAX = 50;

interface Asked {
  readonly target: string;
  readonly policy: string;
  readonly json: boolean;
}

/** What cannot be asked, as opposed to what does not hold. */
class WrongUse extends Error {}

function parseArguments(args: readonly string[]): Asked {
  const rest = [...args];
  const places: string[] = [];
  let policy: string | undefined;
  let json = false;
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === '--json') json = true;
    else if (word === '--policy') policy = rest.shift();
    else if (word.startsWith('--policy=')) policy = word.slice('--policy='.length);
    else if (word.startsWith('-')) throw new WrongUse(`${word} is not known`);
    else places.push(word);
  }
  const [target] = places;
  if (target === undefined || places.length > 1) throw new WrongUse('name one folder or one pack');
  if (policy === undefined) throw new WrongUse('say whom you believe: --policy FILE');
  return { target, policy, json };
}

async function readPolicy(path: string): Promise<Policy> {
  try {
    const bytes = Uint8Array.from(await promises.readFile(path));
    if (bytes.length > POLICY_SIZE_MAX) throw new Malformed('it is too long');
    return parsePolicy(bytes, nodeCrypto);
  } catch (error) {
    throw new WrongUse(`the policy ${path}: ${error instanceof Error ? error.message : ''}`);
  }
}

async function verifyTarget(target: string, policy: Policy): Promise<Report> {
  try {
    return await verifyPath(target, policy);
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) throw error;
    throw new WrongUse(`${target} cannot be read (${error.code})`);
  }
}

/** Names come from what is verified: nothing in them may move a terminal's cursor. */
function printable(text: string): string {
  return text.replace(/[^ -~]/gu, (letter) => `\\u{${letter.codePointAt(0)?.toString(16)}}`);
}

function textOf(report: Report): string {
  const lines: string[] = [];
  const tell = (
    remarks: readonly { readonly name: string; readonly path: string; readonly detail: string }[],
    meanings: Readonly<Record<string, string>>,
    mark: string,
  ) => {
    for (const name of new Set(remarks.map((remark) => remark.name))) {
      const same = remarks.filter((remark) => remark.name === name);
      lines.push(`${mark} ${name}: ${meanings[name]}`);
      for (const { path, detail } of same.slice(0, SHOWN_MAX)) lines.push(`    ${path}: ${detail}`);
      if (same.length > SHOWN_MAX) lines.push(`    and ${same.length - SHOWN_MAX} more`);
    }
  };
  tell(report.notes, NOTES, 'note   ');
  tell(report.findings, FINDINGS, 'FINDING');
  lines.push(`${report.kind} ${report.dock ?? 'unknown'}`, verdictOf(report));
  return `${lines.map(printable).join('\n')}\n`;
}

async function main(args: readonly string[]): Promise<number> {
  try {
    if (args.includes('--help')) {
      process.stdout.write(`${USAGE}\n`);
      return 0;
    }
    const { target, policy, json } = parseArguments(args);
    const report = await verifyTarget(target, await readPolicy(policy));
    process.stdout.write(json ? `${JSON.stringify(plainReport(report))}\n` : textOf(report));
    return report.ok ? 0 : 1;
  } catch (error) {
    if (!(error instanceof WrongUse)) throw error;
    process.stderr.write(`docket-verify: ${printable(error.message)}\n${USAGE}\n`);
    return 2;
  }
}

process.exitCode = await main(process.argv.slice(2));
