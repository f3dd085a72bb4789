import { Socket } from 'node:net';

/**
 * Less than this is not worth being woken for, where nobody is in a hurry. With four times as much, the server often fills
 * what the kernel holds for it before it is read again, and waits.
 */
const WORTHWHILE = 32 * 1024;
/** How long more is waited for then. Milliseconds: the kernel holds for us what a server sends in 0.8. */
const PATIENCE = 0.3;
/** Nothing ever changes it: whoever waits for that sleeps. */
const NOTHING = new Int32Array(new SharedArrayBuffer(4));
let hasRested = false;

/**
 * Lets the servers fill what the kernel holds for us. The whole thread sleeps, at most once in a turn of its loop. A timer
 * would not do: it takes one or two milliseconds, and the servers stand still for most of that. Measured: a sixth to a
 * quarter of a dump's time.
 */
function rest(): void {
  if (hasRested) return;
  hasRested = true;
  setImmediate(() => {
    hasRested = false;
  });
  Atomics.wait(NOTHING, 0, 0, PATIENCE);
}

/**
 * A socket that always reads into the same bytes, once somebody takes them directly: a buffer for each of thousands of
 * reads would keep the collector busy. Until then it emits `data` as every socket does.
 */
export class DirectSocket extends Socket {
  /** Told of what has come, valid until it returns; false: reading stops until `resume()`. */
  #take: ((bytes: Uint8Array) => boolean) | undefined;
  #isPatient = false;

  /** @param room where what is read goes, at most so much at a time. Others may use it in between. */
  constructor(room: Uint8Array) {
    super({
      onread: {
        buffer: room,
        callback: (length: number, buffer: Uint8Array): boolean => this.#read(buffer.subarray(0, length)),
      },
    });
  }

  /**
   * @param isPatient whether to let bytes gather where they come in small pieces. A server sends 8 KiB at a time, and
   * waking for each of them takes longer than all that is done with it.
   */
  takeDirectly(take: (bytes: Uint8Array) => boolean, isPatient: boolean): void {
    this.#take = take;
    this.#isPatient = isPatient;
  }

  #read(bytes: Uint8Array): boolean {
    if (this.#take === undefined) {
      this.emit('data', Buffer.from(bytes));
      return true;
    }
    if (!this.#take(bytes)) return false;
    if (this.#isPatient && bytes.length < WORTHWHILE) rest();
    return true;
  }
}
