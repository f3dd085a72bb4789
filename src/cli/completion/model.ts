import type { Argument, Command, Option } from 'commander';

/** What a shell can offer for a value. */
export type Value =
  | { readonly kind: 'none' }
  /** Local files and folders. */
  | { readonly kind: 'file' }
  | { readonly kind: 'words'; readonly words: readonly string[] }
  /** Something that only the user knows: offer nothing. */
  | { readonly kind: 'free' };

export interface CompletedOption {
  readonly short?: string;
  readonly long: string;
  readonly description: string;
  readonly value: Value;
  readonly repeatable: boolean;
}

/** The program, a verb, or a verb's verb, as completion scripts see it. */
export interface CompletedCommand {
  readonly name: string;
  readonly summary: string;
  /** Its own, without the program's. */
  readonly options: readonly CompletedOption[];
  /** What its arguments are; the last one repeats. */
  readonly arguments: Value;
  readonly commands: readonly CompletedCommand[];
}

/** Options and arguments of these names are local files; all others are not. */
const FILES = new Set(['file', 'folder', 'location', 'address']);

/** @param command with every verb filled in */
export function completedCommand(command: Command): CompletedCommand {
  const help = command.createHelp();
  return {
    name: command.name(),
    summary: command.summary() || command.description(),
    options: help.visibleOptions(command).map(completedOption),
    arguments: argumentsOf(command.registeredArguments),
    commands: command.commands.map(completedCommand),
  };
}

function completedOption(option: Option): CompletedOption {
  const name = /[<[]([\w-]+)/.exec(option.flags)?.[1];
  return {
    ...(option.short === undefined ? {} : { short: option.short }),
    long: option.long ?? option.flags,
    description: option.description,
    value: name === undefined ? { kind: 'none' } : valueOf(name, option.argChoices),
    repeatable: Array.isArray(option.defaultValue) || option.attributeName() === 'verbose',
  };
}

function argumentsOf(list: readonly Argument[]): Value {
  const named = list.find((argument) => argument.argChoices !== undefined || isFile(argument.name()));
  if (named !== undefined) return valueOf(named.name(), named.argChoices);
  return list.length === 0 ? { kind: 'none' } : { kind: 'free' };
}

function valueOf(name: string, choices: readonly string[] | undefined): Value {
  if (choices !== undefined) return { kind: 'words', words: choices };
  return { kind: isFile(name) ? 'file' : 'free' };
}

function isFile(name: string): boolean {
  return name.split('|').some((part) => FILES.has(part));
}
