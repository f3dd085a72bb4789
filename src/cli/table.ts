import measure from 'fast-string-truncated-width';

export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
  /**
   * May be made narrower where the table is too wide: its texts then go on in further lines. `last`: only where the
   * others can give no more.
   */
  readonly flexible?: true | 'last';
}

/** Narrower, a column tells little; and narrower than the second, which is for terminals that are small, nothing. */
const NARROWEST = [12, 6];

/** A cell may hold several lines. */
export type Row = readonly string[];

/**
 * Columns under a heading and a rule, two spaces apart, wide characters counted as two. Rows whose cells hold several
 * lines keep their columns.
 * @param room what the terminal shows beside each other; flexible columns give way to it.
 */
export function renderTable(columns: readonly Column[], rows: readonly Row[], room = Infinity): string {
  const whole = rows.map((row) => columns.map((_, index) => (row[index] ?? '').split('\n')));
  const wanted = columns.map((column, index) =>
    Math.max(
      measure(column.title).width,
      ...whole.flatMap((row) => (row[index] ?? []).map((line) => measure(line).width)),
    ),
  );
  const widths = fitted(columns, wanted, room);
  const cells = whole.map((row) =>
    row.map((lines, index) => lines.flatMap((line) => folded(line, widths[index] ?? 0))),
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

/** Takes from the widest flexible column, again and again, until all fit or none can give any more. */
function fitted(columns: readonly Column[], wanted: readonly number[], room: number): readonly number[] {
  const widths = [...wanted];
  const widthOf = (index: number): number => widths[index] ?? 0;
  const sum = (): number => widths.reduce((all, width) => all + width, 2 * (columns.length - 1));
  for (const narrowest of NARROWEST)
    for (const readiness of [true, 'last'] as const) {
      const givers = columns.flatMap(({ flexible }, index) => (flexible === readiness ? [index] : []));
      while (sum() > room) {
        const widest = givers.toSorted((a, b) => widthOf(b) - widthOf(a))[0];
        if (widest === undefined || widthOf(widest) <= narrowest) break;
        widths[widest] = widthOf(widest) - 1;
      }
    }
  return widths;
}

/** A colour that begins and ends with the text, as `Output.style` gives it. */
const STYLED = new RegExp('^(\\u001b\\[[\\d;]*m)([^\\u001b]*)(\\u001b\\[[\\d;]*m)$');

/** A text in lines of at most `width`, broken behind spaces, commas and slashes where it has some. */
function folded(text: string, width: number): readonly string[] {
  if (measure(text).width <= width) return [text];
  const [, on, plain, off] = STYLED.exec(text) ?? [];
  if (plain !== undefined) return folded(plain, width).map((line) => `${on ?? ''}${line}${off ?? ''}`);
  const lines: string[] = [];
  let line = '';
  for (const piece of text.split(/(?<=[ ,/])/).flatMap((part) => chopped(part, width))) {
    if (line !== '' && measure((line + piece).trimEnd()).width > width) {
      lines.push(line.trimEnd());
      line = '';
    }
    line += piece;
  }
  return [...lines, line.trimEnd()];
}

/** A piece that is itself too long, by characters. */
function chopped(piece: string, width: number): readonly string[] {
  if (measure(piece.trimEnd()).width <= width) return [piece];
  const parts: string[] = [];
  let part = '';
  for (const character of piece) {
    if (part !== '' && measure(part + character).width > width) {
      parts.push(part);
      part = '';
    }
    part += character;
  }
  return [...parts, part];
}
