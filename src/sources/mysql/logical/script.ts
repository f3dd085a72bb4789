/** What stands around the statements of each file of a dump, so that it can be loaded by itself. */

/** Whatever the server's defaults are, the statements mean what they meant when they were dumped. */
const HEAD = Buffer.from(
  [
    'SET NAMES utf8mb4;',
    "SET time_zone = '+00:00';",
    // Days that no month has may be there: without the mode they would become zeros.
    "SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES';",
    // MariaDB alone lets rows be there that a CHECK forbids.
    'SET unique_checks = 0 /*M!100201 , check_constraint_checks = 0 */;',
    'SET foreign_key_checks = 0;',
    'SET sql_notes = 0;',
    '',
  ].join('\n'),
);

/** A whole script; the piece before the first statement is the same in all of them. */
export async function* script(
  content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  onBytes: (bytes: number) => void = () => undefined,
): AsyncGenerator<Uint8Array> {
  yield Buffer.from(HEAD);
  onBytes(HEAD.length);
  for await (const piece of content) {
    onBytes(piece.length);
    yield piece;
  }
}
