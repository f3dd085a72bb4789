/** Reads binary logs event by event, and takes nothing for granted. */
import { RespaldoError } from '../../../errors.ts';
import { ByteQueue } from './byte-queue.ts';
import {
  closedFormat,
  EVENT,
  FIRST,
  formatTellsChecksums,
  hasGoodChecksum,
  HEADER_BYTES,
  isMadeForReader,
  MAGIC,
  parseEvent,
  rotatesTo,
  sizeIn,
  type BinlogEvent,
} from './event.ts';
import { successorOf } from './file-name.ts';

/** An event, and where it lies. */
export interface PlacedEvent {
  readonly event: BinlogEvent;
  readonly file: string;
  /** Of its first byte. */
  readonly from: number;
  /** Behind its last byte. */
  readonly to: number;
  /** Whether events of this file have checksums. */
  readonly isChecksummed: boolean;
  /** The event by which this file tells its format. */
  readonly format: Buffer;
}

/** Where a stream of files begins. */
export interface LogPosition {
  readonly file: string;
  readonly offset: number;
}

/** An event of more bytes than a server can make. */
const MOST_BYTES = 0x7fff_ffff;
const WRAP = 2 ** 32;
/** Of the event that tells how a file is encrypted, which is sent to nobody: without a checksum, and with one. */
const ENCRYPTION_BYTES: readonly number[] = [36, 40];

/**
 * Reads files that follow one another, each with its magic. Where the first does not begin at its beginning, its format
 * event is repeated by the server; that one, as all that lies in no file, is not handed on.
 *
 * Every event is whole, begins where the one before has ended, and has the checksum that the server gave it.
 */
export class BinlogReader {
  readonly #queue = new ByteQueue();
  readonly #where: string;
  /** Names of the files that come, where they are known. */
  readonly #names: readonly string[] | undefined;
  #file: string;
  #position: number;
  /** The magic is still to come. */
  #atStart = true;
  #isChecksummed = false;
  #hasFormat = false;
  /** The encryption of the file may have taken some bytes. */
  #mayLeap = false;
  #format: Buffer = Buffer.alloc(0);
  #next: string | undefined;

  /**
   * @param where for messages
   * @param names of all files that come; absent: each is named by the end of the one before, or follows it by number
   * @param format of the first file, where that begins in the middle and is not told of its format
   */
  constructor(start: LogPosition, where: string, names?: readonly string[], format?: Buffer) {
    this.#file = start.file;
    this.#position = start.offset;
    this.#where = where;
    this.#names = names;
    if (format === undefined) return;
    this.#atStart = false;
    this.#learn(format, true);
  }

