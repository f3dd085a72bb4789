/**
 * Bundles src/ into dist/, or into another folder that is named: what is published, since Node refuses to strip types
 * under node_modules.
 *
 * All files lie side by side, so that what `new URL(…, import.meta.url)` names lies beside whichever file asks for it:
 * worker scripts, which are entries of their own, and the WebAssembly kernels. What every start needs of other packages
 * is bundled, with their licences: hundreds of small files would take longer to find than to run.
 *
 * They are CommonJS modules: an import of `node:crypto` or `node:http` by name makes Node load all that these could ever
 * offer, a `require` what is used. A thread's script is one file. Both make every start a tenth cheaper.
 */
import { copyFileSync, globSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { type OutputOptions, rolldown } from 'rolldown';
import { root } from './tool.ts';

const BUNDLED = ['commander', 'fast-string-truncated-width', 'leven', 'zod'];
const ASSETS = globSync('src/**/*.wasm', { cwd: root });

const target = resolve(process.argv[2] ?? join(root, 'dist'));
rmSync(target, { recursive: true, force: true });

const workers = globSync('src/**/*-worker.ts', { cwd: root });
let files = 0;
for (const path of workers) files += await bundle(path, { codeSplitting: false });
files += await bundle('src/main.ts', { chunkFileNames: '[name].cjs' });

for (const path of ASSETS) copyFileSync(join(root, path), join(target, basename(path)));
writeFileSync(join(target, 'LICENSES.txt'), BUNDLED.map(licenceOf).join('\n\n'));
console.log(`${target} built: ${workers.length + 1} entries, ${files} files`);

/** @returns how many files there are of it. */
async function bundle(
  input: string,
  options: Pick<OutputOptions, 'codeSplitting' | 'chunkFileNames'>,
): Promise<number> {
  const made = await rolldown({
    cwd: root,
    input,
    platform: 'node',
    external: (id) => /^[^./]/.test(id) && !BUNDLED.some((name) => id === name || id.startsWith(`${name}/`)),
    onLog(_level, { code, message }) {
      // A module that asks where it is would not learn it there.
      if (code === 'EMPTY_IMPORT_META') throw new Error(message);
    },
  });
  const { output } = await made.write({ dir: target, format: 'cjs', entryFileNames: '[name].cjs', ...options });
  await made.close();
  return output.length;
}

function licenceOf(name: string): string {
  const folder = join(root, 'node_modules', name);
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  if (file === undefined) throw new Error(`${name} has no file of its licence`);
  return `${name}\n\n${readFileSync(join(folder, file), 'utf8')}`;
}
