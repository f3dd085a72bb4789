import { hash } from 'node:crypto';
import { Argument, type Command } from 'commander';
import { RespaldoError } from '../../errors.ts';
import type { Repository } from '../../repository/repository.ts';
import { describe, REPOSITORY_EXITS } from '../help.ts';
import type { Invocation } from '../invocation.ts';
import { parseReference } from '../select.ts';
import { withRepository } from '../session.ts';

const TYPES = ['config', 'index', 'snapshot', 'key', 'lock', 'pack', 'blob', 'tree'] as const;
type Type = (typeof TYPES)[number];

export function define(command: Command, invocation: Invocation): void {
  describe(command, {
    about: 'For looking closely: JSON is decrypted, blobs are verified, packs are printed as they are stored.',
    examples: [
      ['respaldo cat config', "the repository's own settings"],
      ['respaldo cat snapshot latest', 'the record of a snapshot'],
      ['respaldo cat tree latest:/etc', 'a folder as it is stored'],
      ['respaldo cat blob 420f620f | wc -c', 'a piece of a file'],
    ],
    exits: [...REPOSITORY_EXITS],
  })
    .addArgument(new Argument('<type>', 'what it is').choices(TYPES))
    .argument('[id]', 'an id, or its beginning; snapshot and tree: also latest; tree: SNAPSHOT:/folder')
    .action((type: Type, id: string | undefined) =>
      withRepository(invocation, async (repository) => {
        if (type !== 'config' && id === undefined)
          throw new RespaldoError('usage', `cat ${type} needs an id`, {
            hint: 'Give one: `respaldo list` has them.',
          });
        await invocation.output.bytes(await bytesOf(repository, type, id ?? '', invocation));
      }),
    );
}

async function bytesOf(
  repository: Repository,
  type: Type,
  id: string,
  { output, signal }: Invocation,
): Promise<Uint8Array> {
  switch (type) {
    case 'config':
      return indented(repository.config());
    case 'index':
      return Buffer.concat([(await repository.object(type, id, signal)).bytes, Buffer.from('\n')]);
    case 'key':
    case 'lock':
      return indented((await repository.object(type, id, signal)).bytes);
    case 'snapshot':
      return indented((await repository.object(type, (await repository.find(id, {}, signal)).id, signal)).bytes);
    case 'pack': {
      const pack = await repository.object(type, id, signal);
      if (hash('sha256', pack.bytes) !== pack.id)
        output.warn(`pack ${pack.id} is damaged: its content has another hash`);
      return pack.bytes;
    }
    case 'blob':
      return repository.blob(id, signal);
    case 'tree': {
      const { snapshot, path = '/' } = parseReference(id);
      return repository.tree(await repository.find(snapshot, {}, signal), path, signal);
    }
  }
}

function indented(json: Uint8Array): Uint8Array {
  return Buffer.from(`${JSON.stringify(JSON.parse(Buffer.from(json).toString()), null, 2)}\n`);
}
