/**
 * Asks for the first item at once, while who consumes them is still getting ready: a server may take its time to begin.
 * Disposing of it ends the items, consumed or not.
 */
export function begun<T>(items: AsyncIterable<T>): AsyncIterable<T> & AsyncDisposable {
  const iterator = items[Symbol.asyncIterator]();
  const first = iterator.next();
  // Who asks for it is told; nobody may ever ask.
  first.catch(() => undefined);
  let isTaken = false;
  const next = (): Promise<IteratorResult<T>> => {
    if (isTaken) return iterator.next();
    isTaken = true;
    return first;
  };
  const end = async (): Promise<IteratorResult<T>> => {
    await iterator.return?.();
    return { done: true, value: undefined };
  };
  return {
    [Symbol.asyncIterator]: () => ({ next, return: end }),
    [Symbol.asyncDispose]: async () => {
      await end();
    },
  };
}
