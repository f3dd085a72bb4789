/**
 * Bundles src/ into dist/, or into another folder that is named: what is published, since Node refuses to strip types
 * under node_modules.
 *
 * All files lie side by side, so that what `new URL(…, import.meta.url)` names lies beside whichever file asks for it:
 * worker scripts, which are entries of their own, and the WebAssembly kernel. What every start needs of other packages
 * is bundled, with their licences: hundreds of small files would take longer to find than to run.
 */
import { copyFileSync, globSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { rolldown } from 'rolldown';
import { root } from './tool.ts';

const BUNDLED = ['commander', 'fast-string-truncated-width', 'leven', 'zod'];
const ASSETS = ['src/repository/kernel/kernel.wasm'];

const target = resolve(process.argv[2] ?? join(root, 'dist'));
rmSync(target, { recursive: true, force: true });

const entries = ['src/main.ts', ...globSync('src/**/*-worker.ts', { cwd: root })];
const bundle = await rolldown({
  cwd: root,
  input: Object.fromEntries(entries.map((path) => [basename(path, '.ts'), path])),
  platform: 'node',
  external: (id) => /^[^./]/.test(id) && !BUNDLED.some((name) => id === name || id.startsWith(`${name}/`)),
});
const { output } = await bundle.write({ dir: target, format: 'esm', chunkFileNames: '[name].js' });
await bundle.close();

for (const path of ASSETS) copyFileSync(join(root, path), join(target, basename(path)));
writeFileSync(join(target, 'LICENSES.txt'), BUNDLED.map(licenceOf).join('\n\n'));
console.log(`${target} built: ${entries.length} entries, ${output.length} files`);

function licenceOf(name: string): string {
  const folder = join(root, 'node_modules', name);
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  if (file === undefined) throw new Error(`${name} has no file of its licence`);
  return `${name}\n\n${readFileSync(join(folder, file), 'utf8')}`;
}
