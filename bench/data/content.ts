/** What files hold. Every function makes exactly `size` bytes, the same for the same state of `random`. */
import type { Random } from './random.ts';
import { phrase, word } from './words.ts';

export type Content = (random: Random, size: number) => Buffer;

/** Source text: indented lines that call, assign and comment. */
export const source: Content = (random, size) =>
  fill(size, () => {
    const indent = '  '.repeat(random.below(4));
    switch (random.below(4)) {
      case 0:
        return `${indent}// ${phrase(random, 4 + random.below(10))}\n`;
      case 1:
        return `${indent}const ${word(random)} = ${word(random)}.${word(random)}(${word(random)}, ${random.below(1000)});\n`;
      case 2:
        return `${indent}if (${word(random)} !== ${word(random)}) return ${word(random)}(${word(random)});\n`;
      default:
        return `${indent}${word(random)}.${word(random)}('${phrase(random, 1 + random.below(4))}');\n`;
    }
  });

/** Records as an API answers them. */
export const json: Content = (random, size) =>
  fill(size, () => {
    const tags = `["${word(random)}", "${word(random)}"]`;
    const price = (random.below(1_000_000) / 100).toFixed(2);
    return `  { "id": ${random.next()}, "name": "${phrase(random, 2)}", "price": ${price}, "tags": ${tags} },\n`;
  });

/** Lines of a web server. */
export const log: Content = (random, size) => {
  let seconds = random.below(86_400);
  return fill(size, () => {
    seconds += random.below(3);
    const time = new Date(1_700_000_000_000 + seconds * 1000).toISOString();
    const from = `10.${random.below(8)}.${random.below(256)}.${random.below(256)}`;
    const method = random.pick(['GET', 'GET', 'GET', 'POST', 'PUT']);
    const request = `${method} /${word(random)}/${word(random)}/${random.below(100_000)} HTTP/1.1`;
    return `${from} - - [${time}] "${request}" ${random.pick([200, 200, 200, 304, 404])} ${random.below(50_000)} "-"\n`;
  });
};

/** Machine code is like this: instructions from a small set with operands from a large one, and tables. */
export const binary: Content = (random, size) => {
  const bytes = random.noise(size);
  for (let at = 0; at < size; at += 16) {
    const kind = bytes[at] ?? 0;
    // Of 16 bytes some are operations, which repeat, some are high bytes of addresses and numbers, which are zero.
    for (let n = 0; n < 16 && at + n < size; n++) {
      if ((n & 3) === 0) bytes[at + n] = (bytes[at + n] ?? 0) & 0x0f;
      else if ((n & 3) === 3 || kind < 64) bytes[at + n] = 0;
    }
  }
  return bytes;
};

/** What a camera or an archiver wrote: nothing is left to compress. */
export const compressed: Content = (random, size) => random.noise(size);

const PAGE = 8192;

/** Pages of a database's table: a header, rows of text and numbers, and some free space. */
export const pages: Content = (random, size) => {
  const bytes = Buffer.alloc(size);
  for (let at = 0; at < size; at += PAGE) {
    const page = bytes.subarray(at, at + PAGE);
    const used = Math.floor(PAGE * (0.6 + random.below(40) / 100));
    random.noise(8).copy(page);
    for (let row = 24; row < used && row + 12 < page.length;)
      row += random.noise(12).copy(page, row) + page.write(phrase(random, 8), row + 12, 'latin1');
  }
  return bytes;
};

/** Pieces of text until there are enough bytes. */
function fill(size: number, piece: () => string): Buffer {
  const bytes = Buffer.allocUnsafe(size);
  for (let at = 0; at < size;) at += bytes.write(piece(), at, 'latin1');
  return bytes;
}
