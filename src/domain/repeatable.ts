/** What `make` yields, begun anew by whoever asks for it: unlike that of a generator it can be read several times. */
export function repeatable<T>(make: () => AsyncIterable<T>): AsyncIterable<T> {
  return { [Symbol.asyncIterator]: () => make()[Symbol.asyncIterator]() };
}
