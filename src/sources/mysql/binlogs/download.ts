/** Reads a server's log by its own client program, as bytes. */
import { randomInt } from 'node:crypto';
import type { Toolbox } from '../toolbox.ts';
import { followersOf } from './file-name.ts';
import { explainBinlog } from './refusal.ts';
import type { LogPosition } from './reader.ts';

/**
 * The program can only write raw logs into files that it names itself. So they are links to its output, in a folder that
 * is gone afterwards, and nothing touches a disk. Its output is made a pipe, because a socket cannot be opened by name.
 * Arguments: the number of links, their names, then the program and its arguments, in which FOLDER stands for the folder.
 */
const SCRIPT = `
d=$(mktemp -d) || exit 1
trap 'rm -rf "$d"' EXIT
trap 'exit 143' TERM INT HUP PIPE
n=$1; shift
while [ "$n" -gt 0 ]; do ln -s /dev/stdout "$d/$1" || exit 1; shift; n=$((n-1)); done
prefix=$1; shift
{ "$@" "$prefix$d/" ; echo $? > "$d/.exit" ; } | cat
exit "$(cat "$d/.exit")"
`;

/** Files that a stream goes through until it has to be begun anew. */
const AHEAD = 100;
/** The server ends the stream of a replica whose number another one uses. */
const OUR_NUMBERS = [3_000_000_000, 4_000_000_000] as const;

/** What lies in these files, one after the other, the first from an event on. @throws RespaldoError as the toolbox, explained */
export function downloadFiles(
  tools: Toolbox,
  start: LogPosition,
  files: readonly string[],
): AsyncGenerator<Uint8Array> {
  return download(tools, files, [`--start-position=${String(Math.max(start.offset, 4))}`], files);
}

/** One stretch of a file. */
export function downloadStretch(tools: Toolbox, file: string, from: number, to: number): AsyncGenerator<Uint8Array> {
  return download(tools, [file], [`--start-position=${String(from)}`, `--stop-position=${String(to)}`], [file]);
}

/** Everything from an event on, and what the server is going to write: ends only by an error, or by being left. */
export async function downloadForever(tools: Toolbox, start: LogPosition): Promise<AsyncGenerator<Uint8Array>> {
  const { version } = await tools.program('binlog');
  const number = randomInt(...OUR_NUMBERS);
  const who =
    version.product === 'mysql'
      ? `--connection-server-id=${String(number)}`
      : `--stop-never-slave-server-id=${String(number)}`;
  const names = [start.file, ...followersOf(start.file, AHEAD)];
  return download(
    tools,
    names,
    ['--stop-never', who, `--start-position=${String(Math.max(start.offset, 4))}`],
    [start.file],
  );
}

/** How many files a stream may go through, the first included. */
export const MOST_FILES = AHEAD;

async function* download(
  tools: Toolbox,
  links: readonly string[],
  options: readonly string[],
  files: readonly string[],
): AsyncGenerator<Uint8Array> {
  const args = ['--raw', '--read-from-remote-server', ...options, ...files];
  const wrap = (argv: readonly string[]): readonly [string, ...string[]] => [
    ...(['sh', '-c', SCRIPT, 'sh'] as const),
    ...[String(links.length), ...links, '--result-file=', ...argv],
  ];
  try {
    yield* tools.run({ role: 'binlog', args, wrap });
  } catch (error) {
    throw explainBinlog(error, tools.server);
  }
}
