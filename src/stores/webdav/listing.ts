import sax from 'sax';

/** What a server tells of a file or folder. */
export interface DavEntry {
  /** Decoded, without the slash at a folder's end. */
  readonly path: string;
  readonly isFolder: boolean;
  /** Bytes; of a folder, or where the server does not say: absent. */
  readonly size?: number;
  readonly modified?: Date;
  /** Bytes that may still be written there, where the server says so. */
  readonly available?: number;
  readonly used?: number;
}

/** What is asked for. */
export const PROPERTIES =
  '<?xml version="1.0" encoding="utf-8"?><propfind xmlns="DAV:"><prop><resourcetype/><getcontentlength/>' +
  '<getlastmodified/><quota-available-bytes/><quota-used-bytes/></prop></propfind>';

/** Names of the namespace `DAV:` alone count; a server may add others. */
const DAV = 'DAV:';

interface Draft {
  href: string;
  collection: boolean;
  readonly properties: Map<string, string>;
}

/**
 * Reads an answer to `PROPFIND` (RFC 4918, 14.16) as it comes. Of each resource, only properties with the status 200
 * count.
 * @throws Error where it is no such answer, or is cut off.
 */
export async function readListing(body: AsyncIterable<Uint8Array>): Promise<DavEntry[]> {
  const reader = new ListingReader();
  const decoder = new TextDecoder();
  for await (const piece of body) reader.feed(decoder.decode(piece, { stream: true }));
  reader.feed(decoder.decode());
  return reader.end();
}

class ListingReader {
  readonly #entries: DavEntry[] = [];
  readonly #parser = sax.parser(true, { xmlns: true, trim: true });
  readonly #path: string[] = [];
  #text = '';
  #response: Draft | undefined;
  /** Of one `propstat`: what it holds counts only once its status is known. */
  #part: Draft | undefined;
  #isWhole = false;

  constructor() {
    this.#parser.onerror = (error) => {
      throw new Error(`the server's list is no XML: ${error.message.split('\n')[0] ?? ''}`);
    };
    this.#parser.onopentag = (tag) => this.#open('uri' in tag && tag.uri === DAV ? tag.local : '');
    this.#parser.onclosetag = () => this.#close();
    this.#parser.ontext = (text) => (this.#text += text);
    this.#parser.oncdata = (text) => (this.#text += text);
  }

  feed(text: string): void {
    this.#parser.write(text);
  }

  end(): DavEntry[] {
    this.#parser.close();
    if (!this.#isWhole) throw new Error('what the server answered is no list of files');
    return this.#entries;
  }

  #open(name: string): void {
    this.#path.push(name);
    this.#text = '';
    const empty = { href: '', collection: false, properties: new Map<string, string>() };
    if (name === 'response') this.#response = empty;
    if (name === 'propstat') this.#part = empty;
    if (name === 'collection' && this.#part !== undefined && this.#path.at(-2) === 'resourcetype')
      this.#part.collection = true;
  }

  #close(): void {
    const name = this.#path.pop();
    const parent = this.#path.at(-1);
    const text = this.#text.trim();
    this.#text = '';
    if (name === 'multistatus' && this.#path.length === 0) this.#isWhole = true;
    else if (name === 'href' && parent === 'response' && this.#response !== undefined) this.#response.href = text;
    else if (parent === 'prop' && name) this.#part?.properties.set(name, text);
    else if (name === 'status' && parent === 'propstat' && !/ 200( |$)/.test(text)) this.#part = undefined;
    else if (name === 'propstat') this.#endPart();
    else if (name === 'response') this.#endResponse();
  }

  #endPart(): void {
    const [part, response] = [this.#part, this.#response];
    this.#part = undefined;
    if (part === undefined || response === undefined) return;
    response.collection ||= part.collection;
    for (const [name, value] of part.properties) response.properties.set(name, value);
  }

  #endResponse(): void {
    const response = this.#response;
    this.#response = undefined;
    if (response === undefined) return;
    const { collection: isFolder, properties } = response;
    const modified = new Date(properties.get('getlastmodified') ?? '');
    const size = isFolder ? undefined : wholeNumber(properties.get('getcontentlength'));
    const available = wholeNumber(properties.get('quota-available-bytes'));
    const used = wholeNumber(properties.get('quota-used-bytes'));
    this.#entries.push({
      path: pathOf(response.href),
      isFolder,
      ...(size !== undefined && { size }),
      ...(!Number.isNaN(modified.getTime()) && { modified }),
      ...(available !== undefined && { available }),
      ...(used !== undefined && { used }),
    });
  }
}

function wholeNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** Servers give a whole URL or its path, encoded. */
function pathOf(href: string): string {
  const path = /^[a-z][a-z0-9+.-]*:\/\//i.test(href) ? new URL(href).pathname : href;
  return decodeURIComponent(path).replace(/\/+/g, '/').replace(/\/$/, '');
}
