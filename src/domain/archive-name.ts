/** Names of an archive's files: from templates such as `{plan}/{database}-{time}`. Pure. */
import { stepsEnding, type CompressionName } from './archive.ts';

/** What stands between braces in a template. `{name}` is another word for `{database}`. */
const PLACEHOLDERS = ['plan', 'database', 'name', 'host', 'time', 'date', 'year', 'month', 'day', 'extension'] as const;
type Placeholder = (typeof PLACEHOLDERS)[number];

/** What a name is made of. */
export interface NamedFile {
  readonly plan: string;
  /** Of the database or folder. */
  readonly database: string;
  readonly host: string;
  readonly time: Date;
  /** Of the plain content, without the dot: `sql`. */
  readonly extension: string;
  /** What the steps add, with its dots: `.gz.gpg`, or nothing. */
  readonly ending: string;
}

/** The endings of all that a file's name may end with. */
const ENDINGS = new Set(['sql', 'tar', 'gz', 'bz2', 'zst', 'xz', 'gpg', 'age']);
const LONGEST_PART = 200;
const LONGEST_KEY = 800;

/**
 * What is wrong with a template, as a sentence's end; undefined: nothing.
 * @param compression and `encryption`: the steps of the archive, which the template's own ending has to agree with
 */
export function templateComplaint(
  template: string,
  compression: CompressionName,
  encryption: 'gpg' | 'age' | undefined,
): string | undefined {
  const used = [...template.matchAll(/\{([^{}]*)\}/g)].map(([, name = '']) => name);
  const unknown = used.find((name) => !isPlaceholder(name));
  if (unknown !== undefined) return `has {${unknown}}, which nothing is known of: there are ${allPlaceholders()}`;
  if (/[{}]/.test(template.replaceAll(/\{[^{}]*\}/g, ''))) return 'has a brace that is not closed or not opened';
  if (!used.includes('time')) return 'lacks {time}: files of different days would have the same name';
  if (!used.includes('database') && !used.includes('name'))
    return 'lacks {database}: the files of several databases or folders would have the same name';
  const parts = template.split('/');
  if (parts.includes('')) return 'has an empty part: it starts or ends with a /, or has two of them together';
  if (parts.some((part) => part.startsWith('.'))) return 'has a part that begins with a dot';
  if (/[\u0000-\u001f\u007f\\]/.test(template)) return 'holds a control character or a backslash';
  if (template.length > LONGEST_PART) return `is longer than ${String(LONGEST_PART)} characters`;
  const own = endingOf(template);
  const steps = stepsEnding(compression, encryption);
  if (own !== '' && !isEnding(own, steps))
    return `ends in ${own}, but the files of this archive end in ${steps === '' ? '.sql or .tar' : `.sql${steps} or .tar${steps}`}: leave the ending out, it is added`;
  return undefined;
}

/** Whether a template's ending is what a file with these steps has anyway. */
function isEnding(own: string, steps: string): boolean {
  if (!own.endsWith(steps)) return false;
  const plain = own.slice(0, own.length - steps.length);
  return plain === '' ? steps !== '' : /^\.(sql|tar)$/.test(plain);
}

/**
 * The key of a file in its store. A name's characters that could lead elsewhere, or that some store or shell cannot
 * bear, are percent-encoded, so that no two names become the same.
 */
export function archiveKey(template: string, file: NamedFile): string {
  const bare = template.slice(0, template.length - endingOf(template, file.extension).length);
  const filled = bare.replaceAll(/\{([^{}]*)\}/g, (whole, name: string) =>
    isPlaceholder(name) ? valueOf(name, file) : whole,
  );
  const key = `${filled}.${file.extension}${file.ending}`;
  return shortened(key.split('/')).join('/');
}

/** Whether a key may be that of an archive's file, or of its manifest: every template has the time in it. */
export function mayBeArchiveKey(key: string): boolean {
  return /\d{8}T\d{6}Z/.test(key);
}

/** The same key with a number, for who finds the first taken. @param number from 2 */
export function numberedKey(key: string, number: number): string {
  const slash = key.lastIndexOf('/') + 1;
  const dot = key.slice(slash).search(/(\.[a-z0-9]+){1,3}$/);
  const at = dot < 0 ? key.length : slash + dot;
  return `${key.slice(0, at)}-${String(number)}${key.slice(at)}`;
}

function valueOf(name: Placeholder, { plan, database, host, time, extension }: NamedFile): string {
  const [year, month, day] = time.toISOString().slice(0, 10).split('-');
  switch (name) {
    case 'plan':
      return harmlessPart(plan);
    case 'database':
    case 'name':
      return harmlessPart(database);
    case 'host':
      return harmlessPart(host);
    case 'time':
      return time.toISOString().replaceAll(/[-:]|\.\d+/g, '');
    case 'date':
      return `${year ?? ''}-${month ?? ''}-${day ?? ''}`;
    case 'year':
      return year ?? '';
    case 'month':
      return month ?? '';
    case 'day':
      return day ?? '';
    case 'extension':
      return harmlessPart(extension);
  }
}

/** Letters and digits of any language and a few signs stay. */
function harmlessPart(name: string): string {
  const encoded = name.normalize('NFC').replaceAll(/[^\p{L}\p{N}\p{M}._@+=,-]/gu, percentEncoded);
  const safe = encoded.replace(/^[.-]/, percentEncoded);
  return safe === '' ? '%' : safe;
}

function percentEncoded(character: string): string {
  return [...new TextEncoder().encode(character)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
}

/** File systems bear names of 255 bytes: a longer one keeps its beginning and its end, and a sum of the whole. */
function shortened(parts: readonly string[]): readonly string[] {
  const short = parts.map((part) => {
    const bytes = new TextEncoder().encode(part).length;
    if (bytes <= LONGEST_PART) return part;
    const ends = Array.from(part);
    return `${fitting(ends, 60)}-${sumOf(part)}-${fitting(ends.toReversed(), 60, true)}`;
  });
  return short.join('/').length > LONGEST_KEY ? short.slice(-1) : short;
}

function fitting(characters: readonly string[], bytes: number, reversed = false): string {
  const taken: string[] = [];
  let room = bytes;
  for (const character of characters) {
    room -= new TextEncoder().encode(character).length;
    if (room < 0) break;
    taken.push(character);
  }
  return (reversed ? taken.toReversed() : taken).join('');
}

/** FNV-1a in 64 bits: tells long names apart, nothing more. */
function sumOf(text: string): string {
  let sum = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(text))
    sum = ((sum ^ BigInt(byte)) * 0x100000001b3n) & 0xffffffffffffffffn;
  return sum.toString(16).padStart(16, '0');
}

/** `.sql.gz.gpg` of a template, as far as it is made of known endings. @param extension one more of them */
function endingOf(template: string, extension = ''): string {
  const pieces = template.slice(template.lastIndexOf('/') + 1).split('.');
  let first = pieces.length;
  const isKnown = (piece: string): boolean => ENDINGS.has(piece) || (piece !== '' && piece === extension);
  while (first > 1 && isKnown(pieces[first - 1] ?? '')) first--;
  return pieces
    .slice(first)
    .map((piece) => `.${piece}`)
    .join('');
}

function isPlaceholder(name: string): name is Placeholder {
  return (PLACEHOLDERS as readonly string[]).includes(name);
}

function allPlaceholders(): string {
  return PLACEHOLDERS.map((name) => `{${name}}`).join(', ');
}
