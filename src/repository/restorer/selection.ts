import { compilePatterns, malformedPatterns } from '../../domain/pattern.ts';
import { RespaldoError } from '../../errors.ts';

/** What restic decides of each path: whether it is restored, and whether it is worth looking below it. */
export type Select = (path: string, isFolder: boolean) => { readonly selected: boolean; readonly below: boolean };

/**
 * Paths are absolute within what is restored. An excluded folder takes what lies below with it; with both kinds of
 * patterns, a path must be included and not excluded.
 * @throws RespaldoError `usage` that names malformed patterns
 */
export function selection(include: readonly string[], exclude: readonly string[]): Select {
  const malformed = malformedPatterns([...include, ...exclude]);
  if (malformed.length > 0) {
    throw new RespaldoError('usage', `malformed pattern: ${malformed.join(', ')}`, {
      hint: 'A `[` begins a class that `]` must end, and a `\\` must stand before the character that it protects.',
    });
  }
  const included = compilePatterns(include);
  const excluded = compilePatterns(exclude);
  return (path, isFolder) => {
    if (excluded.count > 0 && excluded.matches(path).match) return { selected: false, below: false };
    if (included.count === 0) return { selected: true, below: isFolder };
    const { match, childMayMatch } = included.matches(path);
    return { selected: match, below: isFolder && childMayMatch };
  };
}
