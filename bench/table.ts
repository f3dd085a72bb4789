/** Results as a table in Markdown that can be read as plain text, too. */
import type { Results, RowResult, StoredSample } from './results.ts';
import { type Row, ROWS } from './rows.ts';

/** restic's size by ours may differ by so much. */
const STORED_BAR = 1.02;
/** Bytes: of memory at the peak, and for each blob. */
const MEMORY_BAR = 350e6;
const INDEX_BAR = 60;

const COLUMNS = [
  'wall s: ours / restic / borg',
  'restic ÷ ours',
  'must / goal',
  'CPU s: ours / restic / borg',
  'ours ÷ restic',
  'must',
  'peak MB: ours / restic / borg',
  'size ÷ restic',
  'index B/blob: ours / restic',
];

/** What falls short of the bar is bold. Rows that were not measured are left out. */
export function renderTable(results: Results): string {
  const lines = ROWS.flatMap((row) => {
    const result = results.rows[row.name];
    return result === undefined ? [] : [cells(row, result)];
  });
  const work = results.scale === 1 ? 'work' : `work, at ${results.scale} of these sizes`;
  return align([[work, ...COLUMNS], ...lines]);
}

function cells(row: Row, { medians, ratios, indexBytes }: RowResult): string[] {
  const { bar } = row;
  const each = (show: (sample: StoredSample) => string): string =>
    [medians.respaldo, medians.restic, medians.borg].map((sample) => (sample ? show(sample) : '–')).join(' / ');
  return [
    row.title,
    each(({ wall }) => wall.toFixed(2)),
    marked(ratios.wall?.toFixed(2), bar === undefined || (ratios.wall ?? Infinity) >= bar.wall),
    bar ? `${bar.wall.toFixed(1)} / ${bar.goal}` : '',
    each(({ cpu }) => cpu.toFixed(2)),
    marked(ratios.cpu?.toFixed(2), bar === undefined || (ratios.cpu ?? 0) <= bar.cpu),
    bar ? `≤ ${bar.cpu}` : '',
    marked(
      each(({ memory }) => (memory / 1e6).toFixed(0)),
      medians.respaldo === undefined || hasMemory(row, medians.respaldo),
    ),
    marked(ratios.stored?.toFixed(3), isStoredWell(ratios.stored)),
    indexBytes
      ? marked(`${indexBytes.respaldo ?? '–'} / ${indexBytes.restic ?? '–'}`, (indexBytes.respaldo ?? 0) <= INDEX_BAR)
      : '',
  ];
}

function isStoredWell(ratio: number | undefined): boolean {
  return ratio === undefined || ratio <= STORED_BAR;
}

/** With a large index the bar is higher: see its own column. */
function hasMemory(row: Row, { memory }: StoredSample): boolean {
  return row.data.kind === 'repository' || memory <= MEMORY_BAR;
}

function marked(text: string | undefined, isGood: boolean): string {
  if (text === undefined) return '';
  return isGood ? text : `**${text}**`;
}

/** A table of these rows, of which the first is the heading. */
export function align(rows: readonly (readonly string[])[]): string {
  const [head = [], ...body] = rows;
  const widths = head.map((_, column) => Math.max(3, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${widths.map((width, column) => (row[column] ?? '').padEnd(width)).join(' | ')} |`;
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  return [line(head), rule, ...body.map(line)].join('\n');
}
