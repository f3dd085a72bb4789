import { availableParallelism } from 'node:os';

/**
 * Content in blocks of exactly `size` bytes, but for the last; without any content one empty block.
 * @param spare memory of blocks that nobody uses any more
 * @param onTaken told of each piece when all of it has been copied
 */
export async function* inBlocks(
  content: AsyncIterable<Uint8Array>,
  size: number,
  spare: Uint8Array[] = [],
  onTaken: (piece: Uint8Array) => void = () => undefined,
): AsyncGenerator<Uint8Array> {
  const newBlock = (): Uint8Array => spare.pop() ?? Buffer.allocUnsafe(size);
  let block = newBlock();
  let filled = 0;
  let isFirst = true;
  for await (const piece of content) {
    const { length } = piece;
    for (let at = 0; at < length;) {
      const taken = Math.min(size - filled, length - at);
      block.set(piece.subarray(at, at + taken), filled);
      at += taken;
      filled += taken;
      if (filled < size) continue;
      yield block;
      isFirst = false;
      block = newBlock();
      filled = 0;
    }
    onTaken(piece);
  }
  if (filled > 0 || isFirst) yield block.subarray(0, filled);
}

/**
 * Content through `work`, block by block, on several cores. The memory of a block is used again when `work` is done with it.
 * @param work what it answers is its own
 * @param onTaken told of each piece of the content that is not needed any more
 */
export function byBlocks(
  content: AsyncIterable<Uint8Array>,
  size: number,
  work: (block: Uint8Array) => Promise<Uint8Array>,
  onTaken?: (piece: Uint8Array) => void,
): AsyncIterable<Uint8Array> {
  const spare: Uint8Array[] = [];
  return inParallel(inBlocks(content, size, spare, onTaken), async (block) => {
    const result = await work(block);
    if (block.length === size) spare.push(block);
    return result;
  });
}

/**
 * What `work` makes of each block, in the blocks' order. As many as there are cores are worked on at a time; no block is
 * asked for before there is room for it.
 */
export async function* inParallel<T>(
  blocks: AsyncIterable<T>,
  work: (block: T) => Promise<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const atOnce = availableParallelism() + 1;
  const running: Promise<Uint8Array>[] = [];
  try {
    for await (const block of blocks) {
      const result = work(block);
      // Whoever waits for an earlier one hears of a failure when its turn comes.
      result.catch(() => undefined);
      running.push(result);
      if (running.length >= atOnce) yield* first(running);
    }
    while (running.length > 0) yield* first(running);
  } finally {
    await Promise.allSettled(running);
  }
}

async function* first(running: Promise<Uint8Array>[]): AsyncGenerator<Uint8Array> {
  const result = await running.shift();
  if (result !== undefined && result.length > 0) yield result;
}
