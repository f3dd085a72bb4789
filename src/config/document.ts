/** The text of a configuration as YAML means it, before it is checked. Loaded without all that knows what may be in it. */
import { LineCounter, parseDocument, visit, type Document, type YAMLError } from 'yaml';
import { MAX_CONFIG_SIZE } from './largest.ts';
import { compareProblems, type Problem } from './problem.ts';

export type Lines = LineCounter;

export type ReadDocument =
  | { readonly document: Document; readonly lines: Lines; readonly content: unknown; readonly problems?: undefined }
  | { readonly problems: readonly Problem[]; readonly content?: undefined };

/** What the text says, or why it cannot be told. */
export function readDocument(text: string): ReadDocument {
  if (text.length > MAX_CONFIG_SIZE) return whole(`is larger than a configuration can be (${MAX_CONFIG_SIZE} bytes)`);
  const lines = new LineCounter();
  try {
    const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, merge: true, stringKeys: true });
    if (document.errors.some(isFatal)) return { problems: syntaxProblems(document, lines) };
    const dangling = danglingAliases(document);
    if (dangling.length > 0)
      return { problems: dangling.map((at) => ({ ...positionOf(at, lines), path: '', message: NO_ANCHOR })) };
    return { document, lines, content: document.toJS() ?? {} };
  } catch (error) {
    return whole(unreadable(error));
  }
}

/** A tag such as `!secret` that YAML does not know is a warning there and an error here: its value would be ignored.
 * Of several at one place the first says it; the others follow from it. */
export function syntaxProblems(document: Document, lines: Lines): readonly Problem[] {
  const byPlace = new Map([...document.errors, ...document.warnings].reverse().map((error) => [error.pos[0], error]));
  return [...byPlace.values()]
    .map((error) => ({ ...positionOf(error.pos[0], lines), path: '', message: wordsOf(error) }))
    .toSorted(compareProblems);
}

/** After a key that is given twice the rest still means something. */
function isFatal(error: YAMLError): boolean {
  return error.code !== 'DUPLICATE_KEY';
}

const NO_ANCHOR = 'nothing above has this anchor (&): put text that begins with * between quotes';

/** Where they begin. */
function danglingAliases(document: Document): readonly number[] {
  const found: number[] = [];
  visit(document, {
    Alias: (_, alias) => {
      if (alias.resolve(document) === undefined) found.push(alias.range?.[0] ?? 0);
    },
  });
  return found;
}

function positionOf(offset: number, lines: Lines): { line: number; column: number } {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(line, 1), column: Math.max(col, 1) };
}

/** What the parser quotes is left out: what it stumbles over is often a password without quotes. */
function wordsOf(error: YAMLError): string {
  switch (error.code) {
    case 'DUPLICATE_KEY':
      return 'this key is already there above: each may be given once';
    case 'TAB_AS_INDENT':
      return 'a tab indents this line: YAML wants spaces';
    case 'MULTIPLE_DOCS':
      return 'a second document starts here (---): there can be one';
    case 'NON_STRING_KEY':
      return 'a key must be plain text';
    case 'RESOURCE_EXHAUSTION':
      return 'is nested too deep';
    case 'TAG_RESOLVE_FAILED':
      return 'a tag (!) that means nothing here: put text that begins with ! between quotes';
    case 'BAD_DQ_ESCAPE':
      return 'a backslash between double quotes begins no known escape: double it, or use single quotes';
    case 'UNEXPECTED_TOKEN':
      return firstLine(error).replace(/: .*/, '');
    default:
      return firstLine(error);
  }
}

function firstLine({ message, code }: YAMLError): string {
  return message.split('\n', 1)[0] ?? code;
}

/** What the parser throws: aliases that would multiply without bound, or lists nested too deep for it. */
function unreadable(error: unknown): string {
  if (error instanceof RangeError) return 'is nested too deep';
  return error instanceof Error ? error.message : String(error);
}

function whole(message: string): ReadDocument {
  return { problems: [{ line: 1, column: 1, path: '', message }] };
}
