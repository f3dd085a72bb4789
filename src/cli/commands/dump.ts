import type { Command } from 'commander';
import { RespaldoError } from '../../errors.ts';
import type { ListedNode, Repository } from '../../repository/repository.ts';
import type { Snapshot } from '../../domain/snapshot.ts';
import { describe, REPOSITORY_EXITS } from '../help.ts';
import type { Invocation } from '../invocation.ts';
import { quoted } from '../printable.ts';
import { absolute, addSelectOptions, filterOf, type SelectOptions } from '../select.ts';
import { withRepository } from '../session.ts';
import { shortId } from '../views/snapshot.ts';

/** As a shell reports a program that SIGPIPE ended. */
const READER_GONE = 141;

export function define(command: Command, invocation: Invocation): void {
  describe(command, {
    about: 'The bytes are verified before they are written. A folder is restored instead: respaldo restore.',
    examples: [
      ['respaldo dump latest /etc/hosts', 'look at a file as it was'],
      ['respaldo dump 1a2b3c4d /srv/shop.sql > shop.sql', 'bring a single file back'],
    ],
    exits: [...REPOSITORY_EXITS, READER_GONE],
  })
    .argument('<snapshot>', 'an id, its beginning, or latest')
    .argument('<path>', 'absolute path of the file in the snapshot');
  addSelectOptions(command).action((name: string, path: string, options: SelectOptions) =>
    withRepository(invocation, async (repository) => {
      const snapshot = await repository.find(name, filterOf(options), invocation.signal);
      await dump(repository, snapshot, absolute(path), invocation);
    }),
  );
}

async function dump(repository: Repository, snapshot: Snapshot, path: string, invocation: Invocation): Promise<void> {
  const { output, signal, exit } = invocation;
  const node = await findFile(repository, snapshot, path, signal);
  for await (const piece of repository.content(node, signal)) {
    await output.bytes(piece);
    if (output.closed) break;
  }
  if (output.closed) exit(READER_GONE);
}

async function findFile(
  repository: Repository,
  snapshot: Snapshot,
  path: string,
  signal: AbortSignal,
): Promise<ListedNode> {
  for await (const node of repository.list(snapshot, { path, recursive: false }, signal)) {
    if (node.path !== path) continue;
    if (node.type === 'file') return node;
    throw notAFile(node, snapshot);
  }
  throw new RespaldoError('path-missing', `snapshot ${shortId(snapshot.id)} has no ${quoted(path)}`);
}

function notAFile(node: ListedNode, { id }: Snapshot): RespaldoError {
  const path = quoted(node.path);
  if (node.type === 'symlink')
    return new RespaldoError('usage', `${path} is a symbolic link to ${quoted(node.linkTarget ?? '')}`, {
      hint: 'Name the file that it points to.',
    });
  const kind = node.type === 'dir' ? 'a folder' : `no regular file but a ${node.type}`;
  return new RespaldoError('usage', `${path} is ${kind}: only files are written to standard output`, {
    hint: `Restore it: respaldo restore ${shortId(id)}:${path} --target FOLDER`,
  });
}
