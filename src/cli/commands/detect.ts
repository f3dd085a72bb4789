import type { Command } from 'commander';
import { backupCandidates, type Detection } from '../../domain/detection.ts';
import { shellWord } from '../../domain/shell-word.ts';
import { describe } from '../help.ts';
import type { Invocation } from '../invocation.ts';
import { lookAround } from '../look-around.ts';
import { harmless } from '../printable.ts';
import { addRuntimeOptions, runtimeScope, type RuntimeOptions } from '../runtime-options.ts';
import { backupCommand, detectionMessage, detectionTable, unseenLine } from '../views/detection.ts';

export function define(command: Command, invocation: Invocation): void {
  const described = describe(command, {
    about:
      'Looks for PostgreSQL, MySQL, MariaDB, Redis and Valkey on this host, in the containers of Docker or Podman, and in the pods ' +
      'of the cluster that the kubeconfig means, and says why it takes something for a database. Nothing is run there, and nobody logs ' +
      'in. What cannot be looked at is told; with --runtime it is an error.',
    examples: [
      ['respaldo detect', 'everywhere'],
      ['respaldo detect --runtime docker', 'in containers alone'],
      ['respaldo detect --runtime kubernetes --labels app=postgres', 'in pods with a label'],
      ['respaldo detect --json | jq -r ".servers[].name"', 'for a script'],
    ],
    exits: [130],
  });
  addRuntimeOptions(described).action((options: RuntimeOptions) => run(options, invocation));
}

async function run(options: RuntimeOptions, invocation: Invocation): Promise<void> {
  const found = await lookAround(runtimeScope(options), invocation);
  invocation.output.json(detectionMessage(found));
  show(found, invocation);
}

function show({ servers, unseen }: Detection, { output }: Invocation): void {
  output.result(servers.length === 0 ? 'no database was found' : detectionTable(servers, output));
  for (const place of unseen) {
    output.note(unseenLine(place));
    if (place.hint !== undefined) output.detail(`  ${harmless(place.hint)}`);
  }
  const candidates = backupCandidates(servers);
  if (candidates.length === 0) return;
  output.note('Back up:');
  for (const server of candidates) output.note(`  ${harmless(backupCommand(server))}`);
  const byFiles = candidates.flatMap(({ physical }) => physical ?? []);
  if (byFiles.length > 0) output.note('Or whole, by their files (the user needs the REPLICATION privilege):');
  for (const address of byFiles) output.note(`  ${harmless(`respaldo backup ${shellWord(address)}`)}`);
  output.note('Or write all of it down: respaldo config init');
}
