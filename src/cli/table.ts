import measure from 'fast-string-truncated-width';

export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
}

/** A cell may hold several lines. */
export type Row = readonly string[];

/**
 * Columns under a heading and a rule, two spaces apart, wide characters counted as two. Rows whose cells hold several
 * lines keep their columns.
 */
export function renderTable(columns: readonly Column[], rows: readonly Row[]): string {
  const cells = rows.map((row) => columns.map((_, index) => (row[index] ?? '').split('\n')));
  const widths = columns.map((column, index) =>
    Math.max(
      measure(column.title).width,
      ...cells.flatMap((row) => (row[index] ?? []).map((line) => measure(line).width)),
    ),
  );
  const line = (texts: readonly string[]): string =>
    columns
      .map((column, index) => pad(texts[index] ?? '', widths[index] ?? 0, column.align ?? 'left'))
      .join('  ')
      .trimEnd();
  const rule = '-'.repeat(widths.reduce((sum, width) => sum + width, 0) + 2 * (columns.length - 1));
  const body = cells.flatMap((row) => {
    const height = Math.max(...row.map((cell) => cell.length));
    return Array.from({ length: height }, (_, at) => line(row.map((cell) => cell[at] ?? '')));
  });
  return [line(columns.map((column) => column.title)), rule, ...body, rule].join('\n');
}

function pad(text: string, width: number, align: 'left' | 'right'): string {
  const space = ' '.repeat(Math.max(0, width - measure(text).width));
  return align === 'left' ? text + space : space + text;
}
