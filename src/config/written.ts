/** A configuration as it was written, valid or not. */
import { RespaldoError } from '../errors.ts';
import type { Path } from './place.ts';
import { NAME, NAME_RULE } from './names.ts';
import type { Complaint } from './wording.ts';
import { splitWords } from './words.ts';

export function isWritten(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

export function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function mapping(value: unknown): Readonly<Record<string, unknown>> {
  return isMapping(value) ? value : {};
}

/** Names of a section that are none. */
export function* misnamed(names: readonly string[], section: string): Generator<Complaint> {
  for (const name of names) {
    if (!NAME.test(name)) yield { path: [section, name], part: 'key', message: NAME_RULE };
  }
}

/** A secret's command line that no shell would take. */
export function* splittable(secret: unknown, path: Path): Generator<Complaint> {
  const { command } = mapping(secret);
  if (!isWritten(command)) return;
  const message = complaintOf(() => splitWords(command, 'command'));
  if (message !== undefined) yield { path: [...path, 'command'], part: 'value', message };
}

/** What is wrong, in the words of what `look` throws for a wrong address; nothing if it does not throw. */
export function complaintOf(look: () => unknown): string | undefined {
  try {
    look();
    return undefined;
  } catch (error) {
    return complaintFrom(error);
  }
}

/** The words of an error about a wrong address; any other error is thrown on. */
export function complaintFrom(error: unknown): string {
  if (!(error instanceof RespaldoError)) throw error;
  return error.hint === undefined ? error.message : `${error.message}. ${error.hint}`;
}
