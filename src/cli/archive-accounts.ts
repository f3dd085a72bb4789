/** The accounts that lie in an archive beside dumps, for who restores these into a server. */
import { RespaldoError, throwIfAborted, toRespaldoError } from '../errors.ts';
import type { FoundFile } from '../operations/archive-files.ts';
import { archivedCopy } from '../operations/archive-restore.ts';
import type { ArchivedAccounts, SourceKind } from '../sources/source.ts';
import type { OpenArchives } from './archive-options.ts';
import type { Invocation } from './invocation.ts';

/**
 * Read and verified to their end; what is wrong with them keeps nobody from the databases, unless they are asked for.
 * @param dumps of one run
 * @param kind of the server that they go into
 * @returns undefined: there are none
 * @throws RespaldoError `usage`, or what is wrong with them, where accounts are to be made of them
 */
export async function accountsBeside(
  dumps: readonly [FoundFile, ...FoundFile[]],
  kind: SourceKind | undefined,
  archives: OpenArchives,
  isNeeded: boolean,
  { output, signal }: Invocation,
): Promise<ArchivedAccounts | undefined> {
  const [{ key, archive }] = dumps;
  const holds = kind?.server?.archivedAccounts;
  const found = archives.files.filter((file) => holds !== undefined && isBeside(file, dumps[0], holds));
  const file = found.find((one) => one.archive === archive) ?? found[0];
  if (file === undefined) {
    if (!isNeeded) return undefined;
    throw new RespaldoError('usage', `--create-roles: no accounts lie beside ${key} that could be made by it`, {
      hint: 'Make them there before, and leave it out.',
    });
  }
  try {
    const ports = { store: archives.storeOf(file), keysOf: () => archives.keysFor(file) };
    const bytes = Buffer.concat(await Array.fromAsync(archivedCopy(file, ports, false, signal).content.read()));
    const read = async function* (): AsyncGenerator<Uint8Array> {
      await Promise.resolve();
      yield bytes;
    };
    return {
      content: { bytes: bytes.length, read },
      databases: dumps.map(({ manifest }) => manifest.database),
    };
  } catch (error) {
    throwIfAborted(signal);
    if (isNeeded) throw error;
    output.warn(`nobody knows which accounts are missing: ${toRespaldoError(error).message}`);
    return undefined;
  }
}

/** Of the same server and time. */
function isBeside({ manifest, state }: FoundFile, { manifest: dump }: FoundFile, holds: string): boolean {
  const { plan, source, run, facts } = manifest;
  return (
    state === 'whole' &&
    facts['holds'] === holds &&
    plan === dump.plan &&
    source === dump.source &&
    facts['path'] === dump.facts['path'] &&
    (run === dump.run || (facts['snapshot'] !== undefined && facts['snapshot'] === dump.facts['snapshot']))
  );
}
