/** The checksum at the end of an RDB: CRC-64 of Jones, reflected, eight bytes at a time. */

/** The polynomial 0xad93d23594c935a9 with its bits in reverse. */
const LOW = 0xac4bc9b5;
const HIGH = 0x95ac9329;
const STEP = 8;

/** For each place of a byte among eight, what it does to the checksum: halves of 64 bits. */
const [lows, highs] = tables();

export class Crc64 {
  #low = 0;
  #high = 0;

  update(bytes: Uint8Array): void {
    let [low, high] = [this.#low, this.#high];
    let at = 0;
    for (const end = bytes.length - (bytes.length % STEP); at < end; at += STEP) {
      low ^= word(bytes, at);
      high ^= word(bytes, at + 4);
      let [newLow, newHigh] = [0, 0];
      for (let place = 0; place < 4; place++) {
        const first = (7 - place) * 256 + ((low >>> (8 * place)) & 0xff);
        const second = (3 - place) * 256 + ((high >>> (8 * place)) & 0xff);
        newLow ^= (lows[first] ?? 0) ^ (lows[second] ?? 0);
        newHigh ^= (highs[first] ?? 0) ^ (highs[second] ?? 0);
      }
      [low, high] = [newLow, newHigh];
    }
    for (; at < bytes.length; at++) {
      const index = (low ^ (bytes[at] ?? 0)) & 0xff;
      low = ((low >>> 8) | (high << 24)) ^ (lows[index] ?? 0);
      high = (high >>> 8) ^ (highs[index] ?? 0);
    }
    [this.#low, this.#high] = [low, high];
  }

  /** As it stands in an RDB: eight bytes, the least first. */
  digest(): Uint8Array {
    const bytes = Buffer.alloc(8);
    bytes.writeInt32LE(this.#low | 0, 0);
    bytes.writeInt32LE(this.#high | 0, 4);
    return bytes;
  }
}

function word(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24);
}

function tables(): readonly [Int32Array, Int32Array] {
  const [low, high] = [new Int32Array(256 * STEP), new Int32Array(256 * STEP)];
  for (let byte = 0; byte < 256; byte++) {
    let [l, h] = [byte, 0];
    for (let bit = 0; bit < 8; bit++) {
      const isOdd = (l & 1) === 1;
      l = (l >>> 1) | (h << 31);
      h >>>= 1;
      if (isOdd) [l, h] = [l ^ LOW, h ^ HIGH];
    }
    [low[byte], high[byte]] = [l, h];
  }
  for (let index = 256; index < 256 * STEP; index++) {
    const [l, h] = [low[index - 256] ?? 0, high[index - 256] ?? 0];
    low[index] = ((l >>> 8) | (h << 24)) ^ (low[l & 0xff] ?? 0);
    high[index] = (h >>> 8) ^ (high[l & 0xff] ?? 0);
  }
  return [low, high];
}
