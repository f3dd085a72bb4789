import type { Duplex } from 'node:stream';
import { isError } from '../../../errors.ts';
import { columnNames, columnValues, MESSAGE, queryMessage, type ServerMessage } from './message.ts';
import { MessageReader } from './message-reader.ts';

export interface TablespaceSize {
  /** Absent: the data directory itself. */
  readonly oid?: string;
  /** Where the tablespace lies on the server. */
  readonly location?: string;
  /** The server's estimate. */
  readonly bytes: number;
}

/** What follows one another inside a base backup's single CopyOut. */
export interface Part {
  readonly kind: 'archive' | 'manifest';
  /** `base.tar`, `<oid>.tar`; empty for the manifest. */
  readonly name: string;
  readonly bytes: AsyncIterable<Uint8Array>;
}

export interface BackupEnd {
  readonly lsn: string;
  readonly timeline: number;
  /** Whether the server found damaged pages; `warnings` then name the files. */
  readonly damaged: boolean;
  readonly warnings: readonly ServerMessage[];
}

type Row = Readonly<Record<string, string | null>>;

/** One BASE_BACKUP on an idle connection's socket: `start`, then `parts` to the end, then `finish`. */
export class BaseBackup {
  readonly startLsn: string;
  readonly timeline: number;
  readonly tablespaces: readonly TablespaceSize[];
  readonly #messages: MessageReader;
  /** Bytes of the current CopyData message that were not read yet. */
  #left = 0;
  #next: Part | undefined;
  #copied = false;

  private constructor(messages: MessageReader, start: Row | undefined, tablespaces: readonly Row[]) {
    this.#messages = messages;
    this.startLsn = start?.recptr ?? '';
    this.timeline = Number(start?.tli);
    this.tablespaces = tablespaces.map((row) => ({
      ...(isText(row.spcoid) && { oid: row.spcoid }),
      ...(isText(row.spclocation) && { location: row.spclocation }),
      bytes: Number(row.size ?? 0) * 1024,
    }));
  }

  /** @param server how messages name the server. */
  static async start(socket: Duplex, command: string, server: string, signal: AbortSignal): Promise<BaseBackup> {
    const messages = new MessageReader(socket, server, signal);
    socket.write(queryMessage(command));
    const start = await resultSet(messages);
    const tablespaces = await resultSet(messages);
    const { type, length } = await messages.head();
    if (type !== MESSAGE.copyOutResponse) throw messages.unexpected(type);
    await messages.body(length);
    return new BaseBackup(messages, start[0], tablespaces);
  }

  /** The archives and the manifest. Each one's bytes must be read to their end before the next is asked for. */
  async *parts(): AsyncGenerator<Part> {
    while (!this.#copied) {
      if (this.#next === undefined && (await this.#hasData())) throw this.#messages.broken('data outside any archive');
      const part = this.#next;
      this.#next = undefined;
      if (part !== undefined) yield part;
    }
  }

  /**
   * Reads to ReadyForQuery: only that says that the server is satisfied. It raises what it thinks of the pages'
   * checksums after everything else, even after the end position.
   */
  async finish(): Promise<BackupEnd> {
    const [end] = await resultSet(this.#messages);
    if (!isText(end?.recptr) || !isText(end.tli)) throw this.#messages.broken('no end position');
    let damaged = false;
    try {
      await this.#untilReady();
    } catch (error) {
      if (!isError(error, 'source-damaged')) throw error;
      damaged = true;
      await this.#untilReady();
    }
    return { lsn: end.recptr, timeline: Number(end.tli), damaged, warnings: this.#messages.warnings };
  }

  /** The bytes up to the next part or the end of the copy. */
  async *#bytes(): AsyncGenerator<Uint8Array> {
    while (this.#left > 0 || (await this.#hasData())) {
      const piece = await this.#messages.some(this.#left);
      this.#left -= piece.length;
      yield piece;
    }
  }

  /** Goes on to the current part's next data. False: another part begins (`#next`), or the copy is done. */
  async #hasData(): Promise<boolean> {
    while (!this.#copied && this.#next === undefined) {
      const { type, length } = await this.#messages.head();
      if (type === MESSAGE.copyDone) this.#copied = true;
      else if (type !== MESSAGE.copyData) throw this.#messages.unexpected(type);
      else if (length > 0) {
        const kind = (await this.#messages.body(1)).toString('latin1');
        if (kind === 'd' && length > 1) {
          this.#left = length - 1;
          return true;
        }
        this.#begin(kind, await this.#messages.body(length - 1));
      }
    }
    return false;
  }

  #begin(kind: string, body: Buffer): void {
    const name = body.toString('utf8', 0, Math.max(body.indexOf(0), 0));
    if (kind === 'n') this.#next = { kind: 'archive', name, bytes: this.#bytes() };
    else if (kind === 'm') this.#next = { kind: 'manifest', name: '', bytes: this.#bytes() };
    else if (kind !== 'p' && kind !== 'd')
      throw this.#messages.broken(`data of the unknown kind ${JSON.stringify(kind)}`);
  }

  async #untilReady(): Promise<void> {
    for (;;) {
      const { type, length } = await this.#messages.head();
      await this.#messages.body(length);
      if (type === MESSAGE.readyForQuery) return;
      if (type !== MESSAGE.commandComplete) throw this.#messages.unexpected(type);
    }
  }
}

async function resultSet(messages: MessageReader): Promise<Row[]> {
  let names: string[] = [];
  const rows: Row[] = [];
  for (;;) {
    const { type, length } = await messages.head();
    const body = await messages.body(length);
    if (type === MESSAGE.commandComplete) return rows;
    if (type === MESSAGE.rowDescription) names = columnNames(body);
    else if (type === MESSAGE.dataRow) {
      const values = columnValues(body);
      rows.push(Object.fromEntries(names.map((name, i) => [name, values[i] ?? null])));
    } else throw messages.unexpected(type);
  }
}

function isText(value: string | null | undefined): value is string {
  return typeof value === 'string';
}
