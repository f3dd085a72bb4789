import { randomBytes } from 'node:crypto';
import { RespaldoError } from '../../../errors.ts';
import type { Toolbox } from '../toolbox.ts';

/** `--binary-mode`: nothing that somebody hid in a dump is a command to the client. */
const ARGS = [
  ...['--batch', '--skip-column-names', '--binary-mode', '--skip-reconnect', '--no-auto-rehash'],
  ...['--default-character-set=utf8mb4', '--max-allowed-packet=1G', '--comments'],
];

/** Runs a script that ends with the first error; returns when the server has carried it all out. */
export async function loadSql(tools: Toolbox, database: string, script: AsyncIterable<Uint8Array>): Promise<void> {
  const mark = randomBytes(16).toString('hex');
  let tail = '';
  const args = [...ARGS, `--database=${database}`];
  for await (const piece of tools.run({ role: 'client', args, stdin: marked(script, mark) }))
    tail = (tail + Buffer.from(piece).toString('latin1')).slice(-2 * mark.length);
  if (!tail.includes(mark))
    throw new RespaldoError('source-lost', `${tools.server}: the client ended before it had read the whole dump`, {
      hint: 'Nothing was put in place. Try again.',
    });
}

/** MariaDB alone lets rows be there that a CHECK forbids: they may be older than it. */
const HEAD = 'SET NAMES utf8mb4;\nSET sql_notes = 0 /*M!100201 , check_constraint_checks = 0 */;\n';

/** Text is UTF-8 before a script says so, whatever program reads it. With proof of having been read to its end: of a statement without one, it would be a part. */
async function* marked(script: AsyncIterable<Uint8Array>, mark: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(HEAD);
  yield* script;
  yield Buffer.from(`\nDELIMITER ;\nSELECT '${mark}';\n`);
}
