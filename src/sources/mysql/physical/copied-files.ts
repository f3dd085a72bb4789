import { RespaldoError } from '../../../errors.ts';
import { Session } from '../session.ts';
import { requireCompleted } from './backup-program.ts';
import type { ChainLink, PhysicalFacts } from './facts.ts';
import { currentLsn } from './server-files.ts';
import { filesOf, type StreamFile } from './stream-files.ts';
import type { Survey } from './survey.ts';
import { parseCheckpoints, parsePosition, TOLD } from './told.ts';
import { XbStream, type Chunk } from './xbstream.ts';

/** What a copy tells of itself when it has come as a whole. */
export interface Told {
  readonly link: Omit<ChainLink, 'folder'>;
  readonly position: PhysicalFacts['position'];
  readonly definitions: number;
}

/** More than the program tells of itself. */
const LONGEST_TOLD = 1024 * 1024;
const DEFINITION = /(?:^|\/)(?!#)[^/]+\.frm$/;

/** A backup as it comes, remembering what it tells of itself. */
export class CopiedFiles {
  readonly #stream: XbStream;
  readonly #told = new Map<string, Buffer>();
  readonly #definitions = new Set<string>();
  #bytes = 0;

  constructor(bytes: AsyncIterable<Uint8Array>) {
    this.#stream = new XbStream(bytes);
  }

  /** See {@link filesOf}. */
  files(): AsyncGenerator<StreamFile> {
    return filesOf(this.chunks());
  }

  /** See {@link XbStream.chunks}. */
  async *chunks(): AsyncGenerator<Chunk> {
    for await (const chunk of this.#stream.chunks()) {
      const { path, payload } = chunk;
      this.#notice(path);
      yield payload === undefined ? chunk : { ...chunk, payload: this.#watched(path, payload) };
    }
  }

  /**
   * To be asked when all files have come.
   * @param base what it was to build upon
   * @throws RespaldoError `source-lost` unless the program said that it is done, and the files are those of the server
   */
  async told({ tools, files }: Survey, base: Pick<ChainLink, 'toLsn'> | undefined): Promise<Told> {
    requireCompleted(this.#stream.trailer);
    const link = parseCheckpoints(this.#text('checkpoints'));
    const isAsAsked = link.fromLsn === (base?.toLsn ?? '0');
    if (!isAsAsked) throw strange(`they begin at ${link.fromLsn} of the redo log, not at ${base?.toLsn ?? '0'}`);
    const now = await Session.with(tools, currentLsn);
    const last = BigInt(link.lastLsn);
    if ((files.lsn !== undefined && last < files.lsn) || (now !== undefined && last > now))
      throw strange(
        `their redo log ends at ${link.lastLsn}, and the server’s went from ${String(files.lsn)} to ${String(now)}`,
      );
    const position = parsePosition(this.#text('binlog_info'));
    return {
      link: { ...link, bytes: this.#bytes },
      position: Object.keys(position).length > 0 ? position : undefined,
      definitions: this.#definitions.size,
    };
  }

  #notice(path: string): void {
    if (DEFINITION.test(path)) this.#definitions.add(path);
    if (path.endsWith('.isl'))
      throw new RespaldoError('source-refused', `${path} says that a table lies outside of the data directory`, {
        hint: 'A copy would use the same files. Move the table into the data directory, or use method=logical.',
      });
  }

  async *#watched(path: string, payload: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    const [, what] = TOLD.exec(path) ?? [];
    for await (const piece of payload) {
      this.#bytes += piece.length;
      if (what !== undefined) this.#remember(what, piece);
      yield piece;
    }
  }

  #remember(what: string, piece: Buffer): void {
    const before = this.#told.get(what) ?? Buffer.alloc(0);
    if (before.length + piece.length <= LONGEST_TOLD) this.#told.set(what, Buffer.concat([before, piece]));
  }

  #text(what: string): string {
    return this.#told.get(what)?.toString('utf8') ?? '';
  }
}

function strange(why: string): RespaldoError {
  return new RespaldoError('source-lost', `the copied files are not what the server has: ${why}`, {
    hint: 'Check that the source’s tools run where the server does. Nothing was stored as a snapshot.',
  });
}
