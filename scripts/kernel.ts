/**
 * Builds the WebAssembly kernels from their AssemblyScript sources, or checks that the files in the repository are what the
 * sources give: `node scripts/kernel.ts build|check`.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
/** Each has its source in a folder beside it. */
const KERNELS = [
  'src/repository/kernel/index-scan',
  'src/repository/kernel/kernel',
  'src/repository/kernel/scrypt',
  'src/sources/mysql/row-kernel/row-kernel',
  'src/sources/postgres/wire/copy-rows',
].map((path) => ({
  source: join(dirname(path), 'assembly', `${basename(path)}.ts`),
  built: `${path}.wasm`,
}));

function build(source: string, target: string): void {
  const compiler = join(dirname(createRequire(import.meta.url).resolve('assemblyscript/package.json')), 'bin/asc.js');
  const options = ['-O3', '--noAssert', '--runtime', 'stub', '--importMemory', '--enable', 'simd,bulk-memory'];
  const result = spawnSync(process.execPath, [compiler, source, '--outFile', target, ...options], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (result.status !== 0) throw new Error(`the AssemblyScript compiler failed on ${source}`);
}

function isFresh(source: string, built: string): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'respaldo-kernel-'));
  try {
    const fresh = join(folder, 'kernel.wasm');
    build(source, fresh);
    return readFileSync(fresh).equals(readFileSync(join(root, built)));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const verb = process.argv[2];
if (verb === 'build') {
  for (const { source, built } of KERNELS) build(source, join(root, built));
} else if (verb === 'check') {
  for (const { source, built } of KERNELS.filter((kernel) => !isFresh(kernel.source, kernel.built))) {
    console.error(`${built} is not what ${source} gives: run \`node scripts/kernel.ts build\` and commit it.`);
    process.exitCode = 1;
  }
} else {
  console.error('usage: node scripts/kernel.ts build|check');
  process.exitCode = 2;
}
