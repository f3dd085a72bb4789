import { isError } from '../../errors.ts';
import type { Command, Runtime } from '../../runtimes/runtime.ts';

/** The environment that a container gives to every program: it says how to log in to the container's own server. */
export class ContainerVariables {
  readonly #values: ReadonlyMap<string, string>;
  readonly #read: (file: string) => Promise<string | undefined>;

  private constructor(values: ReadonlyMap<string, string>, read: (file: string) => Promise<string | undefined>) {
    this.#values = values;
    this.#read = read;
  }

  /** Empty where they cannot be read. */
  static async read(runtime: Runtime, signal: AbortSignal): Promise<ContainerVariables> {
    const said = (await output(['env', '-0'], runtime, signal)) ?? '';
    const pairs = said.split('\0').flatMap((line): [string, string][] => {
      const at = line.indexOf('=');
      return at < 1 ? [] : [[line.slice(0, at), line.slice(at + 1)]];
    });
    return new ContainerVariables(new Map(pairs), (file) => output(['cat', '--', file], runtime, signal));
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  /** Of the first of these that has one: its value, or the content of the file that `<name>_FILE` names. */
  async firstOf(names: readonly string[]): Promise<string | undefined> {
    for (const name of names) {
      const value = this.#values.get(name);
      if (value !== undefined && value !== '') return value;
      const file = this.#values.get(`${name}_FILE`);
      const content = file === undefined || file === '' ? undefined : (await this.#read(file))?.replace(/\r?\n$/, '');
      if (content !== undefined && content !== '') return content;
    }
    return undefined;
  }
}

/** Undefined where there is no such program, or it fails: then nothing is known, and the server says what it misses. */
async function output(argv: Command['argv'], runtime: Runtime, signal: AbortSignal): Promise<string | undefined> {
  try {
    return Buffer.concat(await Array.fromAsync(runtime.run({ argv }, signal))).toString('utf8');
  } catch (error) {
    if (isError(error, 'tool-missing') || isError(error, 'command-failed')) return undefined;
    throw error;
  }
}
