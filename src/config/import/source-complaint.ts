import { RespaldoError } from '../../errors.ts';
import { openSource } from '../../sources/index.ts';

/** What a source says of its address; undefined: nothing. */
export function sourceComplaint(address: string): string | undefined {
  try {
    openSource(address, {
      workingDirectory: '/',
      selection: { exclude: [], oneFileSystem: false, excludeCaches: false },
      acceptDamagedPages: false,
    });
    return undefined;
  } catch (error) {
    if (error instanceof RespaldoError) return error.message;
    throw error;
  }
}
