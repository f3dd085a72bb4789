import type { SavedItem } from '../../repository/repository.ts';
import type { Output } from '../output.ts';
import { quoted } from '../printable.ts';
import { formatBytes } from '../units.ts';

/** People see each entry under `-vv`; programs, as restic has it, under `-v`. */
const LEVEL = { people: 2, programs: 1 } as const;

/** Whether anybody sees what became of each entry: it costs something to tell. */
export function tellsItems({ mode }: Output): boolean {
  return mode.json ? mode.verbosity >= LEVEL.programs : !mode.quiet && mode.verbosity >= LEVEL.people;
}

export function tellItem(item: SavedItem, output: Output): void {
  output.json(itemMessage(item));
  output.detail(itemLine(item), LEVEL.people);
}

/** restic's `verbose_status`, and its `excluded_item`. */
function itemMessage({ path, action, added, milliseconds }: SavedItem): Record<string, unknown> {
  if (action === 'excluded') return { message_type: 'excluded_item', item: path };
  const isFolder = path.endsWith('/');
  return {
    message_type: 'verbose_status',
    action,
    item: path,
    duration: milliseconds / 1000,
    data_size: isFolder ? 0 : added.bytes,
    data_size_in_repo: isFolder ? 0 : added.stored,
    metadata_size: isFolder ? added.bytes : 0,
    metadata_size_in_repo: isFolder ? added.stored : 0,
    total_files: 0,
  };
}

/** `new       /etc/hosts, 1.2 KiB added (512 B stored)` */
function itemLine({ path, action, added }: SavedItem): string {
  const what = `${action.padEnd(9)} ${quoted(path)}`;
  if (action !== 'new' && action !== 'modified') return what;
  return `${what}, ${formatBytes(added.bytes, 1)} added (${formatBytes(added.stored, 1)} stored)`;
}
