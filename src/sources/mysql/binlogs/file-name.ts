/** Names of binary logs: `my-bin.000012`. Pure. */

const SHAPE = /^(.*\.)(\d{6,})$/s;

/** Its number. Undefined: it is no such name. */
export function numberOf(file: string): number | undefined {
  const digits = SHAPE.exec(file)?.[2];
  return digits === undefined ? undefined : Number(digits);
}

/** The file that a server writes next. Undefined: the name has no number. */
export function successorOf(file: string): string | undefined {
  return followersOf(file, 1)[0];
}

/** So many files that a server writes next. */
export function followersOf(file: string, count: number): readonly string[] {
  const [, stem = '', digits] = SHAPE.exec(file) ?? [];
  if (digits === undefined) return [];
  return Array.from(
    { length: count },
    (_, i) => `${stem}${String(Number(digits) + i + 1).padStart(digits.length, '0')}`,
  );
}
