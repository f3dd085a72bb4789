import { serverVersion, type Version } from '../product.ts';
import type { Session } from '../session.ts';
import { list, literal } from '../sql.ts';

/** What every server has for itself. */
export const SYSTEM: readonly string[] = ['information_schema', 'mysql', 'ndbinfo', 'performance_schema', 'sys'];
/** Engines whose rows `--single-transaction` holds still, and those that hold no rows of their own. */
const CONSISTENT = ['innodb', 'rocksdb', 'tokudb', 'xtradb'];
const WITHOUT_ROWS = ['merge', 'mrg_myisam', 'federated', 'connect', 'spider', 'blackhole', 'sequence', 'null'];

/** Whether a table of that engine has rows itself, and does not show those of others. */
export function hasOwnRows(engine: string): boolean {
  return !WITHOUT_ROWS.includes(engine.toLowerCase());
}

export interface ServerInventory {
  /** As it says it: `10.11.6-MariaDB-0+deb12u1-log`. */
  readonly said: string;
  readonly version: Version;
  readonly binaryLog: boolean;
  /** MySQL's identifiers of transactions are on. */
  readonly gtidMode: boolean;
  /** `'user'@'host'` that it takes us for. */
  readonly account: string;
  readonly grants: readonly string[];
  /** It was started without any events, and neither shows nor takes them. */
  readonly withoutEvents: boolean;
}

export interface DatabaseInventory {
  readonly name: string;
  readonly charset: string;
  readonly collation: string;
  /** Of its tables and indexes, about. */
  readonly bytes: number;
}

export interface TableInventory {
  readonly name: string;
  readonly kind: 'table' | 'sequence';
  readonly engine: string;
  /** The server's guess. */
  readonly rowEstimate: number;
  readonly bytes: number;
  /** One state of it is dumped, whoever writes to it. */
  readonly consistent: boolean;
  /** Its old rows are kept by the server, and are not dumped. */
  readonly versioned: boolean;
}

/** Something that has no rows. */
export interface ProgramInventory {
  readonly name: string;
  /** `user@host`; the one whose rights it has. */
  readonly definer: string;
}

export interface ContentInventory {
  readonly tables: readonly TableInventory[];
  readonly views: readonly ProgramInventory[];
  readonly routines: readonly (ProgramInventory & { readonly kind: 'function' | 'procedure' | 'package' })[];
  readonly triggers: readonly (ProgramInventory & { readonly table: string })[];
  readonly events: readonly ProgramInventory[];
  readonly collations: readonly string[];
  /** Tables with columns that the server computes. */
  readonly computed: readonly string[];
  /** Columns take numbers from sequences that they name with their database. */
  readonly namesItself: boolean;
}

export async function inspectServer(session: Session): Promise<ServerInventory> {
  const [row] = await session.query({
    said: '@@version',
    comment: '@@version_comment',
    log: '@@log_bin + 0',
    account: 'CURRENT_USER()',
    events: '@@event_scheduler',
  });
  const said = row?.said ?? '';
  const version = serverVersion(said, row?.comment ?? '');
  const [mode] = version.product === 'mysql' ? await session.show("SHOW GLOBAL VARIABLES LIKE 'gtid_mode'") : [];
  const grants = await session.show('SHOW GRANTS');
  return {
    said,
    version,
    binaryLog: row?.log === '1',
    gtidMode: mode?.[1] === 'ON',
    account: row?.account ?? '',
    grants: grants.map(([grant = '']) => grant),
    withoutEvents: row?.events === 'DISABLED',
  };
}

