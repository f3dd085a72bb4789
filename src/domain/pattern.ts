/**
 * Lists of patterns that select paths, with restic's meaning:
 *
 * - A pattern is a path whose components may hold wildcards (see `glob.ts`); `**` stands for any number of components,
 *   also none. Components are matched whole.
 * - With a leading `/` it starts at the root, otherwise anywhere. It matches a path if it matches the path or one of
 *   its parents: what lies in a matched folder is matched.
 * - A leading `!` takes back what the patterns before it have matched. Empty patterns count for nothing.
 */
import { compileGlob, type Glob } from './glob.ts';

/** What a list of patterns says of a path. */
export interface Verdict {
  readonly match: boolean;
  /** Whether something below the path, if it is a folder, can match. */
  readonly childMayMatch: boolean;
}

export interface Patterns {
  /** How many patterns there are: with none, nothing matches. */
  readonly count: number;
  /** `path`: clean, absolute (`/a/b`) or relative (`a/b`), in the string form of `name.ts`. */
  matches(path: string): Verdict;
}

export interface PatternOptions {
  /** Compare without regard to upper and lower case. */
  readonly ignoreCase?: boolean;
}

/** `**`, or a component's matcher. */
type Part = '**' | Glob;

interface Pattern {
  readonly negated: boolean;
  readonly rooted: boolean;
  readonly parts: readonly Part[];
}

const NOTHING: Verdict = { match: false, childMayMatch: false };

/** Those of the patterns that are malformed (`[a`, a `\` at the end), for the message that refuses them. */
export function malformedPatterns(patterns: readonly string[]): string[] {
  return patterns.filter((pattern) => compile(pattern, false) === undefined);
}

/** A malformed pattern matches nothing: ask {@link malformedPatterns} first. */
export function compilePatterns(patterns: readonly string[], options: PatternOptions = {}): Patterns {
  const ignoreCase = options.ignoreCase ?? false;
  const compiled = patterns
    .filter((pattern) => pattern !== '')
    .map((pattern) => compile(pattern, ignoreCase))
    .filter((pattern) => pattern !== undefined);
  if (compiled.length === 0) return { count: 0, matches: () => NOTHING };
  const final = !compiled.some((pattern) => pattern.negated);
  return {
    count: compiled.length,
    matches: (path) => judge(compiled, final, ignoreCase ? path.toLowerCase() : path),
  };
}

/** `final`: no pattern is negated, so that a full match cannot be taken back. */
function judge(patterns: readonly Pattern[], final: boolean, path: string): Verdict {
  const absolute = path.startsWith('/');
  const names = (absolute ? path.slice(1) : path).split('/');
  let match = false;
  let childMayMatch = false;
  for (const pattern of patterns) {
    const matched = matches(pattern, absolute, names);
    if (pattern.negated) {
      match &&= !matched;
      childMayMatch &&= !matched;
    } else {
      match ||= matched;
      childMayMatch ||= matched || mayMatchBelow(pattern, absolute, names);
      if (match && final) break;
    }
  }
  return { match, childMayMatch };
}

function compile(text: string, ignoreCase: boolean): Pattern | undefined {
  const negated = text.startsWith('!');
  const cased = negated ? text.slice(1) : text;
  const path = clean(ignoreCase ? cased.toLowerCase() : cased);
  const rooted = path.startsWith('/');
  const components = path === '/' ? [] : (rooted ? path.slice(1) : path).split('/');
  const parts: Part[] = [];
  for (const component of components) {
    const part = component === '**' ? component : compileGlob(component);
    if (part === undefined) return undefined;
    parts.push(part);
  }
  return { negated, rooted, parts };
}

/** Without empty, `.` and `..` components, as far as they can be resolved. */
function clean(path: string): string {
  const rooted = path.startsWith('/');
  const kept: string[] = [];
  for (const component of path.split('/')) {
    if (component === '' || component === '.') continue;
    if (component !== '..') kept.push(component);
    else if (kept.length > 0 && kept.at(-1) !== '..') kept.pop();
    else if (!rooted) kept.push(component);
  }
  return (rooted ? '/' : '') + (kept.join('/') || (rooted ? '' : '.'));
}

/** Whether the pattern matches a run of the path's names: from the first one if it is rooted, else from any. */
function matches(pattern: Pattern, absolute: boolean, names: readonly string[]): boolean {
  if (pattern.rooted && !absolute) return false;
  return matchesRun(pattern.parts, pattern.rooted, names);
}

/**
 * Parts against names. Where a part fails, the last `**` takes one name more: earlier ones need not be tried again,
 * since what stands between two of them may as well match as early as it can. An unrooted pattern has one in front.
 */
function matchesRun(parts: readonly Part[], rooted: boolean, names: readonly string[]): boolean {
  let part = 0;
  let name = 0;
  let resumePart = rooted ? -1 : 0;
  let resumeName = 0;
  while (part < parts.length) {
    const expected = parts[part];
    if (expected === '**') {
      resumePart = ++part;
      resumeName = name;
      continue;
    }
    const actual = names[name];
    if (actual !== undefined && expected?.(actual) === true) {
      part++;
      name++;
      continue;
    }
    if (resumePart < 0 || resumeName >= names.length) return false;
    part = resumePart;
    name = ++resumeName;
  }
  return true;
}

/** Whether the path is on the way to what a rooted pattern matches: its names match the pattern's first ones. */
function mayMatchBelow(pattern: Pattern, absolute: boolean, names: readonly string[]): boolean {
  if (!pattern.rooted) return true;
  if (!absolute) return false;
  for (let at = 0; at < names.length; at++) {
    const part = pattern.parts[at];
    if (part === undefined || part === '**') return true;
    if (!part(names[at] ?? '')) return false;
  }
  return true;
}
