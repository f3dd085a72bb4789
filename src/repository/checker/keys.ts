/** Whether every key file can be read. */
import type { Finding } from '../../domain/finding.ts';
import { isError } from '../../errors.ts';
import type { RepositoryContext } from '../context.ts';
import { describeKeyFile } from '../format/key.ts';
import * as found from './findings.ts';

/** What a key holds only its password could tell; that it is as it was written, its name does. */
export async function* checkKeys(
  { objects }: RepositoryContext,
  signal: AbortSignal,
): AsyncGenerator<Finding, void, undefined> {
  for await (const { id } of objects.list('key', signal)) {
    try {
      describeKeyFile(await objects.load('key', id, signal));
    } catch (error) {
      if (isError(error, 'store-missing')) continue;
      if (!isError(error, 'repository-damaged')) throw error;
      yield found.keyDamaged(id, error.message);
    }
  }
}
