import { createHash } from 'node:crypto';
import type { Cut, Entry, FileEntry, Metadata } from '../../domain/entry.ts';
import type { ReadableSnapshot } from '../../domain/snapshot.ts';
import { RespaldoError } from '../../errors.ts';
import type { CaptureOptions } from '../source.ts';
import { chooseBlock } from '../../domain/block-size.ts';
import type { CapturedFile } from './configuration.ts';
import { encodeFacts, FACTS_PATH } from '../server/snapshot-facts.ts';
import { differences, parseManifest, type SeenFile } from './manifest.ts';
import { ParentBlocks } from '../../domain/parent-blocks.ts';
import type { Server } from './server.ts';
import { readTar, type TarMember } from './tar.ts';
import type { BaseBackup, Part } from './wire/base-backup.ts';

const NS_PER_SECOND = 1_000_000_000n;
/** How many differences an error tells; the first ones are enough to see what is wrong. */
const TOLD = 5;

/** Tables, indexes and their forks and segments: files made of pages. Relative to the archive. */
const RELATION_FILE = /^(?:base\/\d+|global|PG_[^/]+\/\d+)\/\d+(?:_[a-z]+)?(?:\.\d+)?$/;

/** Turns the parts of a base backup into entries, remembering what passed so that it can be held against the manifest. */
export class BackupEntries {
  readonly #server: Server;
  readonly #backup: BaseBackup;
  readonly #clusterBytes: number;
  readonly #parents: ParentBlocks;
  readonly #seen = new Map<string, SeenFile>();
  #manifest: Buffer | undefined;
  #bytes = 0;
  /** Owner and time for what is not in the archives: those of the newest member. */
  #newest: Metadata = metadataOf({ mode: 0o600, uid: 0, gid: 0, mtime: 0 });

  constructor(server: Server, backup: BaseBackup, since: ReadableSnapshot | undefined) {
    this.#server = server;
    this.#backup = backup;
    this.#clusterBytes = backup.tablespaces.reduce((sum, { bytes }) => sum + bytes, 0);
    this.#parents = new ParentBlocks(since, server.pageBytes);
  }

  /** The entries of one part; its bytes are read while their content is. */
  async *of(part: Part): AsyncGenerator<Entry> {
    if (part.kind === 'manifest') {
      yield this.#file('/data/backup_manifest', this.#collect(part.bytes));
      return;
    }
    const oid = /^(\d+)\.tar$/.exec(part.name)?.[1];
    const folder = oid === undefined ? '/data' : `/tablespaces/${oid}`;
    const inManifest = oid === undefined ? '' : `pg_tblspc/${oid}/`;
    let isFirst = true;
    for await (const member of readTar(part.bytes, part.name)) {
      this.#remember(member);
      if (isFirst) yield* this.#roots(folder);
      isFirst = false;
      if (member.name === '') continue;
      yield await this.#entry(member, `${folder}/${member.name}`, `${inManifest}${member.name}`);
    }
  }

