/**
 * The direction of imports, as docs/ARCHITECTURE.md draws it. Type-only imports count as imports.
 *
 * Tests beside the code (x.test.ts) may reach further: they wire real parts together. What every file shares is
 * `anywhere`: the error table, the clock, the loader of WebAssembly and the pure domain.
 */
const anywhere = ['^src/(errors|clock|log|web-assembly)\\.ts$', '^src/domain/'];
const tests = '\\.test\\.ts$';

/** Folders of the same shape: the port at the head, implementations beside it, the list of them in index.ts. */
const adapters = 'stores|runtimes|sources|queues|catalog|journal|notifiers|leases';
/** src/stores/store.ts, src/catalog/catalog.ts …: the port at a folder's head. */
const heads =
  '^src/(stores/store|runtimes/(runtime|container-engine)|sources/source|queues/queue|catalog/catalog|journal/journal|notifiers/notifier|leases/lease|repository/(repository|port/[a-z]+)|archive/archive)\\.ts$';
const lists = `^src/(${adapters}|repository|archive)/index\\.ts$`;

/** A rule: files under `from` may import, of this project's sources, only what `allowed` matches. */
const only = (name, comment, from, allowed) => ({
  name,
  comment,
  severity: 'error',
  from: { path: from, pathNot: tests },
  to: { path: '^src/', pathNot: [...anywhere, ...allowed] },
});

module.exports = {
  forbidden: [
    // 1. What talks to people and machines.
    only('1-main', 'main.ts starts the command line and nothing else.', '^src/main\\.ts$', ['^src/cli/']),
    only(
      '1-edges',
      'cli, api and daemon use operations, ha, scheduler, config and compose.ts.',
      '^src/(cli|api|daemon)/',
      ['^src/$1/', '^src/(operations|ha|scheduler|config)/', '^src/compose\\.ts$', heads],
    ),
    // 2. What wires.
    only('2-compose', 'compose.ts wires parts through the index.ts lists.', '^src/compose\\.ts$', [
      '^src/(config|operations)/',
      heads,
      lists,
    ]),
    only('2-config', 'config reads the index.ts lists.', '^src/config/', ['^src/config/', heads, lists]),
    // 3. Recipes.
    only(
      '3-recipes',
      'operations, ha and scheduler use port heads, repository/index.ts, archive/index.ts and the domain.',
      '^src/(operations|ha|scheduler)/',
      ['^src/$1/', heads, '^src/(repository|archive)/index\\.ts$'],
    ),
    // 4. Formats.
    only('4-formats', 'repository and archive use stores/store.ts and the domain.', '^src/(repository|archive)/', [
      '^src/$1/',
      '^src/stores/store\\.ts$',
    ]),
    // 5. Adapters.
    only(
      '5-adapters',
      'An adapter uses its own folder and port head; never another kind of adapter.',
      `^src/(stores|runtimes|queues|catalog|journal|notifiers|leases)/`,
      ['^src/$1/'],
    ),
    only('5-sources', 'A source uses its own folder and the Runtime port.', '^src/sources/', [
      '^src/sources/',
      '^src/runtimes/(runtime|container-engine)\\.ts$',
    ]),
    {
      name: '5-siblings',
      comment:
        'One source never imports another: each is a file or a folder of its own. server/ is what database servers share.',
      severity: 'error',
      from: { path: '^src/sources/([^/]+)/', pathNot: tests },
      to: {
        path: '^src/sources/',
        pathNot: ['^src/sources/$1/', '^src/sources/server/', '^src/sources/(source|confinement|increments)\\.ts$'],
      },
    },
    {
      name: '5-heads',
      comment: 'A port knows none of its implementations.',
      severity: 'error',
      from: { path: heads },
      to: { path: '^src/', pathNot: [...anywhere, heads] },
    },
    // 6. The domain.
    {
      name: '6-domain',
      comment: 'The domain is pure data and functions: it imports the domain alone, no packages, no node: modules.',
      severity: 'error',
      from: { path: '^src/domain/', pathNot: tests },
      to: { pathNot: '^src/domain/' },
    },
    {
      name: '6-ground',
      comment: 'errors.ts, clock.ts and web-assembly.ts lie below everything else.',
      severity: 'error',
      from: { path: '^src/(errors|clock|log|web-assembly)\\.ts$' },
      to: { path: '^src/', pathNot: anywhere },
    },
    // The house at large.
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'src-stands-alone',
      comment: 'What is published imports nothing of tests, benches, examples or scripts.',
      severity: 'error',
      from: { path: '^src/', pathNot: tests },
      to: { path: ['^(test|bench|examples|scripts)/', tests] },
    },
    {
      name: 'no-development-packages',
      comment: 'What is published may not need a package that only developers install.',
      severity: 'error',
      from: { path: '^src/', pathNot: tests },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'no-unknown',
      comment: 'An import that resolves to nothing, or to a package that package.json does not name.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'no-unlisted-packages',
      severity: 'error',
      from: {},
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^src/.*/assembly/' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
