import { LineCounter, parseDocument, type Document, type YAMLError } from 'yaml';
import { toConfig, type Config } from './config.ts';
import { MAX_CONFIG_SIZE } from './largest.ts';
import { placeOf } from './place.ts';
import { compareProblems, type Problem } from './problem.ts';
import { checkReferences, type AddressChecks } from './references.ts';
import { configSchema } from './schema.ts';
import { complaintsOf, wording, type Complaint } from './wording.ts';

export type Parsed =
  | { readonly config: Config; readonly problems?: undefined }
  | { readonly config?: undefined; readonly problems: readonly Problem[] };

/** More than anybody reads. */
const MAX_COMPLAINTS = 1000;

/**
 * A file's text as a configuration, or everything that is wrong with it, in the order of the file.
 * @param file its absolute path.
 */
export async function parseConfig(text: string, file: string, check: AddressChecks): Promise<Parsed> {
  if (text.length > MAX_CONFIG_SIZE) return whole(`is larger than a configuration can be (${MAX_CONFIG_SIZE} bytes)`);
  const lines = new LineCounter();
  let document: Document;
  let content: unknown;
  try {
    document = parseDocument(text, { lineCounter: lines, prettyErrors: false, merge: true, stringKeys: true });
    if (document.errors.some(isFatal)) return { problems: syntaxProblems(document, lines) };
    content = document.toJS() ?? {};
  } catch (error) {
    return whole(unreadable(error));
  }
  const result = configSchema.safeParse(content, { error: wording });
  const complaints = [...(result.error ? complaintsOf(result.error) : []), ...(await checkReferences(content, check))];
  const problems = [
    ...syntaxProblems(document, lines),
    ...complaints.slice(0, MAX_COMPLAINTS).map((complaint) => place(complaint, document, lines)),
  ];
  if (problems.length > 0 || !result.data) return { problems: problems.toSorted(compareProblems) };
  return { config: toConfig(result.data, file) };
}

function place({ path, part, message }: Complaint, document: Document, lines: LineCounter): Problem {
  return { ...placeOf(path, part, document, lines), path: path.map(shownStep).join('.'), message };
}

/** A key that could be taken for more than one, or for a line of its own, stands between quotes. */
function shownStep(step: string | number): string {
  return /^[^\s."\p{C}]+$/u.test(String(step)) ? String(step) : JSON.stringify(step);
}

/** A tag such as `!secret` that YAML does not know is a warning there and an error here: its value would be ignored.
 * Of several at one place the first says it; the others follow from it. */
function syntaxProblems(document: Document, lines: LineCounter): readonly Problem[] {
  const byPlace = new Map([...document.errors, ...document.warnings].reverse().map((error) => [error.pos[0], error]));
  return [...byPlace.values()]
    .map((error) => ({ ...positionOf(error, lines), path: '', message: wordsOf(error) }))
    .toSorted(compareProblems);
}

/** After a key that is given twice the rest still means something. */
function isFatal(error: YAMLError): boolean {
  return error.code !== 'DUPLICATE_KEY';
}

function positionOf(error: YAMLError, lines: LineCounter): { line: number; column: number } {
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

function whole(message: string): Parsed {
  return { problems: [{ line: 1, column: 1, path: '', message }] };
}
