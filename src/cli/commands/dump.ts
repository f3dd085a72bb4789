import { Option, type Command } from 'commander';
import { RespaldoError } from '../../errors.ts';
import type { ListedNode, Repository } from '../../repository/repository.ts';
import type { Snapshot } from '../../domain/snapshot.ts';
import type { DumpRequest } from '../../operations/dump-node.ts';
import { describe, REPOSITORY_EXITS } from '../help.ts';
import type { Invocation } from '../invocation.ts';
import type { Output } from '../output.ts';
import { quoted } from '../printable.ts';
import { absolute, addSelectOptions, filterOf, parseReference, type SelectOptions } from '../select.ts';
import { withRepository } from '../session.ts';
import { writeTarget } from '../target-file.ts';
import { shortId } from '../views/snapshot.ts';

/** As a shell reports a program that SIGPIPE ended. */
const READER_GONE = 141;

interface Options extends SelectOptions {
  readonly archive: 'tar' | 'zip';
  readonly target?: string;
}

export function define(command: Command, invocation: Invocation): void {
  describe(command, {
    about:
      'The bytes are verified before they are written. A folder becomes a tar or zip archive with the paths of the ' +
      'snapshot; devices, pipes and sockets are left out. A zip keeps less: no owners, no attributes, times in seconds.',
    examples: [
      ['respaldo dump latest /etc/hosts', 'look at a file as it was'],
      ['respaldo dump 1a2b3c4d /srv/shop.sql > shop.sql', 'bring a single file back'],
      ['respaldo dump latest /etc | tar -tv', 'a folder as an archive'],
      ['respaldo dump latest:/srv /shop > shop.tar', 'with paths below /srv'],
      ['respaldo dump latest /srv --archive zip --target srv.zip', 'for those without tar'],
    ],
    exits: [...REPOSITORY_EXITS, READER_GONE],
  })
    .argument('<snapshot>', 'an id, its beginning, or latest; with :/folder paths start there')
    .argument('<path>', 'absolute path of a file or folder in the snapshot')
    .addOption(new Option('-a, --archive <format>', 'what a folder becomes').choices(['tar', 'zip']).default('tar'))
    .option('-t, --target <file>', 'write to this file, which appears once it is whole');
  addSelectOptions(command).action((reference: string, path: string, options: Options) =>
    withRepository(invocation, async (repository) => {
      const { snapshot: name, path: base = '/' } = parseReference(reference);
      const snapshot = await repository.find(name, filterOf(options), invocation.signal);
      await dump(repository, { snapshot, base, path: below(base, absolute(path)) }, options, invocation);
    }),
  );
}

async function dump(
  repository: Repository,
  request: DumpRequest,
  options: Options,
  { output, signal, exit }: Invocation,
): Promise<void> {
  const pieces = await piecesOf(repository, request, options, output, signal);
  if (options.target !== undefined) {
    await writeTarget(options.target, pieces);
    return;
  }
  for await (const piece of pieces) {
    await output.bytes(piece);
    if (output.closed) break;
  }
  if (output.closed) exit(READER_GONE);
}

async function piecesOf(
  repository: Repository,
  request: DumpRequest,
  { archive, target }: Options,
  output: Output,
  signal: AbortSignal,
): Promise<AsyncIterable<Uint8Array>> {
  const node = request.path === '/' ? undefined : await findNode(repository, request, signal);
  if (node?.type === 'file') return repository.content(node, signal);
  if (node !== undefined && node.type !== 'dir') throw notAFile(node, request.snapshot);
  if (target === undefined && process.stdout.isTTY)
    throw new RespaldoError('usage', 'an archive is not for a terminal', {
      hint: `Write it to a file: --target folder.${archive}`,
    });
  const onSkipped = ({ path, type }: ListedNode): void => output.warn(`left out: ${quoted(path)} is a ${type}`);
  const ports = { repository, onSkipped };
  if (archive === 'zip') return (await import('../../operations/dump-zip.ts')).dumpZip(request, ports, signal);
  return (await import('../../operations/dump-tar.ts')).dumpTar(request, ports, signal);
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
