import type { Command } from 'commander';
import { openBareStoreAt } from '../../compose.ts';
import { doctorStore } from '../../operations/doctor-store.ts';
import { describe } from '../help.ts';
import type { Invocation } from '../invocation.ts';
import { harmless } from '../printable.ts';
import { placeFor } from '../session.ts';
import { diagnosisMessage, observationLines } from '../views/doctor.ts';

export function define(command: Command, invocation: Invocation): void {
  describe(command, {
    about: 'For a new place, before anything depends on it, and for an old one that behaves strangely.',
    examples: [
      ['respaldo doctor store', 'the one of the repository that is meant here'],
      ['respaldo doctor store s3:https://host/bucket', 'another one'],
    ],
  });
  describe(command.command('store').description('Try whether a store can keep a repository'), {
    about:
      'Writes, reads, lists and removes through two connections in a folder of its own, respaldo/doctor-…, and ' +
      'removes it again; a repository that lies there is not touched. Says what it found, and what to set. The ' +
      'folder or bucket must be there; a password is not asked for.',
    examples: [
      ['respaldo doctor store /mnt/usb', 'a folder'],
      ['respaldo doctor store sftp:user@host:/srv/backups', 'one of a server'],
      ['respaldo doctor store s3:https://host/bucket/folder', 'a bucket'],
      ['respaldo doctor store --json | jq .fit', 'for a script'],
    ],
    exits: [130],
  })
    .argument('[location]', 'a folder, sftp:…, s3:…, or a name in respaldo.yaml; default: the repository that is meant')
    .action((location: string | undefined) => store(location, invocation));
}

async function store(location: string | undefined, invocation: Invocation): Promise<void> {
  const { output, clock, signal, exit } = invocation;
  const { place, workingDirectory } = await placeFor(invocation, location);
  output.note(`trying ${harmless(place.name ?? place.url)}`);
  const diagnosis = await doctorStore(
    {
      open: () => openBareStoreAt(place, workingDirectory),
      clock,
      onObservation: (observation) => {
        for (const line of observationLines(observation, output)) output.result(line);
      },
    },
    signal,
  );
  output.json(diagnosisMessage(diagnosis));
  if (diagnosis.fit) {
    output.note(output.style('green', 'a repository can be kept there'));
    return;
  }
  exit(1);
  output.alarm('a repository cannot be kept there safely');
  output.jsonError({ message_type: 'exit_error', code: 1, message: 'a repository cannot be kept there safely' });
}
