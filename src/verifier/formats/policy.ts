import { type Crypto, Malformed } from '../report.ts';
import { COSIGNS, type NamedKey, parseNamedKey, SIGNS_NOTES } from './notes.ts';
import { readUtf8 } from './text.ts';

/** Whom the reader of a report believes: C2SP tlog-policy, and `quorum N` for any N of the witnesses. */
export interface Policy {
  readonly logs: readonly NamedKey[];
  readonly witnesses: readonly NamedKey[];
  /** Who says who may sign orders; without it no order is checked. */
  readonly root: NamedKey | undefined;
  /** Whether these cosigners are enough. */
  isQuorum(cosigners: readonly NamedKey[]): boolean;
  /** What the quorum line says, for people. */
  readonly quorum: string;
}

type Rule = (cosigners: readonly NamedKey[]) => boolean;
const NAMES_MAX = 64;

/** Malformed says which line is wrong. A policy without a `log` or a `quorum` line is refused: it would prove nothing. */
export function parsePolicy(bytes: Uint8Array, crypto: Crypto): Policy {
  const logs: NamedKey[] = [];
  const witnesses: NamedKey[] = [];
  const rules = new Map<string, Rule>();
  let root: NamedKey | undefined;
  let quorum: { words: string; isQuorum: Rule } | undefined;
  for (const [index, line] of readUtf8(bytes).split('\n').entries()) {
    const words = line.split(/[ \t]+/).filter((word) => word !== '');
    const [keyword = '#', ...args] = words;
    if (keyword.startsWith('#')) continue;
    try {
      if (keyword === 'log') addLog(logs, args, crypto);
      else if (keyword === 'witness') addWitness({ witnesses, rules }, args, crypto);
      else if (keyword === 'group') addGroup(rules, args);
      else if (keyword === 'root' && root === undefined) root = parseRoot(args, crypto);
      else if (keyword === 'quorum' && quorum === undefined) {
        quorum = { words: args.join(' '), isQuorum: quorumOf({ witnesses, rules }, args) };
      } else throw new Malformed(`${keyword} is not expected`);
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      throw new Malformed(`line ${index + 1}: ${error.message}`);
    }
  }
  if (logs.length === 0) throw new Malformed('it names no log');
  if (quorum === undefined) throw new Malformed('it has no quorum line; write `quorum none`?');
  return { logs, witnesses, root, isQuorum: quorum.isQuorum, quorum: quorum.words };
}

function addLog(logs: NamedKey[], [text = '']: readonly string[], crypto: Crypto): void {
  const key = parseNamedKey(text, crypto);
  if (key.type !== SIGNS_NOTES) throw new Malformed(`${key.name} is not the key of a log`);
  logs.push(key);
}

/** The council's offline key. */
function parseRoot([text = '', ...more]: readonly string[], crypto: Crypto): NamedKey {
  const key = parseNamedKey(text, crypto);
  if (key.type !== SIGNS_NOTES || more.length > 0) throw new Malformed('a root is one key');
  return key;
}

/** `witness NAME KEY`, or `witness KEY` under the name of the key. */
function addWitness(
  { witnesses, rules }: { witnesses: NamedKey[]; rules: Map<string, Rule> },
  [first = '', second]: readonly string[],
  crypto: Crypto,
): void {
  const isNamed = !first.includes('+');
  const key = parseNamedKey(isNamed ? (second ?? '') : first, crypto);
  witnesses.push(key);
  define(rules, isNamed ? first : key.name, (cosigners) =>
    cosigners.some(({ name, id, type }) => name === key.name && id === key.id && type === COSIGNS),
  );
}

/** `group NAME all|any|N MEMBER...` */
function addGroup(rules: Map<string, Rule>, args: readonly string[]): void {
  const [name = '', threshold = '', ...names] = args;
  const members = names.map((member) => {
    const rule = rules.get(member);
    if (rule === undefined) throw new Malformed(`${member} is not defined above`);
    return rule;
  });
  const words: Readonly<Record<string, number>> = { any: 1, all: members.length };
  const least = words[threshold] ?? (/^[1-9]\d*$/.test(threshold) ? Number(threshold) : 0);
  if (least < 1 || least > members.length || new Set(names).size < names.length) {
    throw new Malformed('a group is `group NAME all|any|N MEMBER...`');
  }
  define(rules, name, (cosigners) => {
    return members.filter((member) => member(cosigners)).length >= least;
  });
}

function define(rules: Map<string, Rule>, name: string, rule: Rule): void {
  if (name === '' || name === 'none' || rules.has(name) || rules.size >= NAMES_MAX) {
    throw new Malformed(`the name ${JSON.stringify(name)} cannot be defined here`);
  }
  rules.set(name, rule);
}

function quorumOf(
  { witnesses, rules }: { witnesses: readonly NamedKey[]; rules: ReadonlyMap<string, Rule> },
  [word = '', ...more]: readonly string[],
): Rule {
  if (more.length > 0) throw new Malformed('a quorum is one word');
  if (word === 'none') return () => true;
  const named = rules.get(word);
  if (named !== undefined) return named;
  if (!/^(0|[1-9]\d*)$/.test(word)) throw new Malformed(`${word} is not defined above`);
  // The order of lines carries no meaning for a count, so it is compared when it is asked.
  return (cosigners) => {
    const ids = witnesses.filter(
      (witness) =>
        witness.type === COSIGNS &&
        cosigners.some(({ name, id }) => name === witness.name && id === witness.id),
    );
    return new Set(ids.map(({ publicKey }) => publicKey.join())).size >= Number(word);
  };
}
