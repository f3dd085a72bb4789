import { compilePatterns, malformedPatterns, type Patterns, type Verdict } from '../../domain/pattern.ts';
import { RespaldoError } from '../../errors.ts';
import type { RestoreOptions, RestoreSelection } from '../repository.ts';

/** What restic decides of each path: whether it is restored, and whether it is worth looking below it. */
export type Select = (path: string, isFolder: boolean) => { readonly selected: boolean; readonly below: boolean };

/**
 * Paths are absolute within what is restored. An excluded folder takes what lies below with it; with both kinds of
 * patterns, a path must be included and not excluded.
 * @throws RespaldoError `usage` that names malformed patterns
 */
export function selection({ include, exclude, iinclude = [], iexclude = [] }: RestoreSelection): Select {
  requireWellFormed([...include, ...iinclude, ...exclude, ...iexclude]);
  const included = new Lists(include, iinclude);
  const excluded = new Lists(exclude, iexclude);
  return (path, isFolder) => {
    if (excluded.matches(path).match) return { selected: false, below: false };
    if (included.isEmpty) return { selected: true, below: isFolder };
    const { match, childMayMatch } = included.matches(path);
    return { selected: match, below: isFolder && childMayMatch };
  };
}

/** Extended attributes that are restored, by patterns of their names. @throws as {@link selection} */
export function attributeSelection(wanted: RestoreOptions['attributes']): ((name: string) => boolean) | undefined {
  if (wanted === undefined) return undefined;
  const patterns = 'include' in wanted ? wanted.include : wanted.exclude;
  requireWellFormed(patterns);
  const compiled = compilePatterns(patterns);
  return (name) => compiled.matches(name).match === 'include' in wanted;
}

/** A list of patterns, and one for which upper and lower case are the same: either may match. */
class Lists {
  readonly #lists: readonly Patterns[];

  constructor(patterns: readonly string[], ignoringCase: readonly string[]) {
    this.#lists = [compilePatterns(patterns), compilePatterns(ignoringCase, { ignoreCase: true })].filter(
      ({ count }) => count > 0,
    );
  }

  get isEmpty(): boolean {
    return this.#lists.length === 0;
  }

  matches(path: string): Verdict {
    const verdicts = this.#lists.map((list) => list.matches(path));
    return {
      match: verdicts.some(({ match }) => match),
      childMayMatch: verdicts.some(({ childMayMatch }) => childMayMatch),
    };
  }
}

function requireWellFormed(patterns: readonly string[]): void {
  const malformed = malformedPatterns(patterns);
  if (malformed.length === 0) return;
  throw new RespaldoError('usage', `malformed pattern: ${malformed.join(', ')}`, {
    hint: 'A `[` begins a class that `]` must end, and a `\\` must stand before the character that it protects.',
  });
}
