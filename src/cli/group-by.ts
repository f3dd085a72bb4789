import { InvalidArgumentError } from 'commander';
import { type GroupBy, parseGroupBy } from '../domain/snapshot-group.ts';

/** For options that say what snapshots must have in common to be treated together. */
export function groupBy(text: string): GroupBy {
  const parsed = parseGroupBy(text);
  if (parsed !== undefined) return parsed;
  throw new InvalidArgumentError('Write it as host,paths,tags or fewer of them.');
}
