/** What tar writes, and how it ended: its exit code says of a whole archive, too, that a file changed meanwhile. */
import { RespaldoError } from '../../errors.ts';
import type { Runtime } from '../../runtimes/runtime.ts';

/** How tar ended. */
export interface TarEnd {
  readonly code: number;
  /** Its last words, a line for each file. */
  readonly said: string;
}

/**
 * Runs the program that its arguments are, and writes a zero, its last words and its exit code behind its output: of a program
 * that fails a runtime need not hand out all of the output.
 */
const SCRIPT = `exec 3>&1; said=$({ "$@" 2>&1 >&3 3>&-; echo "exit $?"; } | tail -c 8000); printf '\\000%s' "$said"`;
/** Its words are read here, so they have to be English; names are bytes, which no locale may translate. */
export const TAR_LOCALE = { LC_ALL: 'C.UTF-8' };
/** Two blocks of zeros end an archive. */
const TRAILER = 1024;
/** More than those words have, and the zeros before them. */
const HELD = 10_000;

/**
 * An archive as tar writes it, to its end. Nobody looks at a piece any more once it has been handed out.
 * @param args of tar
 * @throws RespaldoError `source-lost` if the archive has no end, `command-failed` if tar could not make one
 */
export async function* tarOutput(
  args: readonly string[],
  stdin: AsyncIterable<Uint8Array>,
  runtime: Runtime,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, TarEnd> {
  let held: Buffer = Buffer.alloc(0);
  const argv = ['sh', '-c', SCRIPT, 'sh', 'tar', ...args] as const;
  for await (const piece of runtime.run({ argv: [...argv], stdin, env: TAR_LOCALE }, signal)) {
    if (piece.length > HELD) {
      // Handed on whole, when it is known not to be the last.
      if (held.length > 0) yield held;
      held = Buffer.from(piece.buffer, piece.byteOffset, piece.length);
      continue;
    }
    const all = Buffer.concat([held, piece]);
    const sure = Math.max(0, all.length - HELD);
    held = Buffer.from(all.subarray(sure));
    if (sure > 0) yield all.subarray(0, sure);
  }
  // The words hold no zeros: behind the last one is nothing of what is archived, wherever that broke off.
  const end = Math.max(0, held.lastIndexOf(0));
  const [, said = '', code] = /^([^]*)exit (\d+)$/.exec(held.toString('utf8', end + 1)) ?? [];
  const isWhole = end >= TRAILER && held.subarray(end - TRAILER, end).every((byte) => byte === 0);
  if (code === undefined || (isWhole ? Number(code) > 2 : Number(code) === 0)) throw cutShort(said);
  if (!isWhole || /is not recoverable/.test(said))
    throw new RespaldoError('command-failed', `tar failed with exit code ${code}:\n${said.trim()}`);
  yield held.subarray(0, end);
  return { code: Number(code), said };
}

function cutShort(said: string): RespaldoError {
  return new RespaldoError(
    'source-lost',
    `the archive was cut short: its end is missing${said === '' ? '' : `\n${said.trim()}`}`,
    {
      hint: 'Nothing was stored. Try again.',
    },
  );
}
