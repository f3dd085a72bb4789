import { RespaldoError, throwIfAborted, toRespaldoError } from '../errors.ts';
import { chosenFiles } from '../operations/archive-files.ts';
import { verifyArchivedFile } from '../operations/archive-restore.ts';
import { OpenArchives, type ArchiveOptions } from './archive-options.ts';
import type { Invocation } from './invocation.ts';
import { quoted } from './printable.ts';
import { showProgress } from './progress.ts';
import { count, formatBytes } from './units.ts';
import { readingProgress } from './views/archive.ts';

/** Verifies files, one after the other. @throws RespaldoError of the first that is not as it should be */
export async function verifyArchives(
  references: readonly string[],
  options: ArchiveOptions,
  invocation: Invocation,
): Promise<void> {
  const { output, clock, signal } = invocation;
  await using archives = await OpenArchives.open(options, invocation);
  const files = chosenFiles(archives.files, references);
  const failures: RespaldoError[] = archives.problems.map(({ error }) => error);
  for (const { archive, error } of archives.problems) output.alarm(`archive ${archive}: ${error.message}`);
  for (const file of files) {
    const { key, archive, manifest } = file;
    using progress = showProgress(output, clock, readingProgress(key, manifest.plain.bytes));
    const message = { message_type: 'verified', archive, key, plain_bytes: manifest.plain.bytes };
    try {
      const ports = { store: archives.storeOf(file), keys: await archives.keysFor(file), onProgress: progress.update };
      await verifyArchivedFile(file, ports, signal);
      output.json({ ...message, status: 'ok' });
      output.note(
        `${output.style('green', 'ok')}      ${archive}: ${quoted(key)}, ${formatBytes(manifest.plain.bytes, 1)}`,
      );
    } catch (error) {
      throwIfAborted(signal);
      const failure = toRespaldoError(error);
      failures.push(failure);
      output.json({
        ...message,
        status: 'failed',
        error: { code: failure.code, message: failure.message, hint: failure.hint },
      });
      output.alarm(
        `${archive}: ${quoted(key)}: ${failure.message}${failure.hint === undefined ? '' : `\n${failure.hint}`}`,
      );
    }
  }
  const [first] = failures;
  if (first !== undefined)
    throw new RespaldoError(
      first.code,
      `${String(failures.length)} of ${count(files.length, 'file')} cannot be relied on`,
      {
        cause: first,
      },
    );
  // Nothing is proven by nothing: the archive may not be there at all, or the name of a plan be misspelled.
  if (files.length === 0)
    throw new RespaldoError('path-missing', `there is no file to verify${placesOf(archives)}`, {
      hint: 'See what is there: respaldo archive list',
    });
  output.result(`${count(files.length, 'file')} verified`);
}

function placesOf({ withoutFiles }: OpenArchives): string {
  return withoutFiles.length === 0 ? '' : ` in ${withoutFiles.map(({ location }) => location).join(', ')}`;
}