  /** Where the next event is to begin. */
  get position(): LogPosition {
    return { file: this.#file, offset: this.#position };
  }

  /** @throws RespaldoError `source-damaged` where a stored part does not end where it should. */
  requireAt(file: string, offset: number, hasContent: boolean): void {
    if (!hasContent || this.#queue.length > 0 || this.#file !== file || this.#position !== offset)
      throw this.#damaged(`it should reach to ${file}:${String(offset)}, and does not`);
  }

  /** The events that are whole by now. @throws RespaldoError `source-damaged` */
  *push(piece: Uint8Array): Generator<PlacedEvent> {
    this.#queue.push(piece);
    for (let event = this.#take(); event !== undefined; event = this.#take()) yield event;
  }

  /** Nothing comes any more. @throws RespaldoError `source-damaged` if the last event is cut short */
  end(): void {
    if (this.#queue.length > 0 || this.#atStart) throw this.#damaged('it is cut short');
  }

  #take(): PlacedEvent | undefined {
    for (;;) {
      if (this.#atStart) {
        const magic = this.#queue.take(FIRST);
        if (magic === undefined) return undefined;
        if (!magic.equals(MAGIC)) throw this.#damaged('it does not begin as a binary log does');
        this.#atStart = false;
      }
      const header = this.#queue.peek(HEADER_BYTES);
      if (header === undefined) return undefined;
      if (this.#beginsFile(header)) {
        this.#enter(this.#nameOfNext());
        continue;
      }
      const size = sizeIn(header);
      if (size < HEADER_BYTES || size > MOST_BYTES)
        throw this.#damaged(`an event claims to have ${String(size)} bytes`);
      const bytes = this.#queue.take(size);
      if (bytes === undefined) return undefined;
      const placed = this.#place(bytes);
      if (placed !== undefined) return placed;
    }
  }

  /** A file that was not closed well ends without a word, and the magic of the next one follows. */
  #beginsFile(header: Buffer): boolean {
    if (!this.#hasFormat || !header.subarray(0, FIRST).equals(MAGIC)) return false;
    const isNextEvent = header.readUInt32LE(13) === (this.#position + sizeIn(header)) % WRAP;
    return !isNextEvent && header.readUInt8(FIRST + 4) === EVENT.format;
  }

  #nameOfNext(): string {
    const known = this.#names?.[this.#names.indexOf(this.#file) + 1];
    const next = this.#next ?? known ?? successorOf(this.#file);
    if (next === undefined || (known !== undefined && known !== next))
      throw this.#damaged(`it is followed by ${String(next)}, which nobody knows`);
    return next;
  }

  #enter(file: string): void {
    this.#file = file;
    this.#position = FIRST;
    this.#atStart = true;
    this.#hasFormat = false;
    this.#next = undefined;
  }

  #place(bytes: Buffer): PlacedEvent | undefined {
    const type = bytes.readUInt8(4);
    if (type === EVENT.format) return this.#takeFormat(bytes);
    if (!this.#hasFormat) throw this.#damaged('its first event does not tell its format');
    if (this.#isChecksummed && !hasGoodChecksum(bytes)) throw this.#damaged('the checksum of an event is wrong');
    const event = parseEvent(bytes, this.#isChecksummed);
    return isMadeForReader(event) ? undefined : this.#here(event);
  }

  #takeFormat(bytes: Buffer): PlacedEvent | undefined {
    const isRepeated = bytes.readUInt32LE(13) === 0 || (this.#position > FIRST && !this.#hasFormat);
    this.#learn(bytes, isRepeated);
    this.#mayLeap = !isRepeated;
    return isRepeated ? undefined : this.#here(parseEvent(this.#format, this.#isChecksummed));
  }

  /** It has a checksum of its own, whether or not the others have. The server alters one that it repeats, with its checksum. */
  #learn(bytes: Buffer, isRepeated: boolean): void {
    this.#isChecksummed = formatTellsChecksums(bytes);
    this.#format = closedFormat(bytes);
    const isUnchecked = isRepeated && !this.#isChecksummed;
    if (!isUnchecked && !hasGoodChecksum(this.#format) && !hasGoodChecksum(bytes))
      throw this.#damaged('the checksum of its format is wrong');
    this.#hasFormat = true;
  }

  #here(event: BinlogEvent): PlacedEvent {
    const from = this.#begin(event);
    const to = from + event.bytes.length;
    // One that does not know its end is held to it by the next that does: the end of its transaction.
    if (event.end !== 0 && event.end !== to % WRAP)
      throw this.#damaged(`an event ends at ${String(event.end)}, and should end at ${String(to)}`);
    this.#position = to;
    if (event.type !== EVENT.format) this.#mayLeap = false;
    if (event.type === EVENT.rotate) this.#next = rotatesTo(event);
    return { event, file: this.#file, from, to, isChecksummed: this.#isChecksummed, format: this.#format };
  }

  #begin(event: BinlogEvent): number {
    const claimed = event.end - event.bytes.length;
    const leap = claimed - this.#position;
    const leaps = this.#mayLeap && event.type !== EVENT.format && ENCRYPTION_BYTES.includes(leap);
    return leaps ? claimed : this.#position;
  }

  #damaged(what: string): RespaldoError {
    return new RespaldoError('source-damaged', `${this.#where}: ${this.#file} at ${String(this.#position)}: ${what}`, {
      hint: 'Nothing of it is taken for whole. Try again; if it stays, the file is damaged where it lies: see the server’s log, and take a new base backup.',
    });
  }
}
