import type { Entry } from '../../../domain/entry.ts';
import type { Finding } from '../../../domain/finding.ts';
import type { CaptureOptions, Increments, PortableFile, Source, SourceIo, SourceOptions } from '../../source.ts';
import { snapshotPaths, type BackupAddress } from '../address.ts';

/** All files of a MariaDB server. What talks to it is loaded when it is used. */
export class PhysicalSource implements Source {
  readonly kind = 'mysql';
  readonly typed = true;
  readonly paths: readonly string[];
  readonly #address: BackupAddress;
  readonly #password: string | undefined;

  constructor(address: BackupAddress, options: SourceOptions) {
    this.paths = snapshotPaths(address, options.place);
    this.#address = address;
    this.#password = options.password;
  }

  async check(io: SourceIo): Promise<readonly Finding[]> {
    const { checkFiles } = await import('./check.ts');
    return checkFiles(this.#address, this.#password, io);
  }

  async *capture(io: SourceIo, options: CaptureOptions): AsyncIterable<Entry> {
    const { captureFiles } = await import('./capture.ts');
    yield* captureFiles(this.#address, this.#password, io, options);
  }

  async *portable(io: SourceIo, increments?: Increments): AsyncIterable<PortableFile> {
    const { portableFiles } = await import('./portable.ts');
    yield* portableFiles(this.#address, this.#password, this.paths.join(), io, increments);
  }
}
