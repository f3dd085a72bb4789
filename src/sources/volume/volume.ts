/** Volumes of Docker and Podman. */
import { dirname } from 'node:path';
import type { Entry } from '../../domain/entry.ts';
import type { Finding } from '../../domain/finding.ts';
import { RespaldoError } from '../../errors.ts';
import { CARRIED, type ContainerEngine, type EngineVolume } from '../../runtimes/container-engine.ts';
import type { Source, SourceIo, SourceKind, SourceOptions, Standstill } from '../source.ts';
import { isVolumeAddress, parseVolumeAddress, type VolumeAddress } from './address.ts';
import { carriedEntries } from './carried-entries.ts';
import { FilledVolume } from './filled-volume.ts';
import { isFolderOfOurs } from './folder.ts';
import { checkUsers, usersToStop } from './users.ts';

/** One volume. Its content lies in `/_data` of the snapshot, as engines call the folder. */
class VolumeSource implements Source {
  readonly kind = 'volume';
  readonly paths: readonly string[];
  readonly #address: VolumeAddress;
  readonly #options: SourceOptions;

  constructor(address: VolumeAddress, options: SourceOptions) {
    this.paths = [`/docker-volume/${address.volume}`];
    this.#address = address;
    this.#options = options;
  }

  async check(): Promise<readonly Finding[]> {
    await this.#volume();
    return checkUsers(this.#engine(), this.#address.volume);
  }

  async standstill(): Promise<Standstill> {
    const engine = this.#engine();
    return { engine, containers: await usersToStop(engine, this.#address.volume) };
  }

  async *capture({ signal, report }: SourceIo): AsyncIterable<Entry> {
    const engine = this.#engine();
    const volume = await this.#volume();
    const { selection, reading } = this.#options;
    if (await isFolderOfOurs(engine, volume)) {
      const workingDirectory = dirname(volume.folder);
      yield { kind: 'local-tree', targets: [CARRIED], workingDirectory, selection, ...(reading && { reading }) };
      return;
    }
    await using carrier = await engine.carry(volume.name, 'read', this.#address.image);
    yield* carriedEntries(carrier, volume, selection, report, signal);
  }

  async #volume(): Promise<EngineVolume> {
    const volume = await this.#engine().volume(this.#address.volume);
    if (volume !== undefined) return volume;
    throw new RespaldoError('source-missing', `there is no volume "${this.#address.volume}"`, {
      hint: '`docker volume ls` shows those that there are; those of a compose project begin with its name.',
    });
  }

  #engine(): ContainerEngine {
    const { engine } = this.#options;
    if (engine === undefined) throw new RespaldoError('usage', 'no container engine was named to look for volumes in');
    return engine;
  }
}

export const volume: SourceKind = {
  name: 'volume',
  addresses: 'a volume of Docker (docker-volume:NAME)',
  accepts: isVolumeAddress,
  open: (address, options) => new VolumeSource(parseVolumeAddress(address), options),
  volume: (address, engine) => new FilledVolume(parseVolumeAddress(address), engine),
  restore: (_snapshot, into) => into.extract('/', into.folder),
};
