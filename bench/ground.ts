/** The folder that the bench works in: tools' homes, repositories, data. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { measure, type Sample } from './measure.ts';
import type { Command, Place, Tool } from './tools/tool.ts';
import { warm } from './warm.ts';

const execute = promisify(execFile);

export class Ground {
  /** Absolute. */
  readonly folder: string;
  readonly signal: AbortSignal;
  readonly #home: string;
  /** An empty repository in restic's format. */
  readonly #empty: Place;

  /** @param parent where a new folder is made */
  static async prepare(parent: string, signal: AbortSignal): Promise<Ground> {
    const folder = await mkdtemp(join(parent, 'respaldo-measure-'));
    const ground = new Ground(folder, signal);
    await mkdir(ground.#home, { mode: 0o700 });
    return ground;
  }

  private constructor(folder: string, signal: AbortSignal) {
    this.folder = folder;
    this.signal = signal;
    this.#home = join(folder, 'home');
    this.#empty = { repository: join(folder, 'empty/repository'), cache: join(folder, 'empty/cache') };
  }

  /** Makes the empty repository that those of restic's format are copies of: the same cuts, and the same cost to open. */
  async makeEmpty(tool: Tool): Promise<void> {
    await mkdir(this.#empty.cache, { recursive: true });
    await this.run(tool.command({ kind: 'init' }, this.#empty));
  }

  /** A new repository in `folder`, which must be missing. */
  async newPlace(tool: Tool, folder: string): Promise<Place> {
    if (tool.sharesFormat) return this.copyPlace(this.#empty, folder);
    const place = { repository: join(folder, 'repository'), cache: join(folder, 'cache') };
    await mkdir(place.cache, { recursive: true });
    await this.run(tool.command({ kind: 'init' }, place));
    return place;
  }

  /** Stored objects are never written twice, so that a copy may share them; what a tool remembers is copied whole. */
  async copyPlace(place: Place, folder: string): Promise<Place> {
    const copy = { repository: join(folder, 'repository'), cache: join(folder, 'cache') };
    await mkdir(folder, { recursive: true });
    await execute('cp', ['--archive', '--link', place.repository, copy.repository]);
    await cp(place.cache, copy.cache, { recursive: true });
    return copy;
  }

  /**
   * Measures a command after everything that others wrote has reached the disk, and what it reads is in memory: a tool
   * that ran before may have had it dropped from there (borg does), and so may the system.
   */
  async measure(command: Command, reads?: string): Promise<Sample> {
    await execute('sync');
    if (reads !== undefined) warm(reads);
    return measure(command, this.#home, this.signal);
  }

  /** Runs a command whose cost does not matter. */
  async run(command: Command): Promise<void> {
    await measure(command, this.#home, this.signal);
  }

  /** Whether there is something of this name. */
  has(name: string): boolean {
    return existsSync(join(this.folder, name));
  }

  /** Removes what has this name. */
  async drop(name: string): Promise<void> {
    await rm(join(this.folder, name), { recursive: true, force: true });
  }

  /** Removes everything. */
  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}
