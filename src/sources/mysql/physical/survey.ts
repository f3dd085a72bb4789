import { isError, RespaldoError } from '../../../errors.ts';
import type { SourceIo } from '../../source.ts';
import type { BackupAddress } from '../address.ts';
import { mayLockAll, privilegesOf, seesBinaryLog, type Privileges } from '../logical/privileges.ts';
import { productName, serverVersion, type Version } from '../product.ts';
import { Session } from '../session.ts';
import { Toolbox } from '../toolbox.ts';
import { findBackupProgram, type BackupProgram } from './backup-program.ts';
import { inspectServerFiles, type ServerFiles } from './server-files.ts';

/** A server as it is before its files are copied. */
export interface Survey {
  readonly tools: Toolbox;
  readonly program: BackupProgram;
  /** As it says it: `10.11.6-MariaDB-log`. */
  readonly serverVersion: string;
  readonly files: ServerFiles;
  /** Of the data directory, where the tools run. */
  readonly owner: Owner;
}

export interface Owner {
  readonly uid: number;
  readonly gid: number;
  readonly user: string;
  readonly group: string;
}

const DUMPS = 'Use method=logical: databases as dumps.';

/**
 * Looks at programs, server and files. Changes nothing.
 * @param given the password, where somebody gave one.
 * @throws RespaldoError what cannot work at all: `tool-missing`, `source-refused`.
 */
export async function survey(address: BackupAddress, given: string | undefined, io: SourceIo): Promise<Survey> {
  const tools = await Toolbox.open(address, given, io.runtime, io.signal);
  const { said, files } = await Session.with(tools, async (session) => {
    const [row] = await session.query({ said: '@@version', comment: '@@version_comment', account: 'CURRENT_USER()' });
    const server = serverVersion(row?.said ?? '', row?.comment ?? '');
    requireMariadb(server, tools.server);
    const grants = await session.show('SHOW GRANTS');
    requirePrivileges(privilegesOf(grants.map(([grant = '']) => grant)), row?.account ?? '', tools.server);
    return { said: row?.said ?? '', files: await inspectServerFiles(session) };
  });
  const program = await findBackupProgram(io.runtime, io.signal);
  requireFitting(program, serverVersion(said, ''), tools.server);
  requireCopyable(files, tools.server);
  const owner = await ownerOf(files, tools);
  return { tools, program, serverVersion: said, files, owner };
}

function requireMariadb({ product }: Version, server: string): void {
  if (product === 'mariadb') return;
  throw refused(`${server} is one of ${productName(product)}, whose files mariadb-backup does not know`, DUMPS);
}

/** Its own complaints come when much has been sent already. */
function requirePrivileges(privileges: Privileges, account: string, server: string): void {
  const { everywhere } = privileges;
  const missing = [
    ...(mayLockAll(privileges) ? [] : ['RELOAD']),
    ...(everywhere.has('PROCESS') || everywhere.has('ALL PRIVILEGES') ? [] : ['PROCESS']),
    ...(seesBinaryLog(privileges) ? [] : ['BINLOG MONITOR']),
  ];
  if (missing.length === 0) return;
  const list = missing.join(', ');
  throw refused(
    `${server}: ${account} lacks ${list}, without which files cannot be copied`,
    `Run GRANT ${list} ON *.* TO the account.`,
  );
}

/** Files change from one series to the next: another one's program may copy them, and nobody could use the copy. */
function requireFitting({ name, version }: BackupProgram, server: Version, where: string): void {
  const [major, minor] = server.numbers;
  if (version.numbers[0] === major && version.numbers[1] === minor) return;
  const series = `${String(major)}.${String(minor)}`;
  throw refused(
    `${name} ${version.numbers.join('.')} does not fit ${where}, which is of MariaDB ${server.numbers.join('.')}`,
    `Install the mariadb-backup of MariaDB ${series} where the source’s tools run, or use method=logical.`,
  );
}

function requireCopyable({ uncopied, outside, encrypted }: ServerFiles, server: string): void {
  if (uncopied.length > 0)
    throw refused(
      `${server}: mariadb-backup does not copy ${named(uncopied)}`,
      'Convert the tables (ALTER TABLE … ENGINE=InnoDB), or use method=logical: databases as dumps.',
    );
  if (outside.length > 0)
    throw refused(
      `${server}: ${named(outside)} lie outside of the data directory, and a copy would use the same files`,
      'Move the tables into it (ALTER TABLE … without DATA DIRECTORY), or use method=logical.',
    );
  if (encrypted.length > 0)
    throw refused(
      `${server}: ${named(encrypted)} are encrypted by the server, whose keys are in no backup`,
      'A copy could not be read without them. Use method=logical: Respaldo encrypts what it stores.',
    );
}

/**
 * The files have to be where the programs run. A server that is reached by the network, or whose port leads into a
 * container, has them elsewhere, and at the same path may be another server's.
 */
async function ownerOf({ dataDirectory, hostname }: ServerFiles, tools: Toolbox): Promise<Owner> {
  const { place } = tools.runtime;
  const elsewhere = (why: string): RespaldoError =>
    refused(
      `${tools.server}: its files are not on ${place}: ${why}`,
      'Let the tools run where the server does (a container: --runtime docker:NAME), or use method=logical.',
    );
  const here = await lineOf(['uname', '-n'], tools);
  if (here !== undefined && here !== hostname)
    throw elsewhere(`it says that it runs on ${hostname}, and this is ${here}`);
  const status = await lineOf(['stat', '-L', '-c', '%u %g %U %G', dataDirectory], tools);
  const readable = await lineOf(['sh', '-c', 'test -r "$1/ibdata1" && echo yes', 'respaldo', dataDirectory], tools);
  const [uid, gid, user = '', group = ''] = (status ?? '').split(' ');
  if (status === undefined || readable !== 'yes') throw elsewhere(`${dataDirectory} cannot be read there`);
  return { uid: Number(uid), gid: Number(gid), user: known(user), group: known(group) };
}

/** Undefined: the program is missing, or says no. */
async function lineOf(argv: readonly [string, ...string[]], { runtime, signal }: Toolbox): Promise<string | undefined> {
  try {
    return Buffer.concat(await Array.fromAsync(runtime.run({ argv }, signal)))
      .toString('utf8')
      .trim();
  } catch (error) {
    if (isError(error, 'command-failed') || isError(error, 'tool-missing')) return undefined;
    throw error;
  }
}

/** `stat` says so of who has no name. */
function known(name: string): string {
  return name === 'UNKNOWN' ? '' : name;
}

const NAMED = 5;

function named(names: readonly string[]): string {
  const more = names.length > NAMED ? ` and ${String(names.length - NAMED)} more` : '';
  return `${names.slice(0, NAMED).join(', ')}${more}`;
}

function refused(message: string, hint: string): RespaldoError {
  return new RespaldoError('source-refused', message, { hint });
}
