import type { Session } from '../session.ts';
import { list } from '../sql.ts';

/** What a server tells of its files, and of how long they have been its own. */
export interface ServerFiles {
  /** Of the machine or container that it runs on. */
  readonly hostname: string;
  /** An absolute path there. */
  readonly dataDirectory: string;
  readonly pageBytes: number;
  /** When it was started: seconds since 1970, by its own clock. It is the same for as long as the server runs. */
  readonly startedAt: number;
  /** Where its redo log is now; undefined: it is too old to tell. */
  readonly lsn: bigint | undefined;
  /** Bytes of InnoDB's files, by their paths below the data directory. */
  readonly sizes: ReadonlyMap<string, number>;
  /** Of all files, about. */
  readonly bytes: number;
  /** Tables of engines that mariadb-backup leaves out. */
  readonly uncopied: readonly string[];
  /** Tables that lie outside of the data directory. */
  readonly outside: readonly string[];
  readonly encrypted: readonly string[];
}

/** Their files are copied, or they have none but their definition. */
const COPIED = [
  ...['InnoDB', 'MyISAM', 'Aria', 'CSV', 'ARCHIVE', 'MRG_MyISAM', 'MRG_MYISAM'],
  ...['MEMORY', 'BLACKHOLE', 'FEDERATED', 'SPIDER', 'SEQUENCE', 'PERFORMANCE_SCHEMA'],
];

/** InnoDB's own files have names without a database. */
const IS_TABLE = "(NAME LIKE '%/%')";

export async function inspectServerFiles(session: Session): Promise<ServerFiles> {
  const [server] = await session.query(
    {
      hostname: '@@hostname',
      dataDirectory: '@@datadir',
      pageBytes: '@@innodb_page_size',
      // Both as of the beginning of the statement: the server's start itself, however clocks are set.
      startedAt: 'UNIX_TIMESTAMP() - s.VARIABLE_VALUE',
    },
    "FROM information_schema.GLOBAL_STATUS AS s WHERE s.VARIABLE_NAME = 'UPTIME'",
  );
  const spaces = await session.query(
    { name: 'NAME', file: 'FILENAME', bytes: 'FILE_SIZE', isTable: `${IS_TABLE} + 0` },
    'FROM information_schema.INNODB_SYS_TABLESPACES',
  );
  const others = await session.query(
    { name: "CONCAT(TABLE_SCHEMA, '.', TABLE_NAME, ' (', ENGINE, ')')" },
    `FROM information_schema.TABLES WHERE TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED', 'SEQUENCE')
       AND ENGINE IS NOT NULL AND ENGINE NOT IN (${list(COPIED)})`,
  );
  const [rest] = await session.query(
    { bytes: 'COALESCE(SUM(DATA_LENGTH + INDEX_LENGTH), 0)' },
    "FROM information_schema.TABLES WHERE TABLE_TYPE = 'BASE TABLE' AND ENGINE <> 'InnoDB'",
  );
  const dataDirectory = (server?.dataDirectory ?? '').replace(/(?<=.)\/+$/, '');
  const placed = spaces.map(({ name, file, bytes, isTable }) => ({
    name: name ?? '',
    path: below(dataDirectory, file ?? ''),
    bytes: Number(bytes),
    isTable: isTable === '1',
  }));
  return {
    hostname: server?.hostname ?? '',
    dataDirectory,
    pageBytes: Number(server?.pageBytes),
    startedAt: Number(server?.startedAt),
    lsn: await currentLsn(session),
    sizes: new Map(placed.flatMap(({ path, bytes }) => (path === undefined ? [] : [[path, bytes] as const]))),
    bytes: placed.reduce((sum, { bytes }) => sum + bytes, Number(rest?.bytes)),
    uncopied: others.map(({ name }) => name ?? ''),
    outside: placed.filter(({ path, isTable }) => isTable && path === undefined).map(({ name }) => name),
    encrypted: await encryptedTables(session),
  };
}

/** Where the server's redo log is. */
export async function currentLsn(session: Session): Promise<bigint | undefined> {
  const [row] = await session.query(
    { lsn: 'VARIABLE_VALUE' },
    "FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = 'INNODB_LSN_CURRENT'",
  );
  return row?.lsn === undefined || row.lsn === null ? undefined : BigInt(row.lsn);
}

async function encryptedTables(session: Session): Promise<readonly string[]> {
  const tables = await session.query(
    { name: 'NAME' },
    'FROM information_schema.INNODB_TABLESPACES_ENCRYPTION WHERE ENCRYPTION_SCHEME <> 0',
  );
  const [others] = await session.query({ log: '@@innodb_encrypt_log + 0', aria: '@@aria_encrypt_tables + 0' });
  return [
    ...tables.map(({ name }) => name ?? ''),
    ...(others?.log === '1' ? ['the redo log'] : []),
    ...(others?.aria === '1' ? ['tables of Aria'] : []),
  ];
}

/** The path below the data directory; undefined where the file lies elsewhere. */
function below(dataDirectory: string, file: string): string | undefined {
  if (file.startsWith(`${dataDirectory}/`)) return file.slice(dataDirectory.length + 1);
  return file.startsWith('/') ? undefined : file.replace(/^(?:\.\/+)+/, '');
}
