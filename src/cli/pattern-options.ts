/** The options by which a backup and a restore take their patterns. */
import type { Command } from 'commander';
import { malformedPatterns } from '../domain/pattern.ts';
import { RespaldoError } from '../errors.ts';
import { readPatternFiles } from './pattern-file.ts';
import { collect } from './select.ts';

/** As commander hands them over. */
export interface ExcludeOptions {
  readonly exclude: readonly string[];
  readonly iexclude: readonly string[];
  readonly excludeFile: readonly string[];
  readonly iexcludeFile: readonly string[];
}

export interface IncludeOptions {
  readonly include: readonly string[];
  readonly iinclude: readonly string[];
  readonly includeFile: readonly string[];
  readonly iincludeFile: readonly string[];
}

/** From the command line and from files together. */
export interface GivenPatterns {
  readonly patterns: readonly string[];
  /** Those that take upper and lower case for the same. */
  readonly ignoringCase: readonly string[];
}

export function addExcludeOptions(command: Command): Command {
  return command
    .option('-e, --exclude <pattern>', 'leave out what matches (repeatable)', collect, [])
    .option('--iexclude <pattern>', 'the same, whatever the case of letters (repeatable)', collect, [])
    .option('--exclude-file <file>', 'patterns from a file, one a line (repeatable)', collect, [])
    .option('--iexclude-file <file>', 'the same, whatever the case of letters (repeatable)', collect, []);
}

export function addIncludeOptions(command: Command): Command {
  return command
    .option('-i, --include <pattern>', 'restore only what matches (repeatable)', collect, [])
    .option('--iinclude <pattern>', 'the same, whatever the case of letters (repeatable)', collect, [])
    .option('--include-file <file>', 'patterns from a file, one a line (repeatable)', collect, [])
    .option('--iinclude-file <file>', 'the same, whatever the case of letters (repeatable)', collect, []);
}

/** @throws RespaldoError `usage` for a file that cannot be read, and for a malformed pattern */
export async function excludesOf(options: ExcludeOptions): Promise<GivenPatterns> {
  return {
    patterns: await given('--exclude', options.exclude, options.excludeFile),
    ignoringCase: await given('--iexclude', options.iexclude, options.iexcludeFile),
  };
}

/** As {@link excludesOf}. */
export async function includesOf(options: IncludeOptions): Promise<GivenPatterns> {
  return {
    patterns: await given('--include', options.include, options.includeFile),
    ignoringCase: await given('--iinclude', options.iinclude, options.iincludeFile),
  };
}

async function given(option: string, own: readonly string[], files: readonly string[]): Promise<readonly string[]> {
  requireWellFormed(option, own);
  const read = await readPatternFiles(`${option}-file`, files);
  requireWellFormed(`${option}-file`, read);
  return [...own, ...read];
}

function requireWellFormed(option: string, patterns: readonly string[]): void {
  const malformed = malformedPatterns(patterns);
  if (malformed.length === 0) return;
  throw new RespaldoError('usage', `malformed pattern of ${option}: ${malformed.join(', ')}`, {
    hint: 'A `[` begins a class that `]` must end, and a `\\` must stand before the character that it protects.',
  });
}
