/** What lies on a server: many kinds of files, some of them twice, with links and extended attributes. */
import {
  closeSync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  openSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { writeAttributes } from '../../src/repository/filesystem/attributes.ts';
import { binary, compressed, type Content, json, log, pages, source } from './content.ts';
import { Random } from './random.ts';

/** Files of one kind. Sizes in bytes. */
interface Family {
  readonly name: string;
  readonly content: Content;
  /** How many there are at scale 1. */
  readonly count: number;
  readonly median: number;
  readonly largest: number;
}

/** Together 2.5 GB; 0.5 GB of duplicates and a sparse file come on top. */
const FAMILIES: readonly Family[] = [
  { name: 'source', content: source, count: 30_000, median: 5_000, largest: 500_000 },
  { name: 'records', content: json, count: 8_000, median: 10_000, largest: 1_000_000 },
  { name: 'programs', content: binary, count: 3_000, median: 100_000, largest: 5_000_000 },
  { name: 'photos', content: compressed, count: 1_400, median: 300_000, largest: 8_000_000 },
  { name: 'empty', content: (random) => random.noise(0), count: 500, median: 16, largest: 16 },
];

/** The same at every scale but for their size: bytes at scale 1. */
const LARGE: readonly { readonly name: string; readonly content: Content; readonly size: number }[] = [
  { name: 'orders.db', content: pages, size: 250_000_000 },
  { name: 'stock.db', content: pages, size: 150_000_000 },
  { name: 'access.log', content: log, size: 200_000_000 },
  { name: 'access.log.1', content: log, size: 150_000_000 },
  { name: 'media.zip', content: compressed, size: 200_000_000 },
];

const SPARSE_BYTES = 200_000_000;
const FILES_A_FOLDER = 60;
/** A file of so many is stored a second time, has a link, has attributes. */
const DUPLICATES = 6;
const LINKS = 50;
const ATTRIBUTES = 20;
/** Large files are made and written in such pieces. */
const PIECE = 4_000_000;

export function writeMixedTree(folder: string, scale: number): void {
  for (const family of FAMILIES) writeFamily(join(folder, family.name), family, scale);
  const large = join(folder, 'large');
  mkdirSync(large, { recursive: true });
  for (const { name, content, size } of LARGE) writeLarge(join(large, name), content, Math.ceil(size * scale));
  writeSparse(join(large, 'disk.img'), Math.ceil(SPARSE_BYTES * scale));
}

function writeFamily(folder: string, { name, content, count, median, largest }: Family, scale: number): void {
  const random = new Random(name);
  const total = Math.max(2, Math.round(count * scale));
  for (let n = 0; n < total; n++) {
    const inner = join(folder, `${Math.floor(n / FILES_A_FOLDER)}`);
    if (n % FILES_A_FOLDER === 0) mkdirSync(inner, { recursive: true });
    const path = join(inner, `${name}-${n}`);
    const bytes = content(random, random.size(median, largest));
    writeFileSync(path, bytes);
    if (n % DUPLICATES === 0) writeFileSync(`${path} (copy)`, bytes);
    if (n % LINKS === 0) {
      symlinkSync(`${name}-${n}`, `${path}.latest`);
      linkSync(path, `${path}.same`);
    }
    if (n % ATTRIBUTES === 0)
      writeAttributes(path, [{ name: 'user.origin', value: random.noise(24).toString('base64') }]);
  }
}

function writeLarge(path: string, content: Content, size: number): void {
  const random = new Random(path.slice(path.lastIndexOf('/')));
  const fd = openSync(path, 'wx');
  for (let at = 0; at < size; at += PIECE) writeSync(fd, content(random, Math.min(PIECE, size - at)));
  closeSync(fd);
}

/** Mostly holes: a piece of a thousandth of the size at every tenth. */
function writeSparse(path: string, size: number): void {
  const random = new Random('sparse');
  const fd = openSync(path, 'wx');
  ftruncateSync(fd, size);
  for (let n = 0; n < 10; n++)
    writeSync(fd, random.noise(Math.ceil(size / 1000)), 0, null, Math.floor((n * size) / 10));
  closeSync(fd);
}
