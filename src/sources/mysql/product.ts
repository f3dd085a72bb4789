/** Which of the two products something is, and of which version, by what it says of itself. Pure. */

export type Product = 'mariadb' | 'mysql';

export interface Version {
  readonly product: Product;
  /** `[10, 11, 6]`. */
  readonly numbers: readonly [number, number, number];
}

/**
 * What a program's `--version` says: `mariadb-dump  Ver 10.19 Distrib 10.11.6-MariaDB, for …`, `mariadb-dump from
 * 11.4.2-MariaDB, client 10.19 for …`, `mysqldump  Ver 8.0.36 for Linux …`, `mysqldump  Ver 10.13 Distrib 5.7.44, for …`.
 * Undefined where it says something else.
 */
export function programVersion(text: string): Version | undefined {
  const said = /\b(?:Distrib|from) (\d+)\.(\d+)\.(\d+)/.exec(text) ?? /\bVer (\d+)\.(\d+)\.(\d+)/.exec(text);
  return said === null ? undefined : versionOf(said, text);
}

/** What a server says: `10.11.6-MariaDB-0+deb12u1-log`, `5.5.5-10.11.6-MariaDB` behind some proxies, `8.0.36`. */
export function serverVersion(version: string, comment: string): Version {
  const said = /^(?:5\.5\.5-)?(\d+)\.(\d+)\.(\d+)/.exec(version);
  return versionOf(said ?? ['', '0', '0', '0'], `${version} ${comment}`);
}

export function isAtLeast({ numbers }: Version, ...wanted: readonly [number, number?, number?]): boolean {
  for (const [i, number] of numbers.entries()) {
    const other = wanted[i] ?? 0;
    if (number !== other) return number > other;
  }
  return true;
}

/** For people: `MariaDB`, `MySQL`. */
export function productName(product: Product): string {
  return product === 'mariadb' ? 'MariaDB' : 'MySQL';
}

function versionOf(said: readonly string[], text: string): Version {
  const [, major, minor, patch] = said;
  return {
    product: /mariadb/i.test(text) ? 'mariadb' : 'mysql',
    numbers: [Number(major), Number(minor), Number(patch)],
  };
}
