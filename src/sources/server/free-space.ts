import { isError } from '../../errors.ts';
import type { Runtime } from '../../runtimes/runtime.ts';

/** Of the disk of a folder where the tools run, by `df`: bytes. Undefined: it cannot be told. */
export async function freeSpace(folder: string, runtime: Runtime, signal: AbortSignal): Promise<number | undefined> {
  try {
    const pieces = await Array.fromAsync(runtime.run({ argv: ['df', '-Pk', folder] }, signal));
    const [, line = ''] = Buffer.concat(pieces).toString('utf8').trim().split('\n').slice(-2);
    const free = Number(line.split(/\s+/)[3]);
    return Number.isFinite(free) ? free * 1024 : undefined;
  } catch (error) {
    if (isError(error, 'command-failed') || isError(error, 'tool-missing')) return undefined;
    throw error;
  }
}
