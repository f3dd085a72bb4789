const NEWLINE = 0x0a;

/** Whether the line that lies from `from` to before `to`, without its newline, goes. */
export type IsDropped = (bytes: Buffer, from: number, to: number) => boolean;

/** SQL without some of its lines. Each line is asked about once, in order and whole, however the pieces are cut. */
export async function* withoutLines(sql: AsyncIterable<Uint8Array>, isDropped: IsDropped): AsyncGenerator<Uint8Array> {
  let held = Buffer.alloc(0);
  for await (const piece of sql) {
    const bytes = Buffer.concat([held, piece]);
    const end = bytes.lastIndexOf(NEWLINE) + 1;
    held = bytes.subarray(end);
    if (end > 0) yield kept(bytes.subarray(0, end), isDropped);
  }
  if (held.length > 0) yield kept(held, isDropped);
}

/** @param bytes whole lines */
function kept(bytes: Buffer, isDropped: IsDropped): Buffer {
  const parts: Buffer[] = [];
  let start = 0;
  for (let at = 0; at < bytes.length;) {
    const newline = bytes.indexOf(NEWLINE, at);
    const end = newline < 0 ? bytes.length : newline;
    if (isDropped(bytes, at, end)) {
      parts.push(bytes.subarray(start, at));
      start = Math.min(end + 1, bytes.length);
    }
    at = end + 1;
  }
  return parts.length === 0 ? bytes : Buffer.concat([...parts, bytes.subarray(start)]);
}
