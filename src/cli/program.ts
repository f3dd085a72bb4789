import { Command, CommanderError, Option } from 'commander';
import { systemClock, type Clock } from '../clock.ts';
import { errnoOf, ERRORS, RespaldoError } from '../errors.ts';
import { report } from './errors.ts';
import { optionDescription } from './help.ts';
import type { Globals, Invocation } from './invocation.ts';
import { startLeftStopped } from './left-stopped.ts';
import { Output } from './output.ts';
import { abortOnSignals } from './signals.ts';
import { parseSpan } from './time.ts';
import { VERBS } from './verbs.ts';

/**
 * Runs one command line to its end.
 * @param argv without the program's name
 * @param version the program's own
 * @returns the exit code
 */
export async function run(argv: readonly string[], version: string, clock: Clock = systemClock): Promise<number> {
  let output = new Output(modeOf(argv));
  const signal = abortOnSignals(clock, () => {
    output.status('');
    if (output.interactive) output.error('respaldo: stopping and cleaning up; once more ends at once');
  });
  let code = 0;
  const program = createProgram(version, (globals, wholeProgram) => {
    output = new Output({ ...globals, verbosity: globals.verbose });
    const exit = (wanted: number): void => void (code = wanted);
    return { globals, output, signal, clock, version, exit, wholeProgram };
  });
  // What nobody waited for is a bug too, and is told in the same way.
  process.once('uncaughtException', (error) => process.exit(report(error, output, signal)));
  let verb = '';
  program.hook('preSubcommand', (_, command) => void (verb = ` ${command.name()}`));
  try {
    await program.parseAsync(argv, { from: 'user' });
  } catch (error) {
    if (isHelp(error)) code = error.exitCode === 0 ? 0 : ERRORS.usage.exit;
    else code = report(error instanceof CommanderError ? usageError(error, verb) : error, output, signal);
  }
  await output.end();
  return output.failure === undefined ? code : report(unwritable(output.failure), output, signal);
}

/** What was printed last is not all there is: nobody may take it for that. */
function unwritable(failure: Error): RespaldoError {
  const code = errnoOf(failure) === 'ENOSPC' ? 'store-full' : 'store-broken';
  return new RespaldoError(code, `cannot write to standard output: ${failure.message}`, { cause: failure });
}

/** Every verb with its one line, and the options that all of them share. A verb is filled in when it is needed. */
function createProgram(
  version: string,
  invoke: (globals: Globals, whole: Invocation['wholeProgram']) => Invocation,
): Command {
  const program = new Command('respaldo')
    .description("Backs up, restores and proves. The repository is restic's: nothing is locked in.")
    .usage('<verb> [options]')
    .exitOverride()
    .configureOutput({ outputError: () => undefined })
    .configureHelp({ showGlobalOptions: true, subcommandTerm: (command) => command.name(), optionDescription })
    .helpOption('-h, --help', 'help, with examples and exit codes')
    .helpCommand(false)
    .version(version, '-V, --version', 'print the version')
    .addHelpText('after', FIRST_STEPS);
  for (const option of globalOptions()) program.addOption(option);
  for (const { heading, verbs } of VERBS) {
    program.commandsGroup(heading);
    for (const verb of verbs) program.command(verb.name).description(verb.summary);
  }
  const filled = new Set<Command>();
  let invocation: Invocation | undefined;
  const fill = async (verb: Command): Promise<void> => {
    // What a verb has below it, it has defined itself.
    if (verb.parent !== program || filled.has(verb)) return;
    filled.add(verb);
    const module = await loaders.get(verb.name())?.();
    await module?.define(verb, (invocation ??= invoke(globalsOf(program), whole)));
  };
  const whole = async (): Promise<Command> => {
    await Promise.all(program.commands.map(fill));
    return program;
  };
  program
    .command('help [verb...]')
    .description('Show the help of a verb')
    .action((names: string[]) => showHelp(program, names, fill));
  return program
    .hook('preSubcommand', (_, verb) => fill(verb))
    .hook('preAction', async () => {
      if (invocation !== undefined) await startLeftStopped(invocation);
    });
}

