/** A position in the WAL as a number: `16/B374D848` → 0x16B374D848. */
export function parseLsn(text: string): bigint {
  const [high = '0', low = '0'] = text.split('/');
  return (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`);
}

/** File names of the WAL segments that hold the positions from `start` up to, not including, `end`. */
export function segmentNames(timeline: number, start: bigint, end: bigint, segmentBytes: number): string[] {
  const size = BigInt(segmentBytes);
  const perLog = (1n << 32n) / size;
  const names: string[] = [];
  for (let segment = start / size; segment <= (end - 1n) / size; segment++)
    names.push([BigInt(timeline), segment / perLog, segment % perLog].map(eightDigits).join(''));
  return names;
}

function eightDigits(number: bigint): string {
  return number.toString(16).toUpperCase().padStart(8, '0');
}
