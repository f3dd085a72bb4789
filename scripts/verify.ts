/**
 * Everything that must hold before a change is pushed: `npm run verify`, and `npm run verify -- --fast` without the
 * tests against whole programs (interop, e2e). Stops at the first step that fails and shows what it said.
 *
 * Tests come last and write for themselves, so that the run's last line is theirs: `N passed, N failed`.
 */
import { parseArgs } from 'node:util';
import { run } from './tool.ts';

const { values } = parseArgs({ options: { fast: { type: 'boolean', default: false } } });

const checks: readonly (readonly [name: string, ...argv: string[]])[] = [
  ['format', 'prettier', '--check', '--log-level', 'warn', '.'],
  ['lint', 'eslint', '--max-warnings', '0', '.'],
  ['types', 'tsc', '-p', '.'],
  ['imports', 'node', 'scripts/imports.ts'],
  ['dead code', 'knip', '--no-progress'],
  ['kernel', 'node', 'scripts/kernel.ts', 'check'],
];

for (const [name, ...argv] of checks) {
  const start = performance.now();
  const { code, output } = await run(argv);
  const duration = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`${name.padEnd(12)}${code === 0 ? 'ok' : 'FAILED'}  ${duration} s`);
  if (code !== 0) {
    console.log(`\n${output.trim()}\n\n\`${argv.join(' ')}\` failed.`);
    process.exit(1);
  }
}

console.log('tests');
const quick = values.fast ? ['--project', 'unit', '--project', 'contract'] : [];
const tests = await run(['vitest', 'run', ...quick], { show: true });
process.exit(tests.code);
