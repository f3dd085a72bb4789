import { globSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

describe('The lock file', () => {
  const { packages } = JSON.parse(read('package-lock.json')) as {
    packages: Record<string, { version?: string; resolved?: string; integrity?: string }>;
  };

  it('names no host, so that every registry can serve it', () => {
    expect(Object.entries(packages).filter(([, entry]) => entry.resolved !== undefined)).toEqual([]);
  });

  it('pins the content of every package', () => {
    const installed = Object.entries(packages).filter(([path]) => path !== '');
    expect(installed.filter(([, entry]) => entry.integrity === undefined).map(([path]) => path)).toEqual([]);
  });
});

describe('package.json', () => {
  const manifest = JSON.parse(read('package.json')) as Record<string, Record<string, string> | undefined>;

  it('pins every dependency exactly', () => {
    const kinds = ['dependencies', 'optionalDependencies', 'devDependencies'];
    const versions = kinds.flatMap((kind) => Object.entries(manifest[kind] ?? {}));
    expect(versions.filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))).toEqual([]);
  });

  it('runs nothing by itself when it is installed', () => {
    const automatic = ['preinstall', 'install', 'postinstall', 'prepare'];
    expect(Object.keys(manifest.scripts ?? {}).filter((script) => automatic.includes(script))).toEqual([]);
  });
});

describe('docs/ARCHITECTURE.md', () => {
  const architecture = read('docs/ARCHITECTURE.md');
  const named = [...architecture.matchAll(/`(src\/[\w./-]+)`/g)].map(([, path]) => path ?? '');

  it('names only files and folders that exist', () => {
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter((path) => statSync(join(root, path), { throwIfNoEntry: false }) === undefined)).toEqual([]);
  });

  it.each(['src', 'src/repository'])('names every folder of %s', (parent) => {
    const folders = readdirSync(join(root, parent), { withFileTypes: true }).filter((entry) => entry.isDirectory());
    const paths = folders.map(({ name }) => `${parent}/${name}/`);
    expect(paths.filter((path) => !architecture.includes(`\`${path}\``))).toEqual([]);
  });
});

describe('The documents', () => {
  const documents = globSync(['*.md', '{docs,examples,bench,changelog}/**/*.md'], { cwd: root });

  it('link only to what exists', () => {
    const dead = documents.flatMap((document) =>
      [...read(document).matchAll(/\]\((?!https?:|#)([^)#]+)/g)]
        .map(([, target]) => join(document, '..', target ?? ''))
        .filter((target) => statSync(join(root, target), { throwIfNoEntry: false }) === undefined)
        .map((target) => `${document} -> ${target}`),
    );
    expect(dead).toEqual([]);
  });

  it('begin every change with its kind', () => {
    const entries = globSync('changelog/*/*.md', { cwd: root });
    const kinds = /^# (Added|Changed|Fixed|Removed|Security): \S/;
    expect(entries.filter((entry) => !kinds.test(read(entry)))).toEqual([]);
  });
});

describe('The sources', () => {
  it('keep to a size that can be read at a sitting', () => {
    const lines = globSync('src/**/*.ts', { cwd: root, exclude: ['**/*.test.ts'] })
      .map((path) => ({ path, count: read(path).split('\n').length - 1 }))
      .sort((a, b) => a.count - b.count);
    const at = (share: number): number => lines[Math.floor(share * (lines.length - 1))]?.count ?? 0;
    console.log(`${lines.length} files: median ${at(0.5)} lines, 90th percentile ${at(0.9)}, longest ${at(1)}`);
    // A compass, not a wall: what is longer than this has more than one subject.
    expect(lines.filter(({ count }) => count > 600)).toEqual([]);
  });
});
