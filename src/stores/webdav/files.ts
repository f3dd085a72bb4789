import { discard, type DavRequest } from './client.ts';
import { absence, DavRefusal, isAbsence, statusOf } from './errors.ts';
import { type DavEntry, PROPERTIES, readListing } from './listing.ts';
import type { DavSession } from './session.ts';

/** Statuses of success, whichever of them a server prefers. */
const DONE = [200, 201, 204];

/** Files and folders of a server, by their paths as URLs have them. What is refused is thrown as the server says it. */
export class DavFiles {
  readonly #session: DavSession;
  readonly #top: string;

  /** @param top of the folder above which nobody looks for a reason: a path that ends in a slash */
  constructor(session: DavSession, top: string) {
    this.#session = session;
    this.#top = top;
  }

  /** At most one. */
  entryIfThere(path: string, signal: AbortSignal): Promise<DavEntry[]> {
    return this.entriesIfThere(path, '0', signal);
  }

  /** As {@link entries}; none where there is nothing. */
  async entriesIfThere(path: string, depth: '0' | '1', signal: AbortSignal): Promise<DavEntry[]> {
    try {
      return await this.entries(path, depth, signal);
    } catch (error) {
      if (isAbsence(error)) return [];
      throw error;
    }
  }

  /** What lies at a path, and after it what lies in it. What is no such list must never pass for an empty folder. */
  async entries(path: string, Depth: '0' | '1', signal: AbortSignal): Promise<[DavEntry, ...DavEntry[]]> {
    const headers = { Depth, 'content-type': 'application/xml; charset=utf-8' };
    const request = { method: 'PROPFIND', path, headers, body: Buffer.from(PROPERTIES) };
    const answer = await this.#session.ask(request, [207], signal).catch(async (error: unknown) => {
      throw statusOf(error) === 400 && (await this.#isBelowFile(path, signal)) ? absence() : error;
    });
    const entries = await readListing(answer);
    const wanted = decodeURIComponent(path).replace(/\/$/, '');
    const self = entries.find((entry) => entry.path === wanted);
    if (self === undefined) throw new Error('the server answered with a list of another folder');
    return [self, ...entries.filter((entry) => entry !== self)];
  }

  /** Whether there can be nothing at a path: of one below a file some servers say that nobody could understand it. */
  async #isBelowFile(path: string, signal: AbortSignal): Promise<boolean> {
    const above = path.endsWith('/') ? path.slice(0, -1) : path.slice(0, path.lastIndexOf('/'));
    if (above.length < this.#top.length) return false;
    const [entry] = await this.entryIfThere(above, signal);
    return entry?.isFolder !== true;
  }

  /** @throws what says that there is no such object, where a folder is. */
  async sizeOf(path: string, signal: AbortSignal): Promise<number> {
    const [entry] = await this.entries(path, '0', signal);
    if (entry.isFolder) throw absence();
    if (entry.size === undefined) throw new Error('the server does not say how large it is');
    return entry.size;
  }

  async put(path: string, body: NonNullable<DavRequest['body']>, signal: AbortSignal): Promise<void> {
    const headers = { 'content-type': 'application/octet-stream' };
    await discard(await this.#session.ask({ method: 'PUT', path, headers, body }, DONE, signal));
  }

  /** Puts what lies at one path in the place of what lies at another. */
  async move(path: string, to: string, signal: AbortSignal): Promise<void> {
    const headers = { Destination: this.#session.url(to), Overwrite: 'T' };
    await discard(await this.#session.ask({ method: 'MOVE', path, headers }, DONE, signal));
  }

  /** No error if nothing is there. Of a folder: with all that lies in it. */
  async delete(path: string, signal: AbortSignal): Promise<void> {
    try {
      await discard(await this.#session.ask({ method: 'DELETE', path }, DONE, signal));
    } catch (error) {
      if (!isAbsence(error)) throw error;
    }
  }

  /** No error if it is there already. */
  async makeFolder(path: string, signal: AbortSignal): Promise<void> {
    try {
      await discard(await this.#session.ask({ method: 'MKCOL', path: `${path}/` }, DONE, signal));
    } catch (error) {
      if (!(error instanceof DavRefusal)) throw error;
      const [entry] = await this.entryIfThere(`${path}/`, signal).catch(() => []);
      if (entry?.isFolder !== true) throw error;
    }
  }
}
