import type { RestoredItem } from '../../repository/repository.ts';
import type { Output } from '../output.ts';
import { quoted } from '../printable.ts';
import { formatBytes } from '../units.ts';

/** Whether anybody sees what became of each entry: under `-vv`; in a dry run, which is for looking, under `-v`. */
export function tellsRestoredItems({ mode }: Output, dryRun: boolean): boolean {
  return !(mode.quiet && !mode.json) && mode.verbosity >= (dryRun ? 1 : 2);
}

/** As restic's `verbose_status`, or as `restored  /etc/hosts (1.2 KiB)`. */
export function tellRestoredItem({ path, action, size }: RestoredItem, output: Output): void {
  output.json({ message_type: 'verbose_status', action, item: path, size: size ?? 0 });
  const bytes = size === undefined ? '' : ` (${formatBytes(size, 1)})`;
  output.note(`${action.padEnd(9)} ${quoted(path)}${bytes}`);
}
