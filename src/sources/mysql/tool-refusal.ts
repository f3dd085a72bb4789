import { RespaldoError, type ErrorCode } from '../../errors.ts';

interface Meaning {
  readonly numbers: readonly number[];
  readonly code: ErrorCode;
  readonly hint: string;
}

/** What the servers' error numbers mean for us. */
const MEANINGS: readonly Meaning[] = [
  {
    numbers: [1045, 1698, 1130, 1251, 2059, 4151],
    code: 'source-refused',
    hint: 'Check user and password: MYSQL_PWD, ~/.my.cnf, the plan’s password, or the container’s own variables. The account’s host part must fit where the connection comes from.',
  },
  {
    numbers: [1044, 1142, 1143, 1227, 1370, 1419, 1449, 1410],
    code: 'source-refused',
    hint: 'The account lacks a privilege: for dumps GRANT SELECT, SHOW VIEW, TRIGGER, EVENT ON *.* TO it; a restore wants ALL ON the database, and SUPER (SET USER) for definers.',
  },
  {
    numbers: [1049, 1146, 1051],
    code: 'source-missing',
    hint: 'Check the name; it may have been dropped meanwhile: try again.',
  },
  {
    numbers: [1412],
    code: 'source-refused',
    hint: 'Somebody changed a table’s definition while it was dumped, and its old rows can no longer be read: try again.',
  },
  {
    numbers: [1205, 1213, 1099],
    code: 'source-refused',
    hint: 'Somebody holds locks for long: see SHOW PROCESSLIST, then try again.',
  },
  {
    numbers: [1114, 1021, 1041, 3, 28, 126, 1030],
    code: 'source-refused',
    hint: 'The server’s disk may be full, or a table damaged: see its log.',
  },
  {
    numbers: [1040, 1203, 1226],
    code: 'source-refused',
    hint: 'All connections are taken: raise max_connections, or try again.',
  },
  {
    numbers: [2013, 2006, 1053, 1317, 1927, 1077, 1927, 4031],
    code: 'source-lost',
    hint: 'The server went away, or ended the connection: see its log, then try again. Where it waits for a slow store, raise its net_write_timeout.',
  },
  {
    numbers: [2002, 2003, 2005],
    code: 'source-lost',
    hint: 'Is it running, and does it listen there (socket, port, bind-address)? `localhost` without a port is the socket; name another one by socket=/path in the address.',
  },
  {
    numbers: [2026],
    code: 'source-refused',
    hint: 'The encrypted connection could not be made: see sslmode, sslca, sslcert and sslkey in the address.',
  },
  { numbers: [1153, 1301], code: 'source-refused', hint: 'Raise the server’s max_allowed_packet.' },
];

/** What mysqldump finds out by itself means the same as this number. */
const REDEFINED = { words: /Error in field count/, number: 1412 };
/** Of the server: a disk that is full. */
const DISK_FULL = [1114, 1021, 28];

/** A failure of one of the client programs, as what it says of the server. */
export function explainTool(error: unknown, server: string): unknown {
  if (!(error instanceof RespaldoError) || error.code !== 'command-failed') return error;
  const said = essence(error.message);
  const number = numberIn(error.message);
  const meaning = MEANINGS.find(({ numbers }) => numbers.includes(number));
  const isFull = DISK_FULL.includes(number) || /No space left on device|is full/.test(error.message);
  const context = Number.isNaN(number) ? {} : { number, ...(isFull && { full: true }) };
  if (meaning !== undefined)
    return new RespaldoError(meaning.code, `${server}: ${said}`, { hint: meaning.hint, context, cause: error });
  return new RespaldoError(Number.isNaN(number) ? 'command-failed' : 'source-refused', `${server}: ${said}`, {
    hint: error.hint ?? 'See the server’s log.',
    context: { ...error.context, ...context },
    cause: error,
  });
}

function numberIn(message: string): number {
  if (REDEFINED.words.test(message)) return REDEFINED.number;
  return Number(/\bERROR (\d+)\b/.exec(message)?.[1] ?? /(?:error: |Error |\()(\d{4})\b/.exec(message)?.[1]);
}

/** The server's own words: what program and place in the script add says nothing here. */
function essence(message: string): string {
  const lines = message
    .split('\n')
    .filter((line) => line !== '' && !/\[Warning\]|^Warning:|^--------------$/i.test(line));
  const told =
    lines.findLast((line) => /\bERROR \d+|Got error|Error \d+|Couldn't|Unknown|error:/.test(line)) ?? lines.join(' ');
  return told
    .replace(/^.*?\bERROR (\d+)(?: \((\w+)\))?(?: at line \d+)?: /, '')
    .replace(/^.*?(?:mysqldump|mariadb-dump): /, '');
}
