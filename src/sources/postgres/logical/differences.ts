/** What a restored database lacks, compared with the record of the dumped one. Pure. */
import type { DatabaseFacts } from './facts.ts';

/** As much of a database as two servers can be asked alike. */
export type RestoredContent = Pick<DatabaseFacts, 'relations' | 'extensions' | 'counts' | 'largeObjects' | 'sequences'>;

/**
 * @param isSameVersion another major version counts and writes some things in another way: then what must be equal in
 *   any version is compared.
 * @returns sentences; none: it is the same.
 */
export function differences(
  recorded: DatabaseFacts,
  found: RestoredContent,
  isSameVersion: boolean,
): readonly string[] {
  const relations = new Map(found.relations.map((relation) => [relation.sql, relation]));
  const extensions = new Set(found.extensions.map(({ name }) => name));
  const sequences = new Map(found.sequences.map((sequence) => [sequence.name, sequence]));
  return [
    ...recorded.relations.flatMap((was) => {
      const is = relations.get(was.sql);
      if (is === undefined) return [`the ${was.kind.replaceAll('-', ' ')} ${was.sql} is missing`];
      return [
        ...unequal(`rows of ${was.sql}`, was.rows, was.rows === undefined ? undefined : is.rows),
        ...unequal(`owner of ${was.sql}`, was.owner, is.owner),
        ...(isSameVersion ? unequal(`rights on ${was.sql}`, rights(was.grants), rights(is.grants)) : []),
      ];
    }),
    ...recorded.sequences.flatMap((was) => {
      const is = sequences.get(was.name);
      return unequal(`value of ${was.name}`, state(was), is && state(is));
    }),
    ...recorded.extensions.flatMap(({ name }) => (extensions.has(name) ? [] : [`the extension ${name} is missing`])),
    ...(isSameVersion
      ? Object.entries(recorded.counts).flatMap(([what, count]) => unequal(what, count, found.counts[what]))
      : []),
    ...unequal('large objects', recorded.largeObjects, found.largeObjects),
  ];
}

function unequal(what: string, was: string | number | undefined, is: string | number | undefined): string[] {
  return was === is ? [] : [`${what}: ${String(is ?? 'none')} instead of ${String(was ?? 'none')}`];
}

function rights(grants: readonly string[] | null): string {
  return grants === null ? 'the owner’s alone' : grants.toSorted().join(' ');
}

function state({ value, called }: DatabaseFacts['sequences'][number]): string {
  return `${value}${called ? '' : ' (not yet used)'}`;
}
