/**
 * Compiles src/ into dist/, or into another folder that is named: what is published, since Node refuses to strip types
 * under node_modules.
 */
import { cpSync, globSync, rmSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { root, run } from './tool.ts';

const target = resolve(process.argv[2] ?? join(root, 'dist'));
rmSync(target, { recursive: true, force: true });
const { code, output } = await run(['tsc', '-p', 'tsconfig.build.json', '--outDir', target]);
if (code !== 0) {
  console.error(output);
  process.exit(code);
}

/** Everything that is not TypeScript goes along as it is: the WebAssembly kernel above all. */
const assets = globSync('src/**/*', { cwd: root, exclude: ['src/repository/kernel/assembly/**', '**/*.ts'] }).filter(
  (path) => statSync(join(root, path)).isFile(),
);
for (const path of assets) cpSync(join(root, path), join(target, path.replace(/^src/, '')));
console.log(`${target} built, with ${assets.length} ${assets.length === 1 ? 'asset' : 'assets'}`);
