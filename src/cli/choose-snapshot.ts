import type { Snapshot } from '../domain/snapshot.ts';
import { RespaldoError } from '../errors.ts';
import type { Repository } from '../repository/repository.ts';
import type { Invocation } from './invocation.ts';
import { askText, canAsk, choose, notRestored } from './prompt.ts';
import { filterOf, parseReference, type SelectOptions, type SnapshotReference } from './select.ts';
import { snapshotChoices } from './views/snapshot-choice.ts';

/** The snapshot that a command means: named, or chosen from a list by whoever sits at the terminal. */
export interface ChosenSnapshot extends Omit<SnapshotReference, 'snapshot'> {
  readonly snapshot: Snapshot;
}

/** @throws RespaldoError `usage` if none is named and nobody can be asked: before anything is opened. */
export function requireReference(reference: string | undefined, { output }: Invocation): void {
  if (reference === undefined && !canAsk(output))
    throw new RespaldoError('usage', 'nothing to restore: no snapshot is named', {
      hint: 'Name one: respaldo restore latest --target ./restored. `respaldo snapshots` lists them.',
    });
}

/** @throws RespaldoError `snapshot-missing`, `cancelled` */
export async function findOrChoose(
  repository: Repository,
  reference: string | undefined,
  options: SelectOptions,
  { clock, signal }: Invocation,
): Promise<ChosenSnapshot> {
  const filter = filterOf(options);
  if (reference !== undefined) {
    const { snapshot, ...rest } = parseReference(reference);
    return { ...rest, snapshot: await repository.find(snapshot, filter, signal) };
  }
  const newestFirst = (await repository.snapshots(filter, signal)).toReversed();
  if (newestFirst.length === 0)
    throw new RespaldoError('snapshot-missing', 'there is no snapshot to choose from', {
      hint: '`respaldo snapshots` lists what there is; --host, --tag and --path leave some of it out.',
    });
  const labels = snapshotChoices(newestFirst, clock.now());
  return {
    snapshot: await choose(
      'What is to be restored?',
      newestFirst.map((value, i) => ({ value, label: labels[i] ?? '' })),
      signal,
    ),
  };
}

/** A folder, or the address of a server. */
export type Place = { readonly folder: string } | { readonly address: string };

/** @throws RespaldoError `cancelled` */
export async function askPlace(signal: AbortSignal): Promise<Place> {
  const question = 'Where to? A folder such as ./restored, or, for dumps, a server: postgresql://user@host/database';
  const answer = (await askText(question, signal)).trim();
  if (answer === '') throw notRestored();
  return /^\w+:\/\//.test(answer) ? { address: answer } : { folder: answer };
}
