import type { Command } from 'commander';
import { listCaches, removeOldCaches } from '../../compose.ts';
import { RespaldoError } from '../../errors.ts';
import { describe } from '../help.ts';
import type { Invocation } from '../invocation.ts';
import { positive } from '../number.ts';
import { quoted } from '../printable.ts';
import { surroundings } from '../session.ts';
import { renderTable } from '../table.ts';
import { count, formatBytes, formatTime } from '../units.ts';

interface Options {
  readonly cleanup?: boolean;
  readonly maxAge: number;
}

/** As restic has it. */
const MAX_AGE_DAYS = 30;

export function define(command: Command, invocation: Invocation): void {
  describe(command, {
    about:
      'Of repositories on servers, indexes, snapshots and packs of trees are kept on this machine, encrypted as they ' +
      'are there. It is safe to delete them at any time: they are read again. Those that nobody used for 30 days go ' +
      'by themselves.',
    examples: [
      ['respaldo cache', 'what is kept, of which repository'],
      ['respaldo cache --cleanup --max-age 7', 'remove what nobody used for a week'],
    ],
  })
    .option('--cleanup', 'remove old ones')
    .option('--max-age <days>', 'days without use after which one is old', positive, MAX_AGE_DAYS)
    .action((options: Options) => run(options, invocation));
}

async function run({ cleanup = false, maxAge }: Options, invocation: Invocation): Promise<void> {
  const { workingDirectory } = await surroundings(invocation);
  const { chooseCache } = await import('../../config/cache.ts');
  const folder = chooseCache({ flags: invocation.globals, env: process.env, workingDirectory });
  if (folder === undefined)
    throw new RespaldoError('usage', 'there is no cache with --no-cache', { hint: 'Leave --no-cache out.' });
  await (cleanup ? clean(folder, maxAge, invocation) : list(folder, invocation));
}

async function clean(folder: string, days: number, { output }: Invocation): Promise<void> {
  const removed = await removeOldCaches(folder, days);
  output.json({ message_type: 'cleanup', folder, removed });
  output.result(removed.length === 0 ? 'no cache is that old' : `removed ${count(removed.length, 'cache')}`);
}

async function list(folder: string, { output }: Invocation): Promise<void> {
  const caches = await listCaches(folder);
  output.json(caches.map(({ repositoryId, usedAt, size }) => ({ id: repositoryId, last_used: usedAt, size })));
  const rows = caches.map(({ repositoryId, usedAt, size }) => [
    repositoryId.slice(0, 10),
    formatTime(usedAt),
    formatBytes(size, 1),
  ]);
  const table = renderTable([{ title: 'Repository' }, { title: 'Last used' }, { title: 'Size', align: 'right' }], rows);
  if (rows.length > 0) output.result(table);
  output.note(`${count(rows.length, 'cache')} in ${quoted(folder)}`);
}
