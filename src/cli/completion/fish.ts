import type { CompletedCommand, CompletedOption } from './model.ts';

/** A script for fish 3 and newer. */
export function fishScript(program: CompletedCommand): string {
  return [
    '# Completion of respaldo for fish: respaldo completion fish | source',
    'complete -c respaldo -e',
    'complete -c respaldo -f',
    ...program.options.map((option) => optionLine(option, [])),
    ...commandLines(program, []),
    '',
  ].join('\n');
}

/** @param path the verbs that lead to the command */
function commandLines(command: CompletedCommand, path: readonly string[]): string[] {
  const own = path.length === 0 ? [] : command.options.map((option) => optionLine(option, path));
  const names = command.commands.map((child) => child.name);
  const here =
    path.length === 0
      ? '__fish_use_subcommand'
      : `${seen(path)}; and not __fish_seen_subcommand_from ${names.join(' ')}`;
  const verbs = command.commands.map(
    (child) => `complete -c respaldo -n ${quote(here)} -a ${child.name} -d ${quote(child.summary)}`,
  );
  return [
    ...own,
    ...verbs,
    ...argumentLines(command, path),
    ...command.commands.flatMap((child) => commandLines(child, [...path, child.name])),
  ];
}

function argumentLines({ arguments: value }: CompletedCommand, path: readonly string[]): string[] {
  if (value.kind === 'file') return [`complete -c respaldo -n ${quote(seen(path))} -F`];
  if (value.kind === 'words')
    return [`complete -c respaldo -n ${quote(seen(path))} -a ${quote(value.words.join(' '))}`];
  return [];
}

function optionLine(option: CompletedOption, path: readonly string[]): string {
  return [
    'complete -c respaldo',
    ...(path.length === 0 ? [] : [`-n ${quote(seen(path))}`]),
    ...(option.short === undefined ? [] : [`-s ${option.short.slice(1)}`]),
    `-l ${option.long.slice(2)}`,
    ...(option.value.kind === 'file' ? ['-r -F'] : []),
    ...(option.value.kind === 'free' ? ['-x'] : []),
    ...(option.value.kind === 'words' ? [`-x -a ${quote(option.value.words.join(' '))}`] : []),
    `-d ${quote(option.description)}`,
  ].join(' ');
}

function seen(path: readonly string[]): string {
  return path.map((name) => `__fish_seen_subcommand_from ${name}`).join('; and ');
}

function quote(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}
