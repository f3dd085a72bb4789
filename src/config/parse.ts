import type { Document } from 'yaml';
import { toConfig, type Config } from './config.ts';
import { readDocument, syntaxProblems, type Lines, type ReadDocument } from './document.ts';
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
export function parseConfig(text: string, file: string, check: AddressChecks): Promise<Parsed> {
  return checkedConfig(readDocument(text), file, check);
}

/** The same of a file that has been read. */
export async function checkedConfig(read: ReadDocument, file: string, check: AddressChecks): Promise<Parsed> {
  if (read.problems !== undefined) return { problems: read.problems };
  const { document, lines, content } = read;
  const result = configSchema.safeParse(content, { error: wording });
  const complaints = [...(result.error ? complaintsOf(result.error) : []), ...(await checkReferences(content, check))];
  const problems = [
    ...syntaxProblems(document, lines),
    ...complaints.slice(0, MAX_COMPLAINTS).map((complaint) => place(complaint, document, lines)),
  ];
  if (problems.length > 0 || !result.data) return { problems: problems.toSorted(compareProblems) };
  return { config: toConfig(result.data, file) };
}

function place({ path, part, message }: Complaint, document: Document, lines: Lines): Problem {
  return { ...placeOf(path, part, document, lines), path: path.map(shownStep).join('.'), message };
}

/** A key that could be taken for more than one, or for a line of its own, stands between quotes. */
function shownStep(step: string | number): string {
  return /^[^\s."\p{C}]+$/u.test(String(step)) ? String(step) : JSON.stringify(step);
}