/** Those that are not the server's own, in the order of their names. */
export async function inspectDatabases(session: Session): Promise<readonly DatabaseInventory[]> {
  const rows = await session.query(
    {
      name: 's.SCHEMA_NAME',
      charset: 's.DEFAULT_CHARACTER_SET_NAME',
      collation: 's.DEFAULT_COLLATION_NAME',
      bytes: 'COALESCE(t.bytes, 0)',
    },
    `FROM information_schema.SCHEMATA AS s LEFT JOIN (SELECT TABLE_SCHEMA, SUM(DATA_LENGTH + INDEX_LENGTH) AS bytes
       FROM information_schema.TABLES WHERE TABLE_TYPE <> 'VIEW' GROUP BY TABLE_SCHEMA) AS t
       ON t.TABLE_SCHEMA = s.SCHEMA_NAME
     WHERE LOWER(s.SCHEMA_NAME) NOT IN (${list(SYSTEM)}) AND s.SCHEMA_NAME NOT LIKE '#mysql50#%'`,
  );
  return rows
    .map(({ name, charset, collation, bytes }) => ({
      name: name ?? '',
      charset: charset ?? '',
      collation: collation ?? '',
      bytes: Number(bytes),
    }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** What a database holds, without opening its rows. */
export async function inspectContent(session: Session, database: string): Promise<ContentInventory> {
  const of = (column: string): string => `WHERE ${column} = ${literal(database)}`;
  const tables = await session.query(
    {
      name: 'TABLE_NAME',
      type: 'TABLE_TYPE',
      engine: 'ENGINE',
      rows: 'TABLE_ROWS',
      bytes: 'COALESCE(DATA_LENGTH, 0) + COALESCE(INDEX_LENGTH, 0)',
      collation: 'TABLE_COLLATION',
    },
    `FROM information_schema.TABLES ${of('TABLE_SCHEMA')} AND TABLE_TYPE NOT LIKE '%VIEW%' AND TABLE_TYPE <> 'TEMPORARY' ORDER BY TABLE_NAME`,
  );
  const collations = await session.query(
    { name: 'COLLATION_NAME' },
    `FROM information_schema.COLUMNS ${of('TABLE_SCHEMA')} AND COLLATION_NAME IS NOT NULL GROUP BY COLLATION_NAME`,
  );
  const computed = await session.query(
    { name: 'TABLE_NAME' },
    `FROM information_schema.COLUMNS ${of('TABLE_SCHEMA')} AND GENERATION_EXPRESSION <> '' GROUP BY TABLE_NAME ORDER BY TABLE_NAME`,
  );
  const defaults = await session.query(
    { count: 'COUNT(*)' },
    `FROM information_schema.COLUMNS ${of('TABLE_SCHEMA')} AND COLUMN_DEFAULT LIKE 'nextval(%'`,
  );
  const views = await session.query(
    { name: 'TABLE_NAME', definer: 'DEFINER' },
    `FROM information_schema.VIEWS ${of('TABLE_SCHEMA')} ORDER BY TABLE_NAME`,
  );
  const routines = await session.query(
    { name: 'ROUTINE_NAME', definer: 'DEFINER', kind: 'LOWER(ROUTINE_TYPE)' },
    `FROM information_schema.ROUTINES ${of('ROUTINE_SCHEMA')} ORDER BY ROUTINE_TYPE, ROUTINE_NAME`,
  );
  const triggers = await session.query(
    { name: 'TRIGGER_NAME', definer: 'DEFINER', table: 'EVENT_OBJECT_TABLE' },
    `FROM information_schema.TRIGGERS ${of('TRIGGER_SCHEMA')} ORDER BY TRIGGER_NAME`,
  );
  const [scheduler] = await session.query({ state: '@@event_scheduler' });
  const events =
    scheduler?.state === 'DISABLED'
      ? []
      : await session.query(
          { name: 'EVENT_NAME', definer: 'DEFINER' },
          `FROM information_schema.EVENTS ${of('EVENT_SCHEMA')} ORDER BY EVENT_NAME`,
        );
  return {
    tables: tables.map(tableOf),
    views: views.map(programOf),
    routines: routines.map((row) => ({ ...programOf(row), kind: routineKind(row.kind) })),
    triggers: triggers.map((row) => ({ ...programOf(row), table: row.table ?? '' })),
    events: events.map(programOf),
    collations: [...new Set([...tables.map(({ collation }) => collation), ...collations.map(({ name }) => name)])]
      .filter((name) => name !== null)
      .toSorted(),
    computed: computed.map(({ name }) => name ?? ''),
    namesItself: Number(defaults[0]?.count) > 0,
  };
}

type TableRow = Readonly<Record<'name' | 'type' | 'engine' | 'rows' | 'bytes', string | null>>;

function tableOf({ name, type, engine, rows, bytes }: TableRow): TableInventory {
  const lower = (engine ?? '').toLowerCase();
  return {
    name: name ?? '',
    kind: type === 'SEQUENCE' ? 'sequence' : 'table',
    engine: engine ?? '',
    rowEstimate: Number(rows ?? 0),
    bytes: Number(bytes),
    consistent: CONSISTENT.includes(lower) || !hasOwnRows(lower),
    versioned: type === 'SYSTEM VERSIONED',
  };
}

function programOf({ name, definer }: Readonly<Record<'name' | 'definer', string | null>>): ProgramInventory {
  return { name: name ?? '', definer: definer ?? '' };
}

function routineKind(kind: string | null): 'function' | 'procedure' | 'package' {
  return kind === 'function' || kind === 'procedure' ? kind : 'package';
}
