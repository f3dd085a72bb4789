import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareNames } from '../../domain/name.ts';
import { encodeNode, type Node } from './node.ts';
import { encodeTree, parseTree } from './tree.ts';
import { treeNodes } from './tree-nodes.ts';

const fileNode = (name: string): Node => ({
  name,
  type: 'file',
  mode: 0o644,
  uid: 0,
  gid: 0,
  size: 3,
  content: ['ab'.repeat(32)],
  mtime: '2024-01-01T00:00:00Z',
});

/** More than enough to be read in parts. */
function many(...names: string[]): Uint8Array {
  const filler = Array.from({ length: 4000 }, (_, i) => `filler ${i}`);
  const sorted = [...new Set([...names, ...filler])].toSorted(compareNames);
  return encodeTree(sorted.map((name) => encodeNode(fileNode(name))));
}

describe('treeNodes', () => {
  it('tells what parseTree tells, of small and of large trees', () => {
    const name = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 30 })
      .filter((text) => !/[/\0]/.test(text) && text !== '.' && text !== '..');
    fc.assert(
      fc.property(fc.array(fc.oneof(name, fc.constantFrom('"}],{"', '\\', '\\\\"', '{', '}', '\udcff'))), (names) => {
        const tree = many(...names);
        expect(tree.length).toBeGreaterThan(600_000);
        expect([...treeNodes(tree)]).toEqual(parseTree(tree));
      }),
      { numRuns: 10 },
    );
    expect([...treeNodes(encodeTree([]))]).toEqual([]);
  });

  it('refuses what is wrong anywhere in a large tree', () => {
    const tree = Buffer.from(many()).toString();
    const broken = (from: string, to: string) => [...treeNodes(Buffer.from(tree.replace(from, to)))];
    const damage = expect.objectContaining({ code: 'repository-damaged' }) as unknown;
    expect(() => broken('"name":"filler 99"', '"name":"../99"')).toThrow(damage);
    expect(() => broken('"name":"filler 99"', '"name":"filler 0"')).toThrow(damage);
    expect(() => broken('"name":"filler 2999"', '"name":"filler 2998"')).toThrow(damage);
    expect(() => broken('},{"name":"filler 99"', '}{"name":"filler 99"')).toThrow(damage);
    expect(() => broken(']}\n', ',{"name":"zz"]}\n')).toThrow(damage);
    expect(() => [...treeNodes(Buffer.from(tree.slice(0, 700_000)))]).toThrow(damage);
  });
});
