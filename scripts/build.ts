/** Compiles src/ into dist/: what is published, since Node refuses to strip types under node_modules. */
import { cpSync, globSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { root, run } from './tool.ts';

rmSync(join(root, 'dist'), { recursive: true, force: true });
const { code, output } = await run(['tsc', '-p', 'tsconfig.build.json']);
if (code !== 0) {
  console.error(output);
  process.exit(code);
}

/** Everything that is not TypeScript goes along as it is: the WebAssembly kernel above all. */
const assets = globSync('src/**/*', { cwd: root, exclude: ['src/repository/kernel/assembly/**', '**/*.ts'] }).filter(
  (path) => statSync(join(root, path)).isFile(),
);
for (const path of assets) cpSync(join(root, path), join(root, path.replace(/^src/, 'dist')));
console.log(`dist/ built, with ${assets.length} ${assets.length === 1 ? 'asset' : 'assets'}`);
