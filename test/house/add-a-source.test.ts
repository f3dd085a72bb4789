import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

/** The blocks of TypeScript in the guide, by the file that their first line names. */
const blocks = [...read('docs/guides/add-a-source.md').matchAll(/^```ts(?: (part of )?(\S+))?\n([^]*?)^```$/gm)].map(
  ([, part, file = '', text = '']) => ({ isPart: part !== undefined, file, text }),
);
const whole = blocks.filter(({ isPart }) => !isPart);

describe('The guide to adding a source', () => {
  it('shows every file of the source that it adds', () => {
    const files = globSync('src/sources/sqlite/**/*.ts', { cwd: root });
    expect(files.length).toBeGreaterThan(3);
    expect([...new Set(whole.map(({ file }) => file))].toSorted()).toEqual(files.toSorted());
  });

  it.each([...new Set(whole.map(({ file }) => file))])('shows %s as it is', (file) => {
    const shown = whole.filter((block) => block.file === file).map(({ text }) => text);
    expect(shown.join('\n')).toBe(read(file));
  });

  it('shows parts of other files as they are', () => {
    const parts = blocks.filter(({ isPart }) => isPart);
    expect(parts).not.toEqual([]);
    for (const { file, text } of parts) expect(read(file)).toContain(text);
  });
});
