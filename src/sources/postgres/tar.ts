import { readTarMembers, type TarMember as Member } from '../../domain/tar-reader.ts';
import { RespaldoError } from '../../errors.ts';

/** One member of an archive as PostgreSQL writes it. */
export interface TarMember extends Member {
  readonly kind: 'file' | 'directory' | 'symlink';
}

/**
 * Members in the archive's order. Ends normally only at the trailer of two empty blocks.
 * @throws RespaldoError `source-lost` for an archive that is cut short, malformed or followed by something else.
 */
export async function* readTar(bytes: AsyncIterable<Uint8Array>, archive: string): AsyncGenerator<TarMember> {
  for await (const member of readTarMembers(bytes, (what) => broken(archive, what))) {
    if (!isPlain(member)) throw broken(archive, `${member.name} is a ${member.kind}, which no base backup holds`);
    yield member;
  }
}

function isPlain(member: Member): member is TarMember {
  return member.kind === 'file' || member.kind === 'directory' || member.kind === 'symlink';
}

function broken(archive: string, what: string): RespaldoError {
  return new RespaldoError('source-lost', `the base backup’s archive ${archive} is broken: ${what}`, {
    hint: 'Nothing was stored as a snapshot. Run the backup again.',
  });
}
