import { readFile } from 'node:fs/promises';
import { relative } from 'node:path';
import type { Finding } from '../../domain/finding.ts';
import type { Report } from '../../domain/entry.ts';
import { errnoOf, isError } from '../../errors.ts';
import { isSocket, type PostgresAddress } from './address.ts';
import { connect, MAINTENANCE, type PostgresConnection } from './connection.ts';
import type { Facts } from './facts.ts';

/** One configuration file that lies outside the data directory, as Debian's do. */
export interface OutsideFile {
  readonly role: Facts['configuration'][number]['role'];
  /** Absolute path on the server. */
  readonly original: string;
  /** Where it goes in the snapshot: below `/config`. */
  readonly path: string;
}

export interface CapturedFile extends OutsideFile {
  readonly content: Buffer;
}

/** The files that every server has, with the names they have inside a data directory. */
const MAIN_FILES = [
  { role: 'config', name: 'postgresql.conf' },
  { role: 'hba', name: 'pg_hba.conf' },
  { role: 'ident', name: 'pg_ident.conf' },
] as const;

const PATHS_QUERY = `
  SELECT current_setting('data_directory') AS data, current_setting('config_file') AS config,
         current_setting('hba_file') AS hba, current_setting('ident_file') AS ident`;
const INCLUDED_QUERY = 'SELECT DISTINCT sourcefile AS file FROM pg_file_settings WHERE sourcefile IS NOT NULL';

/**
 * The configuration that a base backup does not hold. It takes an ordinary connection, which a role for replication
 * may not have: what cannot be read is a note, and a restore then writes a minimal one.
 */
export async function captureConfiguration(
  address: PostgresAddress,
  password: string | undefined,
  report: Report,
  signal: AbortSignal,
): Promise<readonly CapturedFile[]> {
  let connection: PostgresConnection;
  try {
    connection = await connect(address, password, MAINTENANCE, signal);
  } catch (error) {
    if (!isError(error, 'source-refused')) throw error;
    report(unknownPlace(error));
    return [];
  }
  try {
    const captured: CapturedFile[] = [];
    for (const file of await findOutside(connection, report)) {
      const content = await readOnServer(connection, file.original, isSocket(address.host));
      if (content === undefined) report(unreadable(file.original, address.user));
      else captured.push({ ...file, content });
    }
    return captured;
  } finally {
    await connection.close();
  }
}

async function findOutside(connection: PostgresConnection, report: Report): Promise<readonly OutsideFile[]> {
  try {
    const [paths = {}] = await connection.query(PATHS_QUERY);
    const outside = outsideFiles(paths, []);
    if (outside.every(({ role }) => role !== 'config')) return outside;
    return outsideFiles(paths, await includedFiles(connection, report));
  } catch (error) {
    if (!isError(error, 'source-refused')) throw error;
    report(unknownPlace(error));
    return [];
  }
}

/** What a configuration file outside the data directory includes. */
async function includedFiles(connection: PostgresConnection, report: Report): Promise<readonly string[]> {
  try {
    return (await connection.query(INCLUDED_QUERY)).map((row) => String(row.file));
  } catch (error) {
    if (!isError(error, 'source-refused')) throw error;
    report(unknownIncludes);
    return [];
  }
}

/** Which of the server's configuration files lie outside its data directory, and where each goes in the snapshot. */
function outsideFiles(paths: Readonly<Record<string, unknown>>, included: readonly string[]): readonly OutsideFile[] {
  const data = textOf(paths.data);
  const isOutside = (path: string): boolean => path !== '' && relative(data, path).startsWith('..');
  const main = MAIN_FILES.map(({ role, name }) => ({
    role,
    original: textOf(paths[role]),
    path: `/config/${name}`,
  }));
  const others = included
    .filter((path) => main.every(({ original }) => original !== path))
    .sort()
    .map((path): OutsideFile => ({ role: 'included', original: path, path: `/config/included${path}` }));
  return [...main, ...others].filter(({ original }) => isOutside(original));
}

/** What the server lets us read, or what this machine does when the server is on it. */
async function readOnServer(
  connection: PostgresConnection,
  path: string,
  isLocal: boolean,
): Promise<Buffer | undefined> {
  try {
    const [row] = await connection.query('SELECT pg_read_binary_file($1) AS content', [path]);
    return Buffer.isBuffer(row?.content) ? row.content : undefined;
  } catch (error) {
    if (!isError(error, 'source-refused')) throw error;
    return isLocal ? readHere(path) : undefined;
  }
}

async function readHere(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return undefined;
  }
}

function unreadable(path: string, user: string): Finding {
  return {
    severity: 'note',
    code: 'configuration-not-captured',
    prominent: true,
    message: `${path} lies outside the data directory and is not in the snapshot: a restore writes a minimal one. To have it, run: GRANT pg_read_server_files TO "${user}"; GRANT EXECUTE ON FUNCTION pg_read_binary_file(text) TO "${user}".`,
    subject: path,
  };
}

const unknownIncludes: Finding = {
  severity: 'note',
  code: 'configuration-includes-unknown',
  prominent: true,
  message:
    'which files postgresql.conf includes could not be asked: they are not in the snapshot. To have them, GRANT SELECT ON pg_file_settings and EXECUTE ON FUNCTION pg_show_all_file_settings() to the role.',
};

function unknownPlace(cause: Error): Finding {
  return {
    severity: 'note',
    code: 'configuration-unknown',
    prominent: true,
    message: `whether configuration lies outside the data directory could not be asked (${cause.message}): what lies there is not in the snapshot, and a restore writes a minimal one. GRANT pg_read_all_settings to the role to have it looked for.`,
  };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
