import { readFile } from 'node:fs/promises';
import { decodeName } from '../domain/name.ts';
import { RespaldoError } from '../errors.ts';

/** The bytes of the file that an option names; `-` is standard input. @throws RespaldoError `usage` */
export async function readNamedFile(option: string, file: string): Promise<Buffer> {
  try {
    return file === '-' ? Buffer.concat(await Array.fromAsync(process.stdin)) : await readFile(file);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new RespaldoError('usage', `cannot read ${option} ${file}: ${reason}`, { cause: error });
  }
}

/** Text as an editor wrote it: UTF-8, or UTF-16 with a byte order mark. What is not text is as in `domain/name.ts`. */
export function decodeText(bytes: Buffer): string {
  const [first, second, third] = bytes;
  if (first === 0xff && second === 0xfe) return new TextDecoder('utf-16le').decode(bytes);
  if (first === 0xfe && second === 0xff) return new TextDecoder('utf-16be').decode(bytes);
  const marked = first === 0xef && second === 0xbb && third === 0xbf;
  return decodeName(marked ? bytes.subarray(3) : bytes);
}

/** Without their ends, `\n` or `\r\n`. */
export function linesOf(text: string): string[] {
  const lines = text.split('\n').map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
  if (lines.at(-1) === '') lines.pop();
  return lines;
}
