import { isError, RespaldoError } from '../../errors.ts';
import type { VolumeCarrier } from '../container-engine.ts';
import type { Command, Runtime } from '../runtime.ts';

/** What a changing volume does to a program that reads it. */
const RESTLESS =
  'A file that changes while it is read has this effect. Stop who writes it, or label the container respaldo.stop-during-backup=true.';

/**
 * A container that runs GNU tar of its image, as root, with the volume in it. Podman needs it: its engine hands files
 * out, and takes them, as if they belonged to the user of the container. Times keep their fractions this way.
 */
export class RunningCarrier implements VolumeCarrier {
  readonly #runtime: Runtime;
  readonly #volume: string;
  readonly #remove: () => Promise<unknown>;

  private constructor(runtime: Runtime, volume: string, remove: () => Promise<unknown>) {
    this.#runtime = runtime;
    this.#volume = volume;
    this.#remove = remove;
  }

  /**
   * @param runtime of a container that runs, and has the volume at `/_data`.
   * @param remove removes the container, also if this fails.
   * @throws RespaldoError `tool-missing` where the image holds no shell or another tar.
   */
  static async open(
    runtime: Runtime,
    volume: string,
    image: string,
    remove: () => Promise<unknown>,
  ): Promise<RunningCarrier> {
    const carrier = new RunningCarrier(runtime, volume, remove);
    try {
      if (await carrier.#hasGnuTar()) return carrier;
      throw new RespaldoError('tool-missing', `the image ${image} holds no GNU tar to read the volume ${volume} with`, {
        hint: 'Name an image that does, as those based on Debian do: docker-volume:NAME?image=IMAGE',
      });
    } catch (error) {
      await carrier[Symbol.asyncDispose]();
      throw error;
    }
  }

  async *read(path: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const argv = ['tar', '--create', '--format=posix', '--numeric-owner', '--directory=/', '--', path] as const;
    try {
      yield* this.#runtime.run({ argv, env: { LC_ALL: 'C' } }, signal);
    } catch (error) {
      if (!isError(error, 'command-failed')) throw error;
      const message = `the volume ${this.#volume} was not read to its end: ${error.message}`;
      throw new RespaldoError('source-lost', message, { hint: RESTLESS, cause: error });
    }
  }

  async write(folder: string, archive: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> {
    const kept = ['--preserve-permissions', '--same-owner', '--numeric-owner', '--delay-directory-restore'];
    const command: Command = { argv: ['tar', '--extract', ...kept, `--directory=${folder}`], stdin: archive };
    for await (const _ of this.#runtime.run({ ...command, env: { LC_ALL: 'C' } }, signal));
  }

  /** Where that fails, the next carrier removes it, once this process has ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#remove().catch(() => undefined);
  }

  async #hasGnuTar(): Promise<boolean> {
    try {
      const said = await Array.fromAsync(
        this.#runtime.run({ argv: ['tar', '--version'] }, new AbortController().signal),
      );
      return Buffer.concat(said).includes('GNU tar');
    } catch (error) {
      if (isError(error, 'command-failed') || isError(error, 'tool-missing')) return false;
      throw error;
    }
  }
}
