import measure from 'fast-string-truncated-width';

/** As much of the line as the terminal is wide: a line that wraps could not be redrawn. */
export function fitted(line: string, columns: number): string {
  const { truncated, index } = measure(line, { limit: Math.max(1, columns), ellipsis: '…' });
  return truncated ? `${line.slice(0, index)}…` : line;
}
