/**
 * Everything that must hold before a change is pushed: `npm run verify`, and `npm run verify -- --fast` without the
 * tests against whole programs (interop, e2e). Stops when a step fails and shows what it said.
 *
 * Tests come last and write for themselves, so that the run's last line is theirs: `N passed, N failed`.
 */
import { parseArgs } from 'node:util';
import { run } from './tool.ts';

const { values } = parseArgs({ options: { fast: { type: 'boolean', default: false } } });

type Check = readonly [name: string, ...argv: string[]];

/** Rows run beside each other, the checks of a row one after another: linting takes as long as all the others. */
const rows: readonly (readonly Check[])[] = [
  [['lint', 'eslint', '--max-warnings', '0', '.']],
  [
    ['format', 'prettier', '--check', '--log-level', 'warn', '.'],
    ['types', 'tsc', '-p', '.'],
    ['imports', 'node', 'scripts/imports.ts'],
    ['dead code', 'knip', '--no-progress'],
    ['kernel', 'node', 'scripts/kernel.ts', 'check'],
  ],
];

const others = new AbortController();
await Promise.all(
  rows.map(async (checks) => {
    for (const check of checks) await requireIt(check);
  }),
);

console.log('tests');
const quick = values.fast ? ['--project', 'unit', '--project', 'contract'] : [];
const tests = await run(['vitest', 'run', ...quick], { show: true });
process.exit(tests.code);

/** Ends this process, and what runs beside it, if the check fails. */
async function requireIt([name, ...argv]: Check): Promise<void> {
  const start = performance.now();
  const { code, output } = await run(argv, { signal: others.signal });
  const duration = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`${name.padEnd(12)}${code === 0 ? 'ok' : 'FAILED'}  ${duration} s`);
  if (code === 0) return;
  console.log(`\n${output.trim()}\n\n\`${argv.join(' ')}\` failed.`);
  others.abort();
  process.exit(1);
}
