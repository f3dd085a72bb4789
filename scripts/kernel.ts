/**
 * Builds the WebAssembly kernel from its AssemblyScript source, or checks that the file in the repository is what the
 * source gives: `node scripts/kernel.ts build|check`.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const source = 'src/repository/kernel/assembly/kernel.ts';
const built = join(root, 'src/repository/kernel/kernel.wasm');

function build(target: string): void {
  const compiler = join(dirname(createRequire(import.meta.url).resolve('assemblyscript/package.json')), 'bin/asc.js');
  const options = ['-O3', '--noAssert', '--runtime', 'stub', '--importMemory', '--enable', 'simd,bulk-memory'];
  const result = spawnSync(process.execPath, [compiler, source, '--outFile', target, ...options], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (result.status !== 0) throw new Error(`the AssemblyScript compiler failed on ${source}`);
}

function check(): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'respaldo-kernel-'));
  try {
    const fresh = join(folder, 'kernel.wasm');
    build(fresh);
    return readFileSync(fresh).equals(readFileSync(built));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const verb = process.argv[2];
if (verb === 'build') {
  build(built);
} else if (verb === 'check') {
  if (!check()) {
    console.error('kernel.wasm is not what its source gives: run `node scripts/kernel.ts build` and commit it.');
    process.exitCode = 1;
  }
} else {
  console.error('usage: node scripts/kernel.ts build|check');
  process.exitCode = 2;
}
