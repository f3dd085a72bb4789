import type { Entry } from '../../../domain/entry.ts';
import type { Finding } from '../../../domain/finding.ts';
import type {
  CaptureOptions,
  FollowOptions,
  Increments,
  LogStretch,
  PortableFile,
  Source,
  SourceIo,
  SourceOptions,
} from '../../source.ts';
import { snapshotPaths, type BackupAddress } from '../address.ts';

/** The binary log of a server, in stretches that follow one another. */
export class BinlogSource implements Source {
  readonly kind = 'mysql';
  readonly typed = true;
  readonly paths: readonly string[];
  readonly #address: BackupAddress;
  readonly #password: string | undefined;

  constructor(address: BackupAddress, { place, password }: Pick<SourceOptions, 'place' | 'password'>) {
    this.paths = snapshotPaths(address, place);
    this.#address = address;
    this.#password = password;
  }

  async check(io: SourceIo): Promise<readonly Finding[]> {
    return (await import('./check.ts')).checkBinlogs(this.#address, this.#password, io);
  }

  async *capture(io: SourceIo, options: CaptureOptions): AsyncIterable<Entry> {
    const { captureBinlogs } = await import('./capture.ts');
    yield* captureBinlogs(this.#address, this.#password, io, options);
  }

  async *follow(io: SourceIo, options: FollowOptions): AsyncIterable<LogStretch> {
    const { followBinlogs } = await import('./follow.ts');
    yield* followBinlogs(this.#address, this.#password, io, options);
  }

  async *portable(io: SourceIo, increments?: Increments): AsyncIterable<PortableFile> {
    const { portableBinlogs } = await import('./portable.ts');
    yield* portableBinlogs(this.#address, this.#password, this.paths.join(), io, increments);
  }
}
