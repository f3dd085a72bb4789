import { createCipheriv, createHash, hash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const INVOICES = 1_000;
const PHOTOS = 24;
const PHOTO_BYTES = 512 * 1024;

/** The shop's folder: invoices as text, and photos, which no compression makes smaller. Always the same bytes. */
export async function makeFiles(folder: string): Promise<void> {
  await mkdir(join(folder, 'facturas'), { recursive: true });
  await mkdir(join(folder, 'fotos'), { recursive: true });
  for (let n = 1; n <= INVOICES; n++) await writeFile(invoicePath(folder, n), invoice(n, 'pendiente'));
  for (let n = 1; n <= PHOTOS; n++) await writeFile(join(folder, 'fotos', `${String(n)}.jpg`), noise(n));
}

/** The same quiet day: some invoices are paid, one photo is new, another gets a better name. */
export async function changeFiles(folder: string): Promise<void> {
  for (let n = 1; n <= 10; n++) await writeFile(invoicePath(folder, n), invoice(n, 'pagada'));
  await writeFile(join(folder, 'fotos', `${String(PHOTOS + 1)}.jpg`), noise(PHOTOS + 1));
  await rename(join(folder, 'fotos', '1.jpg'), join(folder, 'fotos', 'portada.jpg'));
  await rm(invoicePath(folder, INVOICES));
}

export interface FolderPrint {
  readonly files: number;
  /** Over all names and contents. */
  readonly sha256: string;
}

export async function printFolder(folder: string): Promise<FolderPrint> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const sum = createHash('sha256');
  for (const path of paths.sort())
    sum.update(`${path.slice(folder.length)}\0${hash('sha256', await readFile(path))}\n`);
  return { files: paths.length, sha256: sum.digest('hex') };
}

function invoicePath(folder: string, n: number): string {
  return join(folder, 'facturas', `${String(n).padStart(5, '0')}.txt`);
}

function invoice(n: number, state: string): string {
  const lines = Array.from({ length: 1 + (n % 20) }, (_, i) => `${String(i + 1)} × Producto ${String((n * i) % 500)}`);
  return [`Factura ${String(n)}`, ...lines, `Estado: ${state}`, ''].join('\n');
}

/** Bytes without any pattern, but the same for the same seed. */
function noise(seed: number): Buffer {
  const key = createHash('sha256')
    .update(`foto ${String(seed)}`)
    .digest();
  return createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(PHOTO_BYTES));
}
