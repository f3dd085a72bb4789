import { Argument, type Command } from 'commander';
import { bashScript } from '../completion/bash.ts';
import { fishScript } from '../completion/fish.ts';
import { completedCommand } from '../completion/model.ts';
import { zshScript } from '../completion/zsh.ts';
import { describe } from '../help.ts';
import type { Invocation } from '../invocation.ts';

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript };

export function define(command: Command, { output, wholeProgram }: Invocation): void {
  describe(command, {
    about: 'The script is static: completing a word starts no program. Print it again after an upgrade.',
    examples: [
      ['source <(respaldo completion bash)', 'in ~/.bashrc'],
      ['source <(respaldo completion zsh)', 'in ~/.zshrc, after compinit'],
      ['respaldo completion fish | source', 'in ~/.config/fish/config.fish'],
    ],
  })
    .addArgument(new Argument('<shell>', 'whose script').choices(Object.keys(SCRIPTS)))
    .action(async (shell: keyof typeof SCRIPTS) => {
      output.result(SCRIPTS[shell](completedCommand(await wholeProgram())).trimEnd());
    });
}
