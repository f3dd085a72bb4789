import { writeSync } from 'node:fs';
import type { Reporter, TestModule } from 'vitest/node';

/**
 * Ends the whole run with one line, `N passed, N failed`, after everything else that vitest prints.
 *
 * A file that does not load, a suite that cannot be set up, or an error outside any test counts as one failed test. With
 * RESPALDO_NO_SKIPPED_TESTS=1 (the machine has every component) a skipped test counts as failed too, and is named.
 */
export default class TotalsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const count = (state: string): number => tests.filter((test) => test.result().state === state).length;
    const skipped = tests.filter((test) => test.result().state === 'skipped');
    for (const test of skipped) process.stdout.write(`skipped: ${test.module.relativeModuleId} > ${test.fullName}\n`);
    const refused = process.env.RESPALDO_NO_SKIPPED_TESTS === '1' ? skipped.length : 0;
    if (refused > 0) process.exitCode = 1;
    const suites = modules.flatMap((module) => [module, ...module.children.allSuites()]);
    const broken = suites.filter((suite) => suite.errors().length > 0).length;
    const failed = count('failed') + broken + unhandledErrors.length + refused;
    process.once('exit', () => writeSync(1, `${count('passed')} passed, ${failed} failed\n`));
  }
}
