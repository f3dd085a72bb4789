import type { FolderMark } from './entry.ts';

/**
 * Reads `NAME` or `NAME:HEADER`: a file that marks its folder as one to leave out.
 * @returns undefined where no name can be meant
 */
export function parseFolderMark(text: string): FolderMark | undefined {
  const colon = text.indexOf(':');
  const name = colon === -1 ? text : text.slice(0, colon);
  if (name === '' || name.includes('/') || name === '.' || name === '..') return undefined;
  return { name, header: colon === -1 ? '' : text.slice(colon + 1) };
}
