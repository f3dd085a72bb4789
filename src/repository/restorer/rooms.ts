import { newRoom } from '../format/room.ts';
import { UNIT } from './direct-file.ts';

/** While one is filled, the others are being written. */
const MOST = 4;

/** Memory that blobs are put into and written from, again and again. It begins with a page. */
export class Rooms {
  readonly #free: Uint8Array[] = [];
  #taken = 0;
  readonly #waiting: ((room: Uint8Array) => void)[] = [];

  /** At least `length` bytes and what stands before them in their unit, once there is room that nobody uses. */
  async take(length: number): Promise<Uint8Array> {
    const room = this.#free.pop() ?? (await this.#another());
    return room.length >= length + UNIT ? room : newRoom(length + UNIT);
  }

  give(room: Uint8Array): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free.push(room);
    else next(room);
  }

  #another(): Uint8Array | Promise<Uint8Array> {
    if (this.#taken === MOST) return new Promise((resolve) => this.#waiting.push(resolve));
    this.#taken += 1;
    return new Uint8Array(0);
  }
}
