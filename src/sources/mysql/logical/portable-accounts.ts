/** Accounts as a portable file of their own, which the server's client takes: hashes of passwords are in it. */
import { z } from 'zod';
import { parseAccounts, type Account } from './accounts.ts';
import { script } from './script.ts';

/** By whose rights the views, routines, triggers and events of a database act. */
export interface Definers {
  readonly database: string;
  /** `user@host` of each. */
  readonly names: readonly string[];
}

const BEGIN = '-- Accounts and grants of MySQL by Respaldo\n';
const MARK = '-- definers of ';
const END = '-- Dump completed\n';

/** @param text of the accounts. Definers are in the file, and not in its manifest, which nobody encrypts. */
export function portableAccounts(
  text: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  definers: readonly Definers[],
): AsyncGenerator<Uint8Array> {
  const marks = definers.map(({ database, names }) => `${MARK}${JSON.stringify([database, ...names])}\n`);
  const content = async function* (): AsyncGenerator<Uint8Array> {
    yield Buffer.from(BEGIN + marks.join(''));
    yield* text;
    yield Buffer.from(END);
  };
  return script(content());
}

const marked = z.tuple([z.string()], z.string());

export interface PortableAccounts {
  readonly accounts: readonly Account[];
  readonly definers: readonly Definers[];
}

/** What such a file holds. */
export function parsePortableAccounts(text: string): PortableAccounts {
  // Names of accounts come later, and may look like anything.
  const [head = ''] = text.split(/^-- account /m, 1);
  const lines = head.split('\n').filter((line) => line.startsWith(MARK));
  const definers = lines.map((line) => {
    const [database, ...names] = marked.parse(JSON.parse(line.slice(MARK.length)));
    return { database, names };
  });
  return { accounts: parseAccounts(text), definers };
}
