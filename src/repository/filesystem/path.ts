import { encodeName, isText } from '../../domain/name.ts';

/** A path as `node:fs` takes it: a string, or bytes where the path is not valid UTF-8. */
export type LocalPath = string | Buffer;

/** The path that a string of `domain/name.ts` stands for. */
export function fsPath(name: string): LocalPath {
  return isText(name) ? name : Buffer.from(encodeName(name));
}

/** The path for a message: bytes that are not text are shown as `\xNN`. */
export function showPath(name: string): string {
  return name.replace(/[\udc80-\udcff]/gu, (byte) => `\\x${(byte.charCodeAt(0) - 0xdc00).toString(16)}`);
}
