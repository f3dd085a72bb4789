/** Rows that are larger than what a server takes at a time by itself: they were not written as one statement there. */
import { RespaldoError, throwIfAborted } from '../../../errors.ts';
import { Session } from '../session.ts';
import type { Toolbox } from '../toolbox.ts';

/** Bytes of a statement beside its longest row: rows before that, and what it begins with. */
const BESIDE = 2 * 1024 * 1024;
/** More no server takes. */
const MOST = 1024 ** 3;

/** What a script asks of a server: the bytes of its longest line, or somewhat more; pieces are looked at once. */
export class LongestLine {
  bytes = 0;
  #current = 0;

  take(piece: Uint8Array): void {
    const first = piece.indexOf(NEWLINE);
    // Lines within one piece are no longer than that.
    this.bytes = Math.max(this.bytes, this.#current + (first < 0 ? piece.length : first), first < 0 ? 0 : piece.length);
    this.#current = first < 0 ? this.#current + piece.length : piece.length - piece.lastIndexOf(NEWLINE) - 1;
  }
}

const NEWLINE = 0x0a;

/**
 * Lets the server take more at a time, from whoever connects from now on, if that is needed.
 * @param longest bytes of the longest row, as SQL
 * @returns what it took before; undefined: that is enough
 * @throws RespaldoError `target-refused` where the account may not change it
 */
export async function makePacketRoom(tools: Toolbox, longest: number): Promise<number | undefined> {
  const before = await Session.with(tools, async (session) => {
    const [row] = await session.query({ limit: '@@global.max_allowed_packet' });
    return Number(row?.limit);
  });
  if (longest + BESIDE <= before || before >= MOST) return undefined;
  try {
    await setPacketRoom(tools, MOST);
    return before;
  } catch (error) {
    throwIfAborted(tools.signal);
    throw new RespaldoError(
      'target-refused',
      `${tools.server} takes ${String(before)} bytes at a time, and a row of the dump has up to ${String(longest)}`,
      {
        hint: `The account may not change that: run SET GLOBAL max_allowed_packet = ${String(MOST)} there as one who may.`,
        cause: error,
      },
    );
  }
}

/** @param bytes that it takes at a time from now on */
export async function setPacketRoom(tools: Toolbox, bytes: number): Promise<void> {
  await Session.with(tools, (session) => session.execute(`SET GLOBAL max_allowed_packet = ${String(bytes)}`));
}