/** `respaldo help key add`: the same as `respaldo key add --help`. */
async function showHelp(
  program: Command,
  names: readonly string[],
  fill: (verb: Command) => Promise<void>,
): Promise<void> {
  let command = program;
  for (const name of names) {
    const next = command.commands.find((candidate) => candidate.name() === name);
    if (next === undefined)
      throw new RespaldoError('usage', `unknown command '${name}'`, { hint: 'See `respaldo --help`.' });
    await fill(next);
    command = next;
  }
  command.help();
}

/** Commander's way to end after it has shown a help or the version. */
function isHelp(error: unknown): error is CommanderError {
  return error instanceof CommanderError && (error.exitCode === 0 || error.code === 'commander.help');
}

const loaders = new Map(VERBS.flatMap((group) => group.verbs).map((verb) => [verb.name, verb.load]));

const FIRST_STEPS = `
First steps:
  export RESPALDO_REPOSITORY=/srv/backup RESPALDO_PASSWORD_FILE=~/.respaldo-password
  respaldo init
  respaldo backup ./folder
  respaldo snapshots
  respaldo restore latest --target ./restored

Help of a verb, with examples and exit codes: respaldo <verb> --help`;

function globalOptions(): Option[] {
  return [
    new Option(
      '-r, --repo <location>',
      'repository: a folder, sftp:…, s3:…, or a name in respaldo.yaml (RESPALDO_REPOSITORY)',
    ),
    new Option('--repository-file <file>', 'file with its location (RESPALDO_REPOSITORY_FILE)'),
    new Option('-p, --password-file <file>', 'file with its password (RESPALDO_PASSWORD_FILE)'),
    new Option('--password-command <command>', 'command that prints it (RESPALDO_PASSWORD_COMMAND)'),
    new Option('--config <file>', 'configuration; default: the nearest respaldo.yaml upwards'),
    new Option('--cache-dir <folder>', 'where to keep what is read often from stores elsewhere (RESPALDO_CACHE_DIR)'),
    new Option('--no-cache', 'keep nothing of them here, and believe nothing that was kept'),
    new Option('--no-lock', 'for verbs that only read: without a lock, as on a read-only store'),
    new Option('--retry-lock <time>', 'wait so long for others to be done: 90s, 5m, 2h').argParser(parseSpan),
    new Option('--pack-size <MiB>', 'size of new packs, 4 to 128; 16 if not given (RESPALDO_PACK_SIZE)'),
    new Option(
      '--compression <mode>',
      'of what is stored from now on: off, auto or max; auto if not given (RESPALDO_COMPRESSION)',
    ),
    new Option('--json', 'messages for programs, in the shapes of restic'),
    new Option('-q, --quiet', 'results and errors only'),
    new Option('-v, --verbose', 'tell more; -vv tells most').argParser(
      (_, before: number | undefined) => (before ?? 0) + 1,
    ),
    new Option('--no-color', 'no colours (NO_COLOR)'),
  ];
}

function globalsOf(program: Command): Globals {
  const { json = false, quiet = false, verbose = 0, ...rest } = program.opts<Partial<Globals>>();
  return { color: true, cache: true, lock: true, ...rest, json, quiet, verbose };
}

/** `error: unknown command 'snapshot'\n(Did you mean snapshots?)` in our words. */
function usageError(error: CommanderError, verb: string): RespaldoError {
  const [message = '', ...rest] = error.message.replace(/^error: /, '').split('\n');
  const suggestion = rest.join(' ').replace(/^\(|\)$/g, '');
  const hint = suggestion === '' ? `See \`respaldo${verb} --help\`.` : suggestion;
  return new RespaldoError('usage', message, { hint });
}

/** Enough of the command line to report an error in it the right way. */
function modeOf(argv: readonly string[]): Output['mode'] {
  const options = argv.includes('--') ? argv.slice(0, argv.indexOf('--')) : argv;
  return { json: options.includes('--json'), quiet: false, verbosity: 0, color: !options.includes('--no-color') };
}
