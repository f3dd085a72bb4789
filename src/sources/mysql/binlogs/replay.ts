/** Replays a stored log on a running server, by the server's own programs. */
import { randomBytes } from 'node:crypto';
import { RespaldoError } from '../../../errors.ts';
import type { Toolbox } from '../toolbox.ts';
import { MAGIC, EVENT } from './event.ts';
import { storedEvents } from './log-reader.ts';
import { Replayed } from './replayed.ts';
import type { Replay } from './replay-plan.ts';
import { Transactions } from './transactions.ts';
import { compare } from './walk.ts';

/** What the program that reads logs ends its text with. */
const END_OF_LOG = '# End of log file';
const TAIL_BYTES = 4096;

const CLIENT = [
  ...['--batch', '--skip-column-names', '--binary-mode', '--skip-reconnect', '--no-auto-rehash'],
  '--max-allowed-packet=1G',
];

/**
 * The log goes from us through the program that makes SQL of it to the client. All of it has to be confirmed: that the
 * program has read the log to its end, that the client has said everything and nothing failed, and where the server
 * tells it, which transaction was the last.
 */
export async function replay(plan: Replay, tools: Toolbox): Promise<void> {
  if (plan.shown.transactions === 0) return;
  const mark = randomBytes(16).toString('hex');
  let answer = '';
  try {
    for await (const piece of tools.run({ role: 'client', args: CLIENT, stdin: script(plan, tools, mark) }))
      answer = (answer + Buffer.from(piece).toString('latin1')).slice(-TAIL_BYTES);
  } catch (error) {
    throw explained(error, plan);
  }
  const [, last] = new RegExp(`${mark}\\t(\\S*)`).exec(answer) ?? [];
  if (last === undefined) throw explained(new Error('the client ended before it had said everything'), plan);
  if (/^\d+-\d+-\d+$/.test(last) && plan.lastGtid !== undefined && last !== plan.lastGtid)
    throw explained(new Error(`the last transaction is ${last}, and should be ${plan.lastGtid}`), plan);
}

async function* script(plan: Replay, tools: Toolbox, mark: string): AsyncGenerator<Uint8Array> {
  const { version } = await tools.program('binlog');
  // MySQL leaves out what it has seen before, by its identifier: on the server that wrote the log that would be all of it.
  const { renamed } = plan.scope;
  const args = [
    ...(version.product === 'mysql' ? ['--skip-gtids=true'] : []),
    ...(renamed === undefined ? [] : [`--rewrite-db=${renamed.from}->${renamed.to}`]),
    '-',
  ];
  let tail = '';
  for await (const piece of tools.run({ role: 'binlog', args, stdin: chosenEvents(plan), offline: true })) {
    tail = (tail + Buffer.from(piece).toString('latin1')).slice(-TAIL_BYTES);
    yield piece;
  }
  if (!tail.includes(END_OF_LOG))
    throw new RespaldoError('command-failed', 'the program that reads binary logs has not read it to its end');
  const isMaria = version.product === 'mariadb';
  yield Buffer.from(`\nDELIMITER ;\nSELECT '${mark}', ${isMaria ? '@@last_gtid' : "''"};\n`);
}

/** A log of its own: the format of each file, and the transactions from the base's position to the moment. */
async function* chosenEvents({ walk, from, to, scope }: Replay): AsyncGenerator<Uint8Array> {
  const transactions = new Transactions();
  const chosen = new Replayed(scope);
  let isBegun = false;
  for await (const placed of storedEvents(walk)) {
    const { file, event } = placed;
    if (compare({ file, offset: placed.to }, to) > 0) break;
    if (compare({ file, offset: placed.from }, from) < 0) continue;
    if (!isBegun) {
      yield MAGIC;
      if (event.type !== EVENT.format) yield placed.format;
      isBegun = true;
    }
    const step = transactions.take(event);
    for (const { bytes } of chosen.take(placed, step)) yield bytes;
  }
  if (!isBegun) yield MAGIC;
}

function explained(error: unknown, { shown }: Replay): unknown {
  if (error instanceof RespaldoError && error.code === 'cancelled') return error;
  const said = error instanceof Error ? error.message : String(error);
  const code = error instanceof RespaldoError ? error.code : 'command-failed';
  return new RespaldoError(
    code,
    `the replay of the binary log from ${shown.from} to ${shown.to} stopped in the middle: ${said}`,
    {
      hint: 'The databases are somewhere between the base and the moment: do not use them. What they have replaced is kept under another name. Mend what the message says, and restore again.',
      cause: error,
    },
  );
}
