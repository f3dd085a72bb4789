import type { CompletedCommand, CompletedOption, Value } from './model.ts';

/** A script for zsh with its own completion system (`autoload -U compinit; compinit`). */
export function zshScript(program: CompletedCommand): string {
  return `#compdef respaldo
# Completion of respaldo for zsh: a file _respaldo in a folder of $fpath, or: source <(respaldo completion zsh)

typeset -ga _respaldo_globals
_respaldo_globals=(
${program.options.map((option) => `  ${optionSpec(option)}`).join('\n')}
)

${functionsOf(program, '_respaldo', []).join('\n\n')}

if [[ $funcstack[1] == _respaldo ]]; then _respaldo "$@"; else compdef _respaldo respaldo; fi
`;
}

/** One function for each command, those of its verbs first. */
function functionsOf(command: CompletedCommand, name: string, inherited: readonly CompletedOption[]): string[] {
  const children = command.commands.flatMap((child) => functionsOf(child, `${name}_${child.name}`, command.options));
  const own = inherited.length === 0 ? [] : command.options.map((option) => `    ${optionSpec(option)}`);
  const body = command.commands.length === 0 ? leaf(command, own) : branch(command, name, own);
  return [...children, `${name}() {\n${body}\n}`];
}

function leaf(command: CompletedCommand, options: readonly string[]): string {
  const rest = command.arguments.kind === 'none' ? [] : [`    ${quote(`*: :${action(command.arguments)}`)}`];
  return ['  _arguments -s -S $_respaldo_globals', ...options, ...rest].join(' \\\n');
}

function branch(command: CompletedCommand, name: string, options: readonly string[]): string {
  const verbs = command.commands.map((child) => `    ${quote(`${child.name}:${child.summary}`)}`);
  const cases = command.commands.map((child) => `        ${child.name}) ${name}_${child.name} ;;`);
  return [
    '  local context state line',
    '  local -a verbs',
    '  verbs=(',
    ...verbs,
    '  )',
    '  typeset -A opt_args',
    ['  _arguments -C -s $_respaldo_globals', ...options, "    '1: :->verb' '*:: :->rest'"].join(' \\\n'),
    '  case $state in',
    "    verb) _describe -t verbs 'verb' verbs ;;",
    '    rest)',
    '      case $words[1] in',
    ...cases,
    '      esac ;;',
    '  esac',
  ].join('\n');
}

/** `'(-n --dry-run)'{-n,--dry-run}'[what it does]:value:_files'` */
function optionSpec(option: CompletedOption): string {
  const flags = [...(option.short === undefined ? [] : [option.short]), option.long];
  const what = option.description.replace(/[[\]\\:]/g, '\\$&');
  const value = option.value.kind === 'none' ? '' : `:value:${action(option.value)}`;
  const exclusive = option.repeatable ? '*' : flags.length > 1 ? `(${flags.join(' ')})` : '';
  const names = flags.length > 1 ? `{${flags.join(',')}}` : flags.join('');
  return `${exclusive === '' ? '' : quote(exclusive)}${names}${quote(`[${what}]${value}`)}`;
}

function action(value: Value): string {
  switch (value.kind) {
    case 'file':
      return '_files';
    case 'words':
      return `(${value.words.join(' ')})`;
    case 'free':
    case 'none':
      return ' ';
  }
}

function quote(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
