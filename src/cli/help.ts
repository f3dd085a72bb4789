import type { Command, Option } from 'commander';

interface HelpText {
  /** What a person needs to know beyond the options: a few sentences. */
  readonly about?: string;
  readonly examples: readonly (readonly [command: string, what: string])[];
  /** Exit codes with what they mean for this verb; 0, 1 and 2 are added. */
  readonly exits?: readonly ExitCode[];
}

type ExitCode = keyof typeof MEANINGS;

const MEANINGS = {
  0: 'done',
  1: 'failed',
  2: 'wrong usage or configuration',
  3: 'done, but incomplete: something could not be read or written',
  10: 'there is no repository',
  11: 'the repository is locked by another process',
  12: 'wrong password',
  130: 'cancelled by Ctrl-C or SIGTERM',
  141: 'the reader of standard output went away before the end',
} as const;

/** The codes of every verb that opens a repository. */
export const REPOSITORY_EXITS = [10, 11, 12, 130] as const;

/** Adds what it is about, examples and exit codes to `respaldo <verb> --help`. */
export function describe(command: Command, text: HelpText): Command {
  const summary = command.description();
  const sideBySide = text.examples.every(([example, what]) => example.length + what.length <= 64);
  const widest = Math.max(...text.examples.map(([example]) => example.length));
  const examples = text.examples.map(([example, what]) =>
    sideBySide ? `  ${example.padEnd(widest)}  # ${what}` : `  # ${what}\n  ${example}`,
  );
  const codes: ExitCode[] = [0, 1, 2, ...(text.exits ?? [])];
  const exits = codes.map((code) => `  ${String(code).padEnd(3)}  ${MEANINGS[code]}`);
  return command
    .helpCommand(false)
    .summary(summary)
    .description(text.about === undefined ? `${summary}.` : `${summary}. ${text.about}`)
    .addHelpText('after', ['', 'Examples:', ...examples, '', 'Exit codes:', ...exits].join('\n'));
}

/** An option's line in the help: its values in words, and no defaults that nobody asked about. */
export function optionDescription({ description, argChoices }: Option): string {
  return argChoices === undefined ? description : `${description}: ${argChoices.join(', ')}`;
}
