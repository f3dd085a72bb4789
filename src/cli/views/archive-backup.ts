import type { Proof, WrittenFile } from '../../archive/archive.ts';
import type { ArchiveOutcome } from '../../operations/archive-tally.ts';
import type { Output } from '../output.ts';
import { harmless, quoted } from '../printable.ts';
import type { ProgressView } from '../progress.ts';
import { count, formatBytes, formatDuration } from '../units.ts';
import { paceText } from './pace.ts';

interface ArchiveState {
  readonly current: string;
  readonly bytes: number;
  readonly files: number;
}

export const archiveProgress: ProgressView<ArchiveState> = {
  bytes: ({ bytes }) => ({ done: bytes, total: 0 }),
  line: ({ current, bytes, files }, pace) =>
    `[${formatDuration(pace.elapsed())}] ${count(files, 'file')}  ${formatBytes(bytes, 1)}${paceText(pace)}  ${quoted(current)}`,
  message: ({ current, bytes, files }, pace) => ({
    message_type: 'status',
    seconds_elapsed: Math.floor(pace.elapsed() / 1000) || undefined,
    percent_done: 0,
    files_done: files || undefined,
    bytes_done: bytes || undefined,
    current_files: [current],
  }),
};

const PROOFS: Readonly<Record<Proof, string>> = {
  size: 'confirmed by its size',
  MD5: "confirmed by the store's MD5",
  CRC32: "confirmed by the store's CRC32",
  SHA1: "confirmed by the store's SHA-1",
  SHA256: "confirmed by the store's SHA-256",
  read: 'confirmed by reading it back',
};

/** One file at one place: there, or not. */
export function tellArchivedFile(file: WrittenFile, output: Output): void {
  const { archive } = file.place;
  if (file.error === undefined) {
    const { stored, plain } = file.manifest;
    const sizes = `${formatBytes(stored.bytes, 1)} of ${formatBytes(plain.bytes, 1)}`;
    output.note(`  ${archive}: ${quoted(file.key)}, ${sizes}, ${PROOFS[file.confirmedBy]}`);
    return;
  }
  const { error, key, leftIn } = file;
  const left = leftIn === undefined ? '' : `\nIt is whole in ${leftIn}, and the next run sends it.`;
  const hint = error.hint === undefined ? '' : `\n${error.hint}`;
  output.alarm(`archive ${archive}: ${key === '' ? '' : `${quoted(key)}: `}${error.message}${hint}${left}`);
}

export function archiveLine({ archive, location, state, files, failures }: ArchiveOutcome, output: Output): string {
  const stored = files.reduce((sum, { manifest }) => sum + manifest.stored.bytes, 0);
  if (files.length + failures.length === 0)
    return output.style('green', `archive ${archive}: nothing new, in ${harmless(location)}`);
  const held = `${count(files.length, 'file')}, ${formatBytes(stored, 1)}, in ${harmless(location)}`;
  if (state === 'failed')
    return output.style('red', `archive ${archive}: ${count(failures.length, 'file')} missing; ${held}`);
  const incomplete = state === 'incomplete' ? output.style('yellow', ', but not everything could be read') : '';
  return `${output.style('green', `archive ${archive}: ${held}`)}${incomplete}`;
}

/** What `--json` tells of one archive. Sizes in bytes. */
export function archiveMessage({ archive, location, state, files, failures }: ArchiveOutcome): Record<string, unknown> {
  return {
    message_type: 'archive',
    archive,
    location,
    status: state,
    files: files.map(({ key, manifest, confirmedBy }) => ({
      key,
      database: manifest.database,
      plain_bytes: manifest.plain.bytes,
      stored_bytes: manifest.stored.bytes,
      stored_sha256: manifest.stored.sha256,
      confirmed_by: confirmedBy,
    })),
    errors: failures.map(({ database, error, leftIn }) => ({
      database,
      code: error.code,
      message: error.message,
      left_in: leftIn,
    })),
  };
}
