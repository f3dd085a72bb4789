import { visit, type Document } from 'yaml';
import { z } from 'zod';
import { RespaldoError } from '../../errors.ts';
import { readDocument, syntaxProblems } from '../document.ts';
import { placeOf } from '../place.ts';
import { formatProblem, type Problem } from '../problem.ts';
import { didYouMean } from '../suggest.ts';
import { complaintsOf, wording } from '../wording.ts';

/** The shape of a `config.yaml` of backup.py: databases by mysqldump and directories by tar, to S3, encrypted by gpg. */

const text = z.union([z.string(), z.number().transform(String)]);
const flag = z.boolean().optional();
const names = z.array(text).optional();

/** What a source of either kind says of its files. */
const output = {
  temp: text,
  compress: z.preprocess((given) => (given === '' ? undefined : given), z.enum(['gzip', 'bzip2']).optional()),
  encryption: text.optional(),
  destination: text.optional(),
  cleanup: flag,
};

const mysqldump = z.looseObject({
  ...output,
  databases: names,
  all_databases_except_system: flag,
  exclude_databases: names,
  host: text.optional(),
  port: z.coerce.number().int().min(1).max(65_535).optional(),
  user: text.optional(),
  password: text.optional(),
  extra_args: names,
});

const directory = z.looseObject({
  ...output,
  path: text,
  incremental: flag,
  incremental_snapshot: text.optional(),
});

const destination = z.looseObject({
  method: z.literal('s3', 'must be s3: there were no others'),
  S3_BUCKET: text,
  prefix: text.optional(),
  AWS_ACCESS_KEY_ID: text.optional(),
  AWS_SECRET_ACCESS_KEY: text.optional(),
  AWS_SESSION_TOKEN: text.optional(),
});

const encryption = z.looseObject({ method: z.literal('gpg', 'must be gpg: there were no others'), recipient: text });

const named = <T extends z.ZodType>(value: T) => z.record(z.string(), value).optional();

const shape = z.looseObject({
  sources: z.looseObject({ mysqldump: named(mysqldump), directories: named(directory) }).optional(),
  destinations: named(destination),
  encryptions: named(encryption),
});

/** What was to be encrypted is never written in the clear because a name was misspelt. */
const oldConfig = shape.superRefine(({ sources = {}, encryptions = {} }, context) => {
  const names = Object.keys(encryptions);
  for (const kind of ['mysqldump', 'directories'] as const)
    for (const [source, { encryption: name }] of Object.entries<OldSource>(sources[kind] ?? {})) {
      if (name === undefined || names.includes(name)) continue;
      const message = `correct it, or take the key out: there is no encryption ${name}${didYouMean(name, names)}`;
      context.addIssue({ code: 'custom', message, path: ['sources', kind, source, 'encryption'] });
    }
});

export type OldConfig = z.output<typeof shape>;
export type OldDatabases = z.output<typeof mysqldump>;
export type OldDirectory = z.output<typeof directory>;
export type OldDestination = z.output<typeof destination>;
/** What both kinds of sources have in common. */
export type OldSource = Pick<OldDatabases, 'temp' | 'compress' | 'encryption' | 'destination' | 'cleanup'>;

/** Keys of each part. */
export const KNOWN = {
  root: Object.keys(shape.shape),
  sources: ['mysqldump', 'directories'],
  mysqldump: Object.keys(mysqldump.shape),
  directory: Object.keys(directory.shape),
  destination: Object.keys(destination.shape),
  encryption: Object.keys(encryption.shape),
} as const;

/**
 * Reads such a file.
 * @param shown its name, for messages
 * @throws RespaldoError `config` with each mistake and its place, without values
 */
export function parseOldConfig(content: string, shown: string): OldConfig {
  const read = readDocument(content);
  if (read.problems !== undefined) throw refused(read.problems, shown);
  const { document, lines } = read;
  // The old program took the last of two keys that are the same, and nobody saw it.
  const syntax = syntaxProblems(document, lines);
  if (syntax.length > 0) throw refused(syntax, shown);
  keepDigits(document);
  const result = oldConfig.safeParse(withoutNulls(document.toJS() ?? {}), { error: wording });
  if (!result.success) {
    const problems = complaintsOf(result.error).map(({ path, part, message }) => ({
      ...placeOf(path, part, document, lines),
      path: path.join('.'),
      message,
    }));
    throw refused(problems, shown);
  }
  const { sources } = result.data;
  if (Object.keys({ ...sources?.mysqldump, ...sources?.directories }).length > 0) return result.data;
  throw new RespaldoError('config', `${shown} has neither sources.mysqldump nor sources.directories`, { hint: HINT });
}

function refused(problems: readonly Problem[], shown: string): RespaldoError {
  return new RespaldoError('config', problems.map((problem) => formatProblem(shown, problem)).join('\n'), {
    hint: HINT,
  });
}

/** What is a number to YAML and would be written otherwise, as passwords of digits may be, is the text that is there. */
function keepDigits(document: Document): void {
  visit(document, {
    Scalar: (_, scalar) => {
      const { value, source } = scalar;
      if (typeof value === 'number' && source !== undefined && String(value) !== source) scalar.value = source;
    },
  });
}

/** Deeper than any such file is: one that holds itself has no end. */
const DEEPEST = 20;

/** YAML's empty value stands for a key that is not there. */
function withoutNulls(value: unknown, depth = 0): unknown {
  if (depth > DEEPEST) throw new RespaldoError('config', 'the old configuration is nested too deep', { hint: HINT });
  if (Array.isArray(value)) return value.map((one: unknown) => withoutNulls(one, depth + 1));
  if (typeof value !== 'object' || value === null) return value;
  const given = Object.entries(value).filter(([, one]) => one !== null);
  return Object.fromEntries(given.map(([key, one]) => [key, withoutNulls(one, depth + 1)]));
}

const HINT = 'Imported is the config.yaml of backup.py: sources, destinations and encryptions.';
