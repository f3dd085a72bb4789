/** What PostgreSQL calls the encodings of databases, and how their text is read. */

/** Not here: what Node reads by itself, and what is taken for UTF-8, also where there is no encoding (`SQL_ASCII`). */
const LABELS: Readonly<Record<string, string>> = {
  LATIN2: 'iso-8859-2',
  LATIN3: 'iso-8859-3',
  LATIN4: 'iso-8859-4',
  LATIN5: 'iso-8859-9',
  LATIN6: 'iso-8859-10',
  LATIN7: 'iso-8859-13',
  LATIN8: 'iso-8859-14',
  LATIN9: 'iso-8859-15',
  LATIN10: 'iso-8859-16',
  ISO_8859_5: 'iso-8859-5',
  ISO_8859_6: 'iso-8859-6',
  ISO_8859_7: 'iso-8859-7',
  ISO_8859_8: 'iso-8859-8',
  KOI8R: 'koi8-r',
  KOI8U: 'koi8-u',
  WIN866: 'ibm866',
  WIN874: 'windows-874',
  EUC_JP: 'euc-jp',
  EUC_JIS_2004: 'euc-jp',
  EUC_KR: 'euc-kr',
  EUC_CN: 'gbk',
};

/** Reads text from `from` to `to` of the bytes; what cannot be read is replaced, never an error. */
export type Decode = (bytes: Buffer, from: number, to: number) => string;

const UTF8: Decode = (bytes, from, to) => bytes.toString('utf8', from, to);

/** @param encoding as the server names it. */
export function decoderOf(encoding: string): Decode {
  // What the Web calls so is another encoding, Windows’ own.
  if (encoding === 'LATIN1') return (bytes, from, to) => bytes.toString('latin1', from, to);
  const label = LABELS[encoding] ?? /^WIN(125\d)$/.exec(encoding)?.[1]?.replace(/^/, 'windows-');
  if (label === undefined) return UTF8;
  const decoder = new TextDecoder(label);
  return (bytes, from, to) => decoder.decode(bytes.subarray(from, to));
}

/** Whether what we write to the server is, byte by byte, what it keeps. */
export function isWrittenAlike(text: string, encoding: string): boolean {
  return encoding === 'UTF8' || encoding === 'SQL_ASCII' || /^[\x20-\x7e]*$/.test(text);
}
