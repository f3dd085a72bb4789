/** Arguments of somebody's own for the dump program. Pure. */
import { RespaldoError } from '../../../errors.ts';

/** Options that change nothing, because a dump is always so: old scripts have them. */
const ALWAYS = [
  ...['--single-transaction', '--quick', '-q', '--routines', '-R', '--triggers', '--events', '-E', '--hex-blob'],
  ...['--skip-dump-date', '--opt', '--skip-lock-tables', '--no-tablespaces', '-y', '--create-options', '-a'],
  ...['--quote-names', '-Q', '--set-charset', '--tz-utc', '--comments', '-i', '--extended-insert', '-e'],
  ...[
    '--add-drop-table',
    '--disable-keys',
    '-K',
    '--skip-add-locks',
    '--column-statistics=0',
    '--skip-column-statistics',
  ],
  ...['--set-gtid-purged=OFF', '--default-character-set=utf8mb4'],
];
/** Options that are passed on: what they do neither hides the dump's end nor sends it elsewhere. */
const ALLOWED = [
  ...['--complete-insert', '-c', '--skip-extended-insert', '--order-by-primary', '--compress', '-C'],
  ...['--add-locks', '--skip-disable-keys', '--lock-all-tables', '-x', '--no-autocommit', '--flush-logs', '-F'],
];
/** The same, with a value. */
const ALLOWED_VALUES = /^--(?:ignore-table|ignore-table-data|max-allowed-packet|net-buffer-length)=./s;

const WHY: readonly { readonly option: RegExp; readonly why: string }[] = [
  { option: /^(?:--result|-r|--tab|-T|--dir|--tee)/, why: 'it sends the dump elsewhere' },
  {
    option: /^(?:--password|-p|--user|-u|--host|-h|--port|-P|--socket|-S|--protocol|--ssl|--login-path|--defaults)/,
    why: 'the address says where the server is and who logs in',
  },
  { option: /^(?:--compact|--skip-comments|--comments=|--xml|-X)/, why: 'it hides the mark at the dump’s end' },
  { option: /^(?:--force|-f)/, why: 'it goes on after errors, and a dump with holes is no backup' },
  { option: /^(?:--databases|-B|--all-databases|-A|--tables)/, why: 'the address says which databases are dumped' },
  {
    option: /^(?:--no-data|-d|--where|-w|--no-create|-n|-t|--skip-(?:routines|triggers|events))/,
    why: 'it leaves out what a restore needs',
  },
];

/**
 * @param given such as `['--complete-insert']`.
 * @returns those that the program is to be given.
 * @throws RespaldoError `usage` for what would make the dump something else.
 */
export function extraArguments(given: readonly string[]): readonly string[] {
  return given
    .map((argument) => argument.replace(/^--[^=]*/, (name) => name.replaceAll('_', '-')))
    .filter((argument) => {
      if (ALWAYS.includes(argument)) return false;
      if (ALLOWED.includes(argument) || ALLOWED_VALUES.test(argument)) return true;
      throw refused(argument);
    });
}

function refused(argument: string): RespaldoError {
  // A value may be a secret.
  const name = argument.startsWith('--') ? argument.replace(/=.*$/s, '') : argument.slice(0, 2);
  const why = WHY.find(({ option }) => option.test(argument))?.why;
  return new RespaldoError('usage', `the dump program is not given ${name}${why === undefined ? '' : `: ${why}`}`, {
    hint: `Leave it out. Known extra arguments are: ${[...ALLOWED, '--ignore-table=database.table', '--ignore-table-data=…', '--max-allowed-packet=…', '--net-buffer-length=…'].join(', ')}.`,
  });
}
