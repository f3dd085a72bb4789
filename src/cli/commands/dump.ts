import { Option, type Command } from 'commander';
import { RespaldoError } from '../../errors.ts';
import type { ListedNode, Repository } from '../../repository/repository.ts';
import type { Snapshot } from '../../domain/snapshot.ts';
import type { DumpRequest } from '../../operations/dump.ts';
import { describe, REPOSITORY_EXITS } from '../help.ts';
import type { Invocation } from '../invocation.ts';
import type { Output } from '../output.ts';
import { quoted } from '../printable.ts';
import { absolute, addSelectOptions, filterOf, parseReference, type SelectOptions } from '../select.ts';
import { withRepository } from '../session.ts';
import { shortId } from '../views/snapshot.ts';

/** As a shell reports a program that SIGPIPE ended. */
const READER_GONE = 141;

export function define(command: Command, invocation: Invocation): void {
  describe(command, {
    about:
      'The bytes are verified before they are written. A folder becomes a tar archive with the paths of the snapshot; ' +
      'devices, pipes and sockets are left out.',
    examples: [
      ['respaldo dump latest /etc/hosts', 'look at a file as it was'],
      ['respaldo dump 1a2b3c4d /srv/shop.sql > shop.sql', 'bring a single file back'],
      ['respaldo dump latest /etc | tar -tv', 'a folder as an archive'],
      ['respaldo dump latest:/srv /shop > shop.tar', 'with paths below /srv'],
    ],
    exits: [...REPOSITORY_EXITS, READER_GONE],
  })
    .argument('<snapshot>', 'an id, its beginning, or latest; with :/folder paths start there')
    .argument('<path>', 'absolute path of a file or folder in the snapshot')
    .addOption(new Option('-a, --archive <format>', 'what a folder becomes').choices(['tar']).default('tar'));
  addSelectOptions(command).action((reference: string, path: string, options: SelectOptions) =>
    withRepository(invocation, async (repository) => {
      const { snapshot: name, path: base = '/' } = parseReference(reference);
      const snapshot = await repository.find(name, filterOf(options), invocation.signal);
      await dump(repository, { snapshot, base, path: below(base, absolute(path)) }, invocation);
    }),
  );
}

async function dump(repository: Repository, request: DumpRequest, invocation: Invocation): Promise<void> {
  const { output, signal, exit } = invocation;
  for await (const piece of await piecesOf(repository, request, output, signal)) {
    await output.bytes(piece);
    if (output.closed) break;
  }
  if (output.closed) exit(READER_GONE);
}

async function piecesOf(
  repository: Repository,
  request: DumpRequest,
  output: Output,
  signal: AbortSignal,
): Promise<AsyncIterable<Uint8Array>> {
  const node = request.path === '/' ? undefined : await findNode(repository, request, signal);
  if (node?.type === 'file') return repository.content(node, signal);
  if (node !== undefined && node.type !== 'dir') throw notAFile(node, request.snapshot);
  if (process.stdout.isTTY)
    throw new RespaldoError('usage', 'an archive is not for a terminal', {
      hint: 'Write it to a file or into a program: respaldo dump … > folder.tar',
    });
  const { dumpFolder } = await import('../../operations/dump.ts');
  const onSkipped = ({ path, type }: ListedNode): void => output.warn(`left out: ${quoted(path)} is a ${type}`);
  return dumpFolder(request, { repository, onSkipped }, signal);
}

function below(base: string, path: string): string {
  if (base === '/') return path;
  return path === '/' ? base : base + path;
}

async function findNode(
  repository: Repository,
  { snapshot, path }: DumpRequest,
  signal: AbortSignal,
): Promise<ListedNode> {
  for await (const node of repository.list(snapshot, { path, recursive: false }, signal)) {
    if (node.path === path) return node;
  }
  throw new RespaldoError('path-missing', `snapshot ${shortId(snapshot.id)} has no ${quoted(path)}`);
}

function notAFile(node: ListedNode, { id }: Snapshot): RespaldoError {
  const path = quoted(node.path);
  if (node.type === 'symlink')
    return new RespaldoError('usage', `${path} is a symbolic link to ${quoted(node.linkTarget ?? '')}`, {
      hint: 'Name the file that it points to.',
    });
  return new RespaldoError('usage', `${path} is no regular file but a ${node.type}`, {
    hint: `Restore it: respaldo restore ${shortId(id)} --include ${path} --target FOLDER`,
  });
}
