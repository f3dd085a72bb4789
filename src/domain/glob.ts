/**
 * One component of a pattern, as Go's `path/filepath.Match` and so restic read it: `*` any characters, `?` one,
 * `[a-z]` or `[^a-z]` one of a class, `\` takes the next character literally. A byte that is not part of valid UTF-8
 * counts as one character (see `name.ts`).
 */
export type Glob = (name: string) => boolean;

/** A class's ranges of code points, both ends included. */
interface CharacterClass {
  readonly negated: boolean;
  readonly ranges: readonly (readonly [low: number, high: number])[];
}

/** Between two stars: code points, classes, or `any` one character. */
type Token = number | 'any' | CharacterClass;

/** The matcher of a pattern's component, or undefined where it is malformed. */
export function compileGlob(pattern: string): Glob | undefined {
  if (!/[\\[*?]/.test(pattern)) return (name) => name === pattern;
  const pieces = parse(Array.from(pattern));
  if (pieces === undefined) return undefined;
  const literals = pieces.map(literalOf);
  return literals.every((piece) => piece !== undefined) ? matchLiterals(literals) : matchTokens(pieces);
}

/** The pattern's pieces between its stars, or undefined where a class or an escape is not finished. */
function parse(pattern: readonly string[]): Token[][] | undefined {
  let piece: Token[] = [];
  const pieces = [piece];
  for (let at = 0; at < pattern.length; at++) {
    const char = pattern[at] ?? '';
    if (char === '*') pieces.push((piece = []));
    else if (char === '?') piece.push('any');
    else if (char === '[') {
      const found = parseClass(pattern, at + 1);
      if (found === undefined) return undefined;
      piece.push(found.characters);
      at = found.end;
    } else {
      const literal = char === '\\' ? pattern[++at] : char;
      if (literal === undefined) return undefined;
      piece.push(codePoint(literal));
    }
  }
  return pieces;
}

/** The class that begins after the `[` before `at`; `end` is the place of its `]`. */
function parseClass(pattern: readonly string[], at: number): { characters: CharacterClass; end: number } | undefined {
  const negated = pattern[at] === '^';
  const ranges: [number, number][] = [];
  let next = negated ? at + 1 : at;
  const bound = (): number | undefined => {
    let char = pattern[next++];
    if (char === undefined || char === '-' || char === ']') return undefined;
    if (char === '\\') char = pattern[next++];
    return char === undefined ? undefined : codePoint(char);
  };
  do {
    const low = bound();
    if (low === undefined) return undefined;
    let high: number | undefined = low;
    if (pattern[next] === '-') {
      next++;
      high = bound();
      if (high === undefined) return undefined;
    }
    ranges.push([low, high]);
  } while (pattern[next] !== ']');
  return { characters: { negated, ranges }, end: next };
}

function codePoint(char: string): number {
  return char.codePointAt(0) ?? 0;
}

/** The piece as text, if it holds nothing but literal characters. */
function literalOf(piece: readonly Token[]): string | undefined {
  return piece.every((token) => typeof token === 'number') ? String.fromCodePoint(...piece) : undefined;
}

/** `prefix*middle*suffix`: every middle piece may be taken where it first occurs. */
function matchLiterals(pieces: readonly string[]): Glob {
  const [first = '', ...rest] = pieces;
  const last = rest.pop();
  if (last === undefined) return (name) => name === first;
  const shortest = pieces.reduce((sum, piece) => sum + piece.length, 0);
  return (name) => {
    if (name.length < shortest || !name.startsWith(first) || !name.endsWith(last)) return false;
    let from = first.length;
    for (const piece of rest) {
      const found = name.indexOf(piece, from);
      if (found < 0) return false;
      from = found + piece.length;
    }
    return from + last.length <= name.length;
  };
}

/** The same over single characters, for pieces with `?` and classes. */
function matchTokens(pieces: readonly (readonly Token[])[]): Glob {
  const [first = [], ...rest] = pieces;
  const last = rest.pop();
  return (name) => {
    const chars = Array.from(name, codePoint);
    if (!matchesAt(first, chars, 0)) return false;
    if (last === undefined) return chars.length === first.length;
    let from = first.length;
    for (const piece of rest) {
      while (from <= chars.length && !matchesAt(piece, chars, from)) from++;
      from += piece.length;
    }
    return from + last.length <= chars.length && matchesAt(last, chars, chars.length - last.length);
  };
}

function matchesAt(piece: readonly Token[], chars: readonly number[], at: number): boolean {
  if (at + piece.length > chars.length) return false;
  return piece.every((token, index) => matchesToken(token, chars[at + index] ?? 0));
}

function matchesToken(token: Token, char: number): boolean {
  if (typeof token === 'number') return token === char;
  if (token === 'any') return true;
  return token.negated !== token.ranges.some(([low, high]) => low <= char && char <= high);
}
