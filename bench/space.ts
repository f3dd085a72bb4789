import { statfsSync } from 'node:fs';
import type { Row } from './rows.ts';

/** Bytes that the rows need at most at any time. */
export function neededSpace(rows: readonly Row[], tools: number, runs: number, scale: number): number {
  const data = new Set(rows.map((row) => row.data));
  const kept = [...data].reduce((sum, { bytes }) => sum + bytes, 0);
  // One more is what the tools prepare, and a closer look.
  const left = Math.max(...rows.map((row) => row.leaves * tools * (runs + 1)));
  return (kept + left) * scale;
}

/** @throws Error if the file system of `folder` has not enough room */
export function requireSpace(folder: string, bytes: number): void {
  const { bavail, bsize } = statfsSync(folder);
  const free = bavail * bsize;
  if (free >= bytes) return;
  const gigabytes = (value: number): string => `${(value / 1e9).toFixed(1)} GB`;
  throw new Error(
    `${folder} has ${gigabytes(free)} free, and ${gigabytes(bytes)} are needed: give another --folder, or a smaller --scale`,
  );
}
