import { dirname, resolve } from 'node:path';

/** A captured configuration file with the path that it had on the server. */
export interface ConfigurationFile {
  readonly original: string;
  readonly text: string;
}

/** They say where the original's files lie; the copy has its own in its data directory. */
const PLACES = new Set(['data_directory', 'hba_file', 'ident_file', 'external_pid_file', 'stats_temp_directory']);
/** Without what they name, the server would not start. */
const NEEDED_PATHS = new Set([
  'ssl_cert_file',
  'ssl_key_file',
  'ssl_ca_file',
  'ssl_crl_file',
  'ssl_crl_dir',
  'ssl_dh_params_file',
  'krb_server_keyfile',
  'unix_socket_directories',
]);
const INCLUDES = new Set(['include', 'include_if_exists', 'include_dir']);
const SETTING = /^\s*([A-Za-z_][\w.]*)(?:\s*=\s*|\s+)('(?:[^']|'')*'|[^\s#']+)/;

/**
 * A `postgresql.conf` for a copy that lives in its own folder, perhaps on another machine: one file with the included
 * ones in place, and without the lines that lead to where the original was. Such lines stay as comments.
 *
 * @param exists whether a path exists on this machine.
 */
export function adaptConfiguration(
  main: ConfigurationFile,
  included: readonly ConfigurationFile[],
  exists: (path: string) => boolean,
): string {
  const lines = flatten(main, included, new Set());
  const missing = lines.some((line) => /^ssl_(cert|key)_file$/.test(line.name) && !isThere(line, exists));
  const isDropped = (line: Line): boolean =>
    PLACES.has(line.name) ||
    (NEEDED_PATHS.has(line.name) && !isThere(line, exists)) ||
    (line.name === 'ssl' && missing);
  return lines.map((line) => (isDropped(line) ? `# left out at restore: ${line.text}\n` : `${line.text}\n`)).join('');
}

/** The value that counts where a setting stands several times: the last. Undefined if it is not set. */
export function settingOf(text: string, name: string): string | undefined {
  return text
    .split('\n')
    .map(parseLine)
    .findLast((line) => line.name === name)?.value;
}

interface Line {
  readonly text: string;
  /** In lower case; empty for comments and blank lines. */
  readonly name: string;
  readonly value: string;
}

function flatten(file: ConfigurationFile, all: readonly ConfigurationFile[], above: ReadonlySet<string>): Line[] {
  const within = new Set([...above, file.original]);
  return file.text.split('\n').flatMap((text) => {
    const line = parseLine(text);
    if (!INCLUDES.has(line.name)) return [line];
    const found = all.filter((other) => !within.has(other.original) && isIncluded(other.original, line, file.original));
    return [comment(`# was: ${text.trim()}`), ...found.flatMap((other) => flatten(other, all, within))];
  });
}

function isIncluded(path: string, include: Line, from: string): boolean {
  const named = resolve(dirname(from), include.value);
  return include.name === 'include_dir' ? dirname(path) === named : path === named;
}

function parseLine(text: string): Line {
  const [, name = '', raw = ''] = SETTING.exec(text) ?? [];
  const value = raw.startsWith("'") ? raw.slice(1, -1).replaceAll("''", "'") : raw;
  return { text, name: name.toLowerCase(), value };
}

function comment(text: string): Line {
  return { text, name: '', value: '' };
}

/** Relative paths are meant from the data directory, and came with it. */
function isThere({ value }: Line, exists: (path: string) => boolean): boolean {
  return value.split(',').every((path) => !path.trim().startsWith('/') || exists(path.trim()));
}
