import type { Command } from 'commander';
import type { Repository } from '../../repository/repository.ts';
import { addFromOptions, type FromOptions, withSource } from '../from-repository.ts';
import { describe, REPOSITORY_EXITS } from '../help.ts';
import type { Invocation } from '../invocation.ts';
import { addSelectOptions, filterOf, type SelectOptions } from '../select.ts';
import { withRepository } from '../session.ts';
import { count, formatBytes } from '../units.ts';
import { shortId, snapshotTitle } from '../views/snapshot.ts';

type Options = SelectOptions & FromOptions;

export function define(command: Command, invocation: Invocation): void {
  describe(command, {
    about:
      'What the repository has already is not copied again, nor are snapshots that were copied before. Each copy ' +
      'remembers the id that it came from. Content is verified, and sealed with the key of the repository here. ' +
      'Folders that both repositories back up share their space if this one was made with --copy-chunker-params.',
    examples: [
      ['respaldo copy --from-repo /srv/backup', 'all snapshots that are not here yet'],
      ['respaldo copy --from-repo /srv/backup --host web1 latest', 'the newest of a host'],
    ],
    exits: [...REPOSITORY_EXITS],
  }).argument('[id...]', 'only these snapshots of the source: ids, their beginnings, or latest');
  addSelectOptions(addFromOptions(command)).action((ids: string[], options: Options) =>
    withRepository(invocation, (target) =>
      withSource(invocation, options, (source) => copy(source, target, ids, options, invocation)),
    ),
  );
}

async function copy(
  source: Repository,
  target: Repository,
  ids: readonly string[],
  options: Options,
  { output, signal }: Invocation,
): Promise<void> {
  const summary = await target.copyFrom(
    source,
    filterOf(options, ids),
    {
      onCopied: (snapshot, id) => {
        output.json({ message_type: 'copied', source_snapshot_id: snapshot.id, snapshot_id: id });
        output.note(`copied ${snapshotTitle(snapshot)}: it is ${shortId(id)} here`);
      },
      onSkipped: (snapshot, { id }) =>
        output.detail(`snapshot ${shortId(snapshot.id)} is here already: it is ${shortId(id)}`),
    },
    signal,
  );
  const { copied, skipped, blobs, bytes } = summary;
  output.json({ message_type: 'summary', ...summary });
  output.note(
    `copied ${count(copied, 'snapshot')}, with ${count(blobs, 'new blob')} of ${formatBytes(bytes)}; ` +
      `${skipped.toLocaleString('en-US')} were here already`,
  );
}
