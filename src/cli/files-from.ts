/** What to back up, from lists that other programs made. */
import { lstatSync, readdirSync } from 'node:fs';
import { posix } from 'node:path';
import { compileGlob } from '../domain/glob.ts';
import { compareNames, decodeName, encodeName } from '../domain/name.ts';
import { RespaldoError } from '../errors.ts';
import { quoted } from './printable.ts';
import { decodeText, linesOf, readNamedFile } from './text-file.ts';

/** Files to read, `-` for standard input. */
export interface Lists {
  /** A pattern a line, with comments and empty lines. */
  readonly filesFrom: readonly string[];
  /** A name a line, as it is. */
  readonly filesFromVerbatim: readonly string[];
  /** Names that a zero byte ends: `find -print0`. */
  readonly filesFromRaw: readonly string[];
}

/**
 * The names of all lists, in their order, in the string form of `name.ts`.
 * @param warn told of a pattern that matches nothing
 * @throws RespaldoError `usage` for a list that cannot be read, or is not what its option says.
 */
export async function readLists(lists: Lists, warn: (message: string) => void): Promise<string[]> {
  const names: string[][] = [];
  for (const file of lists.filesFrom)
    for (const line of linesOf(decodeText(await readNamedFile('--files-from', file)))) names.push(expand(line, warn));
  for (const file of lists.filesFromVerbatim)
    names.push(linesOf(decodeText(await readNamedFile('--files-from-verbatim', file))).filter((line) => line !== ''));
  for (const file of lists.filesFromRaw) names.push(parseRaw(await readNamedFile('--files-from-raw', file), file));
  return names.flat();
}

/** @throws RespaldoError `usage`: a name that is cut short could be that of something else */
function parseRaw(bytes: Uint8Array, file: string): string[] {
  const names: string[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = bytes.indexOf(0, at);
    if (end === -1) throw malformed(file, 'the last name is not ended by a zero byte');
    if (end === at) throw malformed(file, `name ${String(names.length + 1)} is empty`);
    names.push(decodeName(bytes.subarray(at, end)));
    at = end + 1;
  }
  return names;
}

function malformed(file: string, what: string): RespaldoError {
  return new RespaldoError('usage', `--files-from-raw ${file}: ${what}`, {
    hint: 'Make such a list with `find … -print0`; a list with one name a line goes to --files-from-verbatim.',
  });
}

/** What a line's pattern matches on this machine. Every component may have wildcards; they match hidden files too. */
function expand(line: string, warn: (message: string) => void): string[] {
  const pattern = line.trim();
  if (pattern === '' || pattern.startsWith('#')) return [];
  if (pattern.split('/').some((component) => compileGlob(component) === undefined))
    throw new RespaldoError('usage', `malformed pattern of --files-from: ${quoted(pattern)}`, {
      hint: 'A `[` begins a class that `]` must end. Names as they are go to --files-from-verbatim.',
    });
  const found = glob(pattern);
  if (found.length === 0) warn(`the pattern ${quoted(pattern)} of --files-from matches nothing`);
  return found;
}

/** As Go's `filepath.Glob`, which restic uses: sorted folder by folder; a folder that cannot be listed holds nothing. */
function glob(pattern: string): string[] {
  if (!/[*?[\\]/.test(pattern)) return exists(pattern) ? [pattern] : [];
  const name = posix.basename(pattern);
  const folder = pattern.slice(0, pattern.replace(/\/+$/, '').length - name.length);
  const matches = compileGlob(name) ?? (() => false);
  const above = folder === '' ? [''] : folder === '/' ? ['/'] : glob(folder.replace(/\/+$/, ''));
  return above.flatMap((place) =>
    namesIn(place)
      .filter(matches)
      .sort(compareNames)
      .map((found) => posix.join(place, found)),
  );
}

function exists(path: string): boolean {
  try {
    return lstatSync(Buffer.from(encodeName(path)), { throwIfNoEntry: false }) !== undefined;
  } catch {
    return false;
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(Buffer.from(encodeName(folder === '' ? '.' : folder)), { encoding: 'buffer' }).map(decodeName);
  } catch {
    return [];
  }
}
