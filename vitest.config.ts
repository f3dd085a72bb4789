import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { COMPILE_CACHE } from './test/fixtures/compiled-sources.ts';

const seconds = 1000;

// For the threads that tests start.
process.env.NODE_COMPILE_CACHE ??= COMPILE_CACHE;

/** How long to ask again for what is to come of itself: a second, as vitest has it, can be too short on a busy machine. */
const patience = { poll: { timeout: 25 * seconds } };

/** One project for each kind of test: a name, where its files lie, and how long a single test may take. */
const project = (name: string, include: string[], timeout: number) => ({
  test: { name, include, testTimeout: timeout, hookTimeout: timeout, expect: patience },
});

/** A project whose tests run commands, too. */
const commanding = (...[name, include, timeout]: Parameters<typeof project>) => ({
  test: { ...project(name, include, timeout).test, globalSetup: './test/fixtures/compiled-program.ts' },
});

export default defineConfig({
  test: {
    pool: 'forks',
    // Many tests wait for other programs, and for disks.
    maxWorkers: availableParallelism() + 1,
    globalSetup: ['./test/fixtures/compiled-sources.ts', './test/fixtures/shared-servers.ts'],
    teardownTimeout: 30 * seconds,
    coverage: { provider: 'v8', include: ['src/**/*.ts'], exclude: ['src/repository/kernel/assembly/**'] },
    reporters: ['default', './test/reporter.ts'],
    projects: [
      project('unit', ['src/**/*.test.ts', '{bench,scripts}/**/*.test.ts', 'test/house/**/*.test.ts'], 30 * seconds),
      commanding('contract', ['test/contract/**/*.test.ts'], 60 * seconds),
      commanding('interop', ['test/interop/**/*.test.ts'], 180 * seconds),
      project('fuzz', ['test/fuzz/**/*.test.ts'], 180 * seconds),
      commanding('model', ['test/model/**/*.test.ts'], 300 * seconds),
      commanding('e2e', ['test/e2e/**/*.test.ts'], 300 * seconds),
    ],
  },
});
