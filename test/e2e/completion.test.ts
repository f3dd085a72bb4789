import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { delimiter } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BIN, which, Workplace } from '../fixtures/cli.ts';

/** What each shell must offer after a command line: some of the words, and none of the others. */
const CASES: readonly (readonly [line: string, offered: readonly string[], never: readonly string[]])[] = [
  ['respaldo ', ['backup', 'restore', 'snapshots', 'key'], ['--json']],
  ['respaldo sn', ['snapshots'], ['backup']],
  ['respaldo key ', ['list', 'add', 'remove', 'passwd'], ['snapshots']],
  ['respaldo --json key pa', ['passwd'], ['add']],
  ['respaldo backup --ex', ['--exclude', '--exclude-file', '--exclude-caches'], ['--tag']],
  ['respaldo backup --js', ['--json'], ['--tag']],
  ['respaldo backup --type ', ['auto', 'full', 'differential', 'incremental'], ['wanted.txt']],
  ['respaldo restore latest --overwrite if', ['if-changed', 'if-newer'], ['always']],
  ['respaldo backup wan', ['wanted.txt'], ['list']],
  ['respaldo snapshots --password-file wan', ['wanted.txt'], ['list']],
  ['respaldo completion ', ['bash', 'zsh', 'fish'], ['wanted.txt']],
];

/** Each prints what the shell itself would offer for the command line in $1, one a line. */
const SHELLS: Readonly<Record<string, { readonly argv: readonly string[]; readonly script: string }>> = {
  bash: {
    argv: ['bash', '--norc', '-c'],
    script: `source <(respaldo completion bash)
      line=$1 COMP_LINE=$1 COMP_POINT=\${#1} COMP_TYPE=9
      read -ra COMP_WORDS <<<"$line"; [[ $line == *' ' ]] && COMP_WORDS+=('')
      COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
      compopt() { for file in *; do [[ $file == "\${COMP_WORDS[COMP_CWORD]}"* ]] && COMPREPLY+=("$file"); done; }
      _respaldo; printf '%s\\n' "\${COMPREPLY[@]}"`,
  },
  fish: {
    argv: ['fish', '--no-config', '-c'],
    script: `respaldo completion fish | source; complete --do-complete $argv[1] | string replace -r '\\t.*' ''; true`,
  },
  zsh: {
    argv: ['zsh', '-f', '-c'],
    // The real completion system in a real terminal: what it lists is read off the screen.
    script: `zmodload zsh/zpty
      zpty -b shell 'PS1=; zsh -f -i'
      say() { zpty -w shell "$1" }
      say 'PS1=; stty cols 200 rows 60; bindkey -e; LISTMAX=1000; unsetopt prompt_sp; zstyle ":completion:*" menu no'
      say 'autoload -U compinit; compinit -u -d $HOME/.zcompdump; source <(respaldo completion zsh)'
      say 'list-it() { zle list-choices; zle -R; zle -I; print "END OF LIST"; zle kill-whole-line }; zle -N list-it; bindkey "^X" list-it'
      say 'print READY""NOW'
      zpty -r -m shell output '*READYNOW*'
      zpty -w -n shell "$1"$'\\x18'
      zpty -r -m shell output '*END OF LIST*'
      print -r -- "$output" | tr -d '\\r' | sed 's/\\x1b\\[[0-9;?]*[a-zA-Z]//g'
      zpty -d shell`,
  },
};

describe.each(Object.entries(SHELLS))('The completion of %s', (shell, { argv, script }) => {
  const present = which(shell) !== undefined;
  let place: Workplace;

  beforeAll(async () => {
    place = await Workplace.make();
    await mkdir(place.path('bin'));
    await writeFile(place.path('bin/respaldo'), `#!/bin/sh\nexec '${process.execPath}' '${BIN}' "$@"\n`);
    await chmod(place.path('bin/respaldo'), 0o755);
    await writeFile(place.path('wanted.txt'), '');
    place.env.PATH = `${place.path('bin')}${delimiter}${process.env.PATH ?? ''}`;
  });
  afterAll(() => place[Symbol.asyncDispose]());

  it.skipIf(!present).each(CASES)('of "%s" offers what fits', async (line, offered, never) => {
    const words = await place.run(...argv, script, ...(shell === 'fish' ? [line] : [shell, line]));
    const shown = words.split(/\s+/);
    for (const word of offered) expect(shown).toContain(word);
    for (const word of never) expect(shown).not.toContain(word);
  });
});
