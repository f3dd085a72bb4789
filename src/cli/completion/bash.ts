import type { CompletedCommand, CompletedOption, Value } from './model.ts';

/** A script for bash 4 and newer; needs nothing but bash. */
export function bashScript(program: CompletedCommand): string {
  const commands = flat(program, []);
  return `# Completion of respaldo for bash: source <(respaldo completion bash)
_respaldo() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]}
  # bash takes the = of --option=value for a word of its own.
  [[ $current == = ]] && current=
  [[ $previous == = ]] && previous=\${COMP_WORDS[COMP_CWORD-2]}

  local path='' at
  for ((at = 1; at < COMP_CWORD; at++)); do
    case "$path \${COMP_WORDS[at]}" in
${commands
  .filter(({ path }) => path.length > 0)
  .map(({ path }) => `      ${quote(` ${path.join(' ')}`)}) path=${quote(` ${path.join(' ')}`)} ;;`)
  .join('\n')}
    esac
  done

  local words='' files=''
  case "$previous" in
${program.options.flatMap((option) => valueCase(option, '    ')).join('\n')}
  esac
  case "$path" in
${commands.map(({ path, command }) => commandCase(path, command, program)).join('\n')}
  esac
  _respaldo_offer "$words" "$files"
}

_respaldo_offer() {
  COMPREPLY=($(compgen -W "$1" -- "$current"))
  [[ -n $2 && \${#COMPREPLY[@]} -eq 0 ]] && compopt -o default 2>/dev/null
  return 0
}

complete -F _respaldo respaldo
`;
}

interface Placed {
  readonly path: readonly string[];
  readonly command: CompletedCommand;
}

function flat(command: CompletedCommand, path: readonly string[]): Placed[] {
  return [{ path, command }, ...command.commands.flatMap((child) => flat(child, [...path, child.name]))];
}

/** What one verb offers: the values of its options after these, else its options, its verbs and its arguments. */
function commandCase(path: readonly string[], command: CompletedCommand, program: CompletedCommand): string {
  const own = path.length === 0 ? [] : command.options.flatMap((option) => valueCase(option, '        '));
  const inherited = path.length === 0 ? [] : program.options;
  const flags = [...command.options, ...inherited].flatMap(flagsOf);
  const words = [...command.commands.map((child) => child.name), ...wordsOf(command.arguments)];
  return [
    `    ${path.length === 0 ? "''" : quote(` ${path.join(' ')}`)})`,
    ...(own.length === 0 ? [] : ['      case "$previous" in', ...own, '      esac']),
    `      if [[ $current == -* ]]; then words=${quote(flags.join(' '))}`,
    `      else words=${quote(words.join(' '))} files=${command.arguments.kind === 'file' ? 'yes' : "''"}; fi ;;`,
  ].join('\n');
}

/** After an option that takes a value only this value is offered. */
function valueCase(option: CompletedOption, indent: string): string[] {
  if (option.value.kind === 'none') return [];
  const words = quote(wordsOf(option.value).join(' '));
  const files = option.value.kind === 'file' ? 'yes' : "''";
  return [`${indent}${flagsOf(option).join('|')}) _respaldo_offer ${words} ${files}; return ;;`];
}

function flagsOf(option: CompletedOption): string[] {
  return option.short === undefined ? [option.long] : [option.short, option.long];
}

function wordsOf(value: Value): readonly string[] {
  return value.kind === 'words' ? value.words : [];
}

function quote(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
