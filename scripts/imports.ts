/**
 * Holds the direction of imports (.dependency-cruiser.cjs). A cruiser that is set up wrongly finds nothing and is
 * content, so this also demands that it saw every source file.
 */
import { existsSync, globSync } from 'node:fs';
import { join } from 'node:path';
import { root, run } from './tool.ts';

interface Cruise {
  readonly modules: readonly { readonly source: string }[];
  readonly summary: {
    readonly violations: readonly {
      readonly from: string;
      readonly to: string;
      readonly rule: { readonly name: string };
    }[];
  };
}

const folders = ['src', 'test', 'bench', 'scripts', 'examples'].filter((folder) => existsSync(join(root, folder)));
const { stdout, output, code } = await run([
  'depcruise',
  '--config',
  '.dependency-cruiser.cjs',
  '--output-type',
  'json',
  ...folders,
]);
if (!stdout.startsWith('{')) {
  console.log(output);
  process.exit(code === 0 ? 1 : code);
}

const { modules, summary } = JSON.parse(stdout) as Cruise;
const seen = new Set(modules.map((module) => module.source));
const sources = globSync('src/**/*.ts', { cwd: root, exclude: ['src/**/assembly/**'] });
const missed = sources.filter((source) => !seen.has(source));

for (const { rule, from, to } of summary.violations) console.log(`${rule.name}: ${from} -> ${to}`);
for (const source of missed) console.log(`not seen by dependency-cruiser: ${source}`);
if (sources.length === 0) console.log('no source file was found under src/');
if (summary.violations.length + missed.length > 0 || sources.length === 0) process.exit(1);
console.log(`${sources.length} source files, no import against the rules`);
