/** The text of a configuration as YAML means it, before it is checked. Loaded without all that knows what may be in it. */
import { LineCounter, parseDocument, type Document, type YAMLError } from 'yaml';
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
    .map((error) => ({ ...positionOf(error, lines), path: '', message: wordsOf(error) }))
    .toSorted(compareProblems);
}

/** After a key that is given twice the rest still means something. */
function isFatal(error: YAMLError): boolean {
  return error.code !== 'DUPLICATE_KEY';
}

function positionOf(error: YAMLError, lines: Lines): { line: number; column: number } {
  const { line, col } = lines.linePos(error.pos[0]);
  return { line: Math.max(line, 1), column: Math.max(col, 1) };
}

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
    default:
      return error.message.split('\n', 1)[0] ?? error.code;
  }
}

/** What the parser throws: aliases that would multiply without bound, or lists nested too deep for it. */
function unreadable(error: unknown): string {
  if (error instanceof RangeError) return 'is nested too deep';
  return error instanceof Error ? error.message : String(error);
}

function whole(message: string): ReadDocument {
  return { problems: [{ line: 1, column: 1, path: '', message }] };
}
