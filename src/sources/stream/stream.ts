/** What comes as bytes without a name, standard input or the output of a command, as one file. */
import { posix } from 'node:path';
import type { Content, Entry } from '../../domain/entry.ts';
import { RespaldoError } from '../../errors.ts';
import type { Source, SourceIo } from '../source.ts';

export interface StreamOptions {
  /** The file's name in the snapshot; may lie in folders: `db/shop.sql`. */
  readonly filename: string;
  /** Recorded as the time when the file was written. */
  readonly time: Date;
  /** Program and arguments whose standard output it is; absent: standard input. */
  readonly command?: readonly [string, ...string[]];
}

/** @throws RespaldoError `usage` for a name that is none. */
export function openStream(options: StreamOptions): Source {
  const path = posix.join('/', options.filename);
  if (path.endsWith('/') || path.includes('\0'))
    throw new RespaldoError('usage', `"${options.filename}" is no name of a file`, {
      hint: 'Name it as it should lie in the snapshot: --stdin-filename shop.sql',
    });
  return {
    kind: 'stream',
    paths: [path],
    check: () => Promise.resolve([]),
    capture: (io) => capture(path, options, io),
  };
}

/** Empty output is how a failed dump looks when the shell hides its exit code: it is not stored. */
async function* capture(path: string, options: StreamOptions, io: SourceIo): AsyncIterable<Entry> {
  let size = 0;
  const content = counted(await contentOf(options, io), (bytes) => (size += bytes));
  yield { kind: 'file', path, metadata: metadataAt(options.time), content };
  if (size > 0) return;
  const what = options.command === undefined ? 'standard input was' : `the output of ${options.command[0]} was`;
  throw new RespaldoError('source-missing', `nothing to back up: ${what} empty`, {
    hint: 'Check what should have written it.',
  });
}

async function contentOf({ command }: StreamOptions, { runtime, signal }: SourceIo): Promise<Content> {
  if (command !== undefined) return runtime.run({ argv: command, ownEnvironment: true }, signal);
  const { standardInput } = await import('./standard-input.ts');
  return standardInput(signal);
}

function counted(content: Content, count: (bytes: number) => void): Content {
  const pieces = async function* (): AsyncGenerator<Uint8Array> {
    for await (const piece of content) {
      count(piece.length);
      yield piece;
    }
  };
  if (!('read' in content)) return pieces();
  const read = async (space: Uint8Array): Promise<number> => {
    const length = await content.read(space);
    count(length);
    return length;
  };
  return { read, [Symbol.asyncIterator]: pieces };
}

function metadataAt(time: Date) {
  const ns = BigInt(time.getTime()) * 1_000_000n;
  const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
  return { mode: 0o644, mtimeNs: ns, atimeNs: ns, ctimeNs: ns, uid, gid };
}
