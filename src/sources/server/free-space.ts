import { isError } from '../../errors.ts';
import type { Runtime } from '../../runtimes/runtime.ts';

/** Of the disk of a folder where the tools run, by `df`: bytes. Undefined: it cannot be told. */
export async function freeSpace(folder: string, runtime: Runtime, signal: AbortSignal): Promise<number | undefined> {
  return (await diskOf(folder, runtime, signal))?.freeBytes;
}

/** The disk itself: where it is mounted tells it from others. */
export async function diskOf(
  folder: string,
  runtime: Runtime,
  signal: AbortSignal,
): Promise<{ readonly mount: string; readonly freeBytes: number } | undefined> {
  try {
    const pieces = await Array.fromAsync(runtime.run({ argv: ['df', '-Pk', folder] }, signal));
    const [, line = ''] = Buffer.concat(pieces).toString('utf8').trim().split('\n').slice(-2);
    const [, , , free, , ...mount] = line.split(/\s+/);
    const freeBytes = Number(free) * 1024;
    return Number.isFinite(freeBytes) ? { mount: mount.join(' '), freeBytes } : undefined;
  } catch (error) {
    if (isError(error, 'command-failed') || isError(error, 'tool-missing')) return undefined;
    throw error;
  }
}
