import type { StatsMode, StoredStats } from '../../repository/repository.ts';
import { formatBytes } from '../units.ts';

interface Compression {
  /** How many bytes became one, in the blobs that are compressed. */
  readonly ratio: number;
  /** Percent of the bytes that lie in compressed blobs. */
  readonly progress: number;
  /** Percent. */
  readonly saving: number;
}

/** As `restic stats` sums up. */
export function statsLines(mode: StatsMode, stats: StoredStats): string[] {
  const { ratio, progress, saving } = compressionOf(stats);
  const uncompressed = stats.compression?.uncompressed ?? 0;
  const lines: [string, string, shown?: boolean][] = [
    ['Snapshots processed:', String(stats.snapshots)],
    ['Total Blob Count:', String(stats.blobs), stats.blobs > 0],
    ['Total File Count:', String(stats.files), stats.files > 0],
    ['Total Uncompressed Size:', formatBytes(uncompressed).padEnd(5), uncompressed > 0],
    ['Total Size:', formatBytes(stats.bytes).padEnd(5)],
    ['Compression Progress:', `${progress.toFixed(2)}%`, progress > 0],
    ['Compression Ratio:', `${ratio.toFixed(2)}x`, ratio > 0],
    ['Compression Space Saving:', `${saving.toFixed(2)}%`, saving > 0],
  ];
  const rows = lines.filter(([, , shown = true]) => shown).map(([title, value]) => `${title.padStart(25)}  ${value}`);
  return [`Stats in ${mode} mode:`, ...rows];
}

/** As `restic stats --json` sums up: what is zero is left out. */
export function statsMessage(stats: StoredStats): unknown {
  const { ratio, progress, saving } = compressionOf(stats);
  return {
    total_size: stats.bytes,
    total_uncompressed_size: orNothing(stats.compression?.uncompressed ?? 0),
    compression_ratio: orNothing(ratio),
    compression_progress: orNothing(progress),
    compression_space_saving: orNothing(saving),
    total_file_count: orNothing(stats.files),
    total_blob_count: orNothing(stats.blobs),
    snapshots_count: stats.snapshots,
  };
}

function compressionOf({ bytes, compression }: StoredStats): Compression {
  const { uncompressed = 0, compressedBlobs = { stored: 0, uncompressed: 0 } } = compression ?? {};
  return {
    ratio: compressedBlobs.stored > 0 ? compressedBlobs.uncompressed / compressedBlobs.stored : 0,
    progress: uncompressed > 0 ? (compressedBlobs.uncompressed / uncompressed) * 100 : 0,
    saving: uncompressed > 0 ? (1 - bytes / uncompressed) * 100 : 0,
  };
}

function orNothing(value: number): number | undefined {
  return value === 0 ? undefined : value;
}
