import { readTarMembers } from '../../domain/tar-reader.ts';
import { tarEnd, tarHeader } from '../../domain/tar.ts';
import { RespaldoError } from '../../errors.ts';
import { CARRIED, type ContainerEngine, type VolumeCarrier } from '../../runtimes/container-engine.ts';
import type { UnpackArchive, VolumeToFill } from '../source.ts';
import type { VolumeAddress } from './address.ts';
import { isFolderOfOurs } from './folder.ts';

/** A volume that is new or empty, and used by nobody who runs. */
export class FilledVolume implements VolumeToFill {
  readonly content = `/${CARRIED}`;
  readonly name: string;
  readonly #image: string | undefined;
  readonly #engine: ContainerEngine;

  constructor({ volume, image }: VolumeAddress, engine: ContainerEngine) {
    this.name = volume;
    this.#image = image;
    this.#engine = engine;
  }

  async exists(): Promise<boolean> {
    const volume = await this.#engine.volume(this.name);
    if (volume === undefined) return false;
    const running = (await this.#engine.usersOf(this.name)).filter((user) => user.running).map(({ name }) => name);
    if (running.length === 0) return true;
    throw new RespaldoError('target-refused', `the volume ${this.name} is in use: ${running.join(', ')} runs`, {
      hint: `Stop it first: docker stop ${running.join(' ')}`,
    });
  }

  async fill(fill: (into: string | UnpackArchive) => Promise<void>, signal: AbortSignal): Promise<void> {
    if (await this.exists()) return this.#fill(fill, signal);
    await this.#engine.createVolume(this.name);
    try {
      await this.#fill(fill, signal);
    } catch (error) {
      // What is half restored is not left for somebody to start on.
      await this.#engine.removeVolume(this.name).catch(() => undefined);
      throw error;
    }
  }

  async #fill(fill: (into: string | UnpackArchive) => Promise<void>, signal: AbortSignal): Promise<void> {
    const volume = await this.#engine.volume(this.name);
    if (volume !== undefined && (await isFolderOfOurs(this.#engine, volume))) {
      await fill(volume.folder);
      return;
    }
    await using carrier = await this.#engine.carry(this.name, 'write', this.#image);
    await this.#requireEmpty(carrier, signal);
    await fill(async (archive, top) => {
      await carrier.write(`/${CARRIED}`, archive, signal);
      await carrier.write('/', archiveOfFolder(top), signal);
    });
  }

  async #requireEmpty(carrier: VolumeCarrier, signal: AbortSignal): Promise<void> {
    const broken = (what: string) =>
      new RespaldoError('source-lost', `what the engine tells of the volume ${this.name} makes no sense: ${what}`);
    for await (const member of readTarMembers(carrier.read(CARRIED, signal), broken)) {
      if (member.name === CARRIED) continue;
      throw new RespaldoError('target-not-empty', `the volume ${this.name} is not empty`, {
        hint: 'Restore into a new one, or empty it first.',
      });
    }
  }
}

/** An engine takes what is said of a folder only from an archive that is unpacked into the one above it. */
async function* archiveOfFolder(top: Parameters<UnpackArchive>[1]): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(tarHeader({ path: CARRIED, type: 'directory', size: 0, ...top }));
  yield tarEnd();
}
