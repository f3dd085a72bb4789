import { homedir } from 'node:os';
import path from 'node:path';
import type { SecretReference } from '../domain/plan.ts';
import type { SecretSetting } from './secret.ts';
import { splitWords } from './words.ts';

/** What a configuration refers to, from the folder it lies in: an absolute path. */
export function toReference({ env, file, command }: SecretSetting, folder: string): SecretReference {
  if (env !== undefined) return { env };
  if (file !== undefined) return { file: absolutePath(file, folder) };
  if (typeof command === 'string') return { command: splitWords(command, 'command'), folder };
  const [program, ...args] = command ?? [];
  if (program === undefined) throw new TypeError('the schema asks for one of env, file and command');
  return { command: [expandHome(program), ...args], folder };
}

/** A folder becomes absolute; what has another scheme stays as it is. */
export function absoluteUrl(url: string, folder: string): string {
  if (/^local:/i.test(url)) return absolutePath(url.slice('local:'.length), folder);
  const isFolder = !url.includes(':') || /^(\.{0,2}|~)\//.test(url);
  return isFolder ? absolutePath(url, folder) : url;
}

export function absolutePath(text: string, folder: string): string {
  return path.resolve(folder, expandHome(text));
}

/** No shell reads the file, so `~/` is expanded here. */
export function expandHome(text: string): string {
  return text.startsWith('~/') ? path.join(homedir(), text.slice(2)) : text;
}
