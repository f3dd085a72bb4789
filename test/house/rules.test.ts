import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');

/** A checkout in miniature: this project's rules over planted files. */
async function miniature(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'respaldo-rules-'));
  for (const file of ['.dependency-cruiser.cjs', 'eslint.config.js', 'knip.json', 'tsconfig.json', 'package.json'])
    await cp(join(root, file), join(folder, file));
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  return folder;
}

/** Runs one of the checkout's tools in `folder`. They exit with 1 when they find something. */
function output(folder: string, tool: string, ...argv: string[]): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const command = [join(root, 'node_modules/.bin', tool), ...argv];
  execFile(process.execPath, command, { cwd: folder, maxBuffer: 1 << 26 }, (_, stdout) => resolve(stdout));
  return promise;
}

describe('The direction of imports', () => {
  const forbidden: readonly (readonly [from: string, to: string, rule: string])[] = [
    ['src/cli/commands/backup.ts', 'src/repository/index.ts', '1-edges'],
    ['src/api/routes/runs.ts', 'src/cli/output.ts', '1-edges'],
    ['src/main.ts', 'src/operations/backup.ts', '1-main'],
    ['src/compose.ts', 'src/stores/local/local.ts', '2-compose'],
    ['src/config/load.ts', 'src/sources/postgres/capture.ts', '2-config'],
    ['src/operations/backup.ts', 'src/repository/storage/locks.ts', '3-recipes'],
    ['src/operations/backup.ts', 'src/stores/local/local.ts', '3-recipes'],
    ['src/operations/backup.ts', 'src/cli/output.ts', '3-recipes'],
    ['src/repository/open.ts', 'src/operations/backup.ts', '4-formats'],
    ['src/repository/open.ts', 'src/stores/index.ts', '4-formats'],
    ['src/stores/local/local.ts', 'src/runtimes/runtime.ts', '5-adapters'],
    ['src/catalog/sqlite.ts', 'src/config/load.ts', '5-adapters'],
    ['src/sources/postgres/capture.ts', 'src/runtimes/host.ts', '5-sources'],
    ['src/sources/postgres/capture.ts', 'src/sources/directory/walk.ts', '5-siblings'],
    ['src/sources/server/obstacles.ts', 'src/sources/postgres/capture.ts', '5-siblings'],
    ['src/stores/store.ts', 'src/stores/local/local.ts', '5-heads'],
    ['src/domain/plan.ts', 'src/errors.ts', '6-domain'],
    ['src/domain/plan.ts', 'node:fs', '6-domain'],
    ['src/domain/plan.ts', 'zod', '6-domain'],
    ['src/errors.ts', 'src/repository/open.ts', '6-ground'],
    ['src/repository/open.ts', 'test/fixtures/tree.ts', 'src-stands-alone'],
    ['src/repository/open.ts', 'src/repository/open.test.ts', 'src-stands-alone'],
    ['src/repository/open.ts', 'fast-check', 'no-development-packages'],
    ['src/repository/open.ts', './nowhere.ts', 'no-unknown'],
    ['src/operations/types.ts', 'src/stores/local/local.ts', '3-recipes'],
    ['src/operations/lazy.ts', 'src/stores/local/local.ts', '3-recipes'],
  ];
  const allowed: readonly (readonly [from: string, to: string])[] = [
    ['src/main.ts', 'src/cli/program.ts'],
    ['src/cli/commands/backup.ts', 'src/operations/backup.ts'],
    ['src/compose.ts', 'src/stores/index.ts'],
    ['src/operations/backup.ts', 'src/repository/index.ts'],
    ['src/operations/backup.ts', 'src/sources/source.ts'],
    ['src/operations/backup.ts', 'src/operations/restore.ts'],
    ['src/operations/restore.ts', 'src/operations/backup.ts'],
    ['src/repository/archiver/save.ts', 'src/stores/store.ts'],
    ['src/repository/archiver/save.ts', 'src/repository/format/pack.ts'],
    ['src/repository/archiver/save.ts', 'zod'],
    ['src/sources/postgres/capture.ts', 'src/runtimes/runtime.ts'],
    ['src/sources/postgres/capture.test.ts', 'src/runtimes/host.ts'],
    ['src/sources/postgres/capture.ts', 'src/sources/server/obstacles.ts'],
    ['src/sources/index.ts', 'src/sources/postgres/index.ts'],
    ['src/domain/plan.ts', 'src/domain/retention.ts'],
    ['src/stores/local/local.ts', 'src/errors.ts'],
  ];
  let folder: string;
  let violations: readonly { readonly from: string; readonly to: string; readonly rule: { readonly name: string } }[];

  beforeAll(async () => {
    const files: Record<string, string> = {};
    for (const [from, to] of [...forbidden, ...allowed]) {
      if (isOurs(to)) files[to] ??= '';
      files[from] = (files[from] ?? '') + importLine(from, to);
    }
    folder = await miniature(files);
    const json = await output(
      folder,
      'depcruise',
      '--config',
      '.dependency-cruiser.cjs',
      '--output-type',
      'json',
      'src',
    );
    ({ violations } = (JSON.parse(json) as { summary: { violations: typeof violations } }).summary);
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  const isOurs = (path: string): boolean => /^(src|test)\//.test(path);

  /** `types.ts` imports only a type, `lazy.ts` when called: both count. */
  function importLine(from: string, to: string): string {
    const target = isOurs(to) ? '../'.repeat(from.split('/').length - 1) + to : to;
    if (from.endsWith('/types.ts')) return `import type { X } from '${target}';\nexport type Y = X;\n`;
    if (from.endsWith('/lazy.ts')) return `export const y = () => import('${target}');\n`;
    return `export * from '${target}';\n`;
  }

  /** A package is reported as the file that it resolves to. */
  const rules = (from: string, to: string): string[] =>
    violations
      .filter((violation) => violation.from === from)
      .filter((violation) => [to, to.replace('node:', '')].includes(violation.to) || violation.to.includes(`/${to}/`))
      .map(({ rule }) => rule.name);

  it.each(forbidden)('forbids %s to import %s', (from, to, rule) => {
    expect(rules(from, to)).toContain(rule);
  });

  it('forbids cycles', () => {
    expect(rules('src/operations/backup.ts', 'src/operations/restore.ts')).toContain('no-cycles');
  });

  it.each(allowed)('lets %s import %s', (from, to) => {
    expect(rules(from, to).filter((rule) => rule !== 'no-cycles')).toEqual([]);
  });
});

describe('The linter', () => {
  const planted: readonly (readonly [what: string, text: string, rule: string])[] = [
    ['a promise that nobody awaits', 'export function f(p: Promise<void>): void {\n  p;\n}\n', 'no-floating-promises'],
    [
      'a switch that misses a case',
      "export function f(x: 'a' | 'b'): number {\n  switch (x) {\n    case 'a':\n      return 1;\n  }\n  return 2;\n}\n",
      'switch-exhaustiveness-check',
    ],
    ['any', 'export const f = (x: any): string => x.name;\n', 'no-explicit-any'],
    ['a non-null assertion', 'export const f = (x: string | undefined): string => x!;\n', 'no-non-null-assertion'],
    ['time that comes not from the clock', 'export const f = (): number => Date.now();\n', 'no-restricted-syntax'],
  ];
  let folder: string;
  let results: readonly { readonly filePath: string; readonly messages: readonly { readonly ruleId: string }[] }[];

  beforeAll(async () => {
    const files = planted.map(([, text], at) => [`src/operations/planted${at}.ts`, text] as const);
    folder = await miniature(Object.fromEntries(files));
    results = JSON.parse(await output(folder, 'eslint', '--format', 'json', 'src')) as typeof results;
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  it.each(planted.map(([what, , rule], at) => [what, rule, at] as const))('refuses %s', (_, rule, at) => {
    const messages = results.find(({ filePath }) => filePath.endsWith(`planted${at}.ts`))?.messages ?? [];
    expect(messages.map(({ ruleId }) => ruleId.replace('@typescript-eslint/', ''))).toContain(rule);
  });
});

describe('The search for dead code', () => {
  it('finds a file that nothing imports and an export that nothing uses', async () => {
    const folder = await miniature({
      'src/main.ts': "import { used } from './operations/used.ts';\nused();\n",
      'src/operations/used.ts': 'export const used = (): number => 1;\nexport const forgotten = 2;\n',
      'src/operations/unused.ts': 'export const nobody = 1;\n',
    });
    const report = await output(folder, 'knip').finally(() => rm(folder, { recursive: true, force: true }));
    expect(report).toMatch(/Unused files[^]*src\/operations\/unused\.ts/);
    expect(report).toMatch(/Unused exports[^]*forgotten/);
    expect(report).not.toMatch(/^used /m);
  });
});