  /** @throws RespaldoError `source-lost` unless every file equals the manifest and all WAL is there. */
  verify(server: string): void {
    if (this.#manifest === undefined) throw unequal(server, ['the manifest is missing']);
    const found = differences(parseManifest(this.#manifest), this.#seen, this.#server.walSegmentBytes);
    if (found.length > 0) throw unequal(server, found);
  }

  *configuration(files: readonly CapturedFile[]): Generator<Entry> {
    const folders = new Set<string>();
    for (const { path, content } of files) {
      for (const folder of foldersOf(path)) {
        if (folders.has(folder)) continue;
        folders.add(folder);
        yield this.#directory(folder);
      }
      yield this.#file(path, [content]);
    }
  }

  facts(
    { type, origin }: Pick<CaptureOptions, 'type' | 'origin'>,
    endLsn: string,
    configuration: readonly CapturedFile[],
    damaged: readonly string[],
  ): Entry {
    const { systemIdentifier, version, pageBytes, walSegmentBytes, dataChecksums } = this.#server;
    const content = encodeFacts({
      format: 1,
      kind: 'postgres',
      method: 'physical',
      type,
      ...(origin && { origin }),
      systemIdentifier,
      serverVersion: version,
      timeline: this.#backup.timeline,
      startLsn: this.#backup.startLsn,
      endLsn,
      pageBytes,
      walSegmentBytes,
      dataChecksums,
      damagedFiles: [...damaged],
      files: this.#seen.size,
      bytes: this.#bytes,
      tablespaces: this.#backup.tablespaces.flatMap(({ oid, location }) =>
        oid === undefined || location === undefined ? [] : [{ oid, location }],
      ),
      configuration: configuration.map(({ role, original, path }) => ({ role, original, path })),
    });
    return this.#file(FACTS_PATH, [content]);
  }

  async #entry(member: TarMember, path: string, manifestPath: string): Promise<Entry> {
    const metadata = metadataOf(member);
    if (member.kind === 'directory') return { kind: 'directory', path, metadata };
    if (member.kind === 'symlink') return { kind: 'symlink', path, metadata, target: member.target };
    const content = this.#hashed(member.content, manifestPath);
    return { kind: 'file', path, metadata, content, cut: await this.#cut(member, path) };
  }

  async #cut(member: TarMember, path: string): Promise<Cut> {
    if (!RELATION_FILE.test(member.name)) return 'content';
    const kept = await this.#parents.blockOf(path);
    return { block: kept ?? chooseBlock(member.size, this.#clusterBytes, this.#server.pageBytes) };
  }

  async *#hashed(content: AsyncIterable<Uint8Array>, manifestPath: string): AsyncGenerator<Uint8Array> {
    const hash = createHash('sha256');
    let size = 0;
    for await (const piece of content) {
      hash.update(piece);
      size += piece.length;
      yield piece;
    }
    this.#bytes += size;
    this.#seen.set(manifestPath, { size, sha256: hash.digest('hex') });
  }

  async *#collect(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    const pieces: Uint8Array[] = [];
    for await (const piece of content) {
      pieces.push(piece);
      yield piece;
    }
    this.#manifest = Buffer.concat(pieces);
  }

  *#roots(folder: string): Generator<Entry> {
    if (folder !== '/data' && this.#seen.size === 0) yield this.#directory('/tablespaces');
    yield this.#directory(folder);
  }

  #remember(member: TarMember): void {
    const metadata = metadataOf(member);
    if (metadata.mtimeNs >= this.#newest.mtimeNs) this.#newest = metadata;
  }

  #file(path: string, content: FileEntry['content']): FileEntry {
    return { kind: 'file', path, metadata: { ...this.#newest, mode: 0o600 }, content };
  }

  #directory(path: string): Entry {
    return { kind: 'directory', path, metadata: { ...this.#newest, mode: 0o700 } };
  }
}

/** The folders above a path, outermost first, without the root. */
function foldersOf(path: string): string[] {
  const names = path.split('/').slice(1, -1);
  return names.map((_, i) => `/${names.slice(0, i + 1).join('/')}`);
}

function metadataOf({ mode, uid, gid, mtime }: Pick<TarMember, 'mode' | 'uid' | 'gid' | 'mtime'>): Metadata {
  const time = BigInt(mtime) * NS_PER_SECOND;
  return { mode, uid, gid, mtimeNs: time, atimeNs: time, ctimeNs: time };
}

function unequal(server: string, found: readonly string[]): RespaldoError {
  const more = found.length > TOLD ? ` and ${String(found.length - TOLD)} more` : '';
  return new RespaldoError(
    'source-lost',
    `what arrived from ${server} is not what its manifest says: ${found.slice(0, TOLD).join('; ')}${more}`,
    { hint: 'Nothing was stored as a snapshot. Run the backup again; if this repeats, suspect the network or memory.' },
  );
}
