import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareNames } from '../../domain/name.ts';
import { encodeNode, type Node } from '../format/node.ts';
import { encodeTree, parseTree } from '../format/tree.ts';
import { StoredTree } from './stored-tree.ts';

/** Names with everything that could be taken for the end of a node. */
const names = fc
  .uniqueArray(
    fc.string({
      unit: fc.constantFrom('a', 'b', '{', '}', '"', '\\', ',', '[', ']', 'é', '\udcff'),
      minLength: 1,
      maxLength: 6,
    }),
    {
      minLength: 1,
      maxLength: 40,
    },
  )
  .map((list) => list.sort(compareNames));

function node(name: string): Node {
  return {
    name,
    type: 'file',
    mode: 0o644,
    uid: 0,
    gid: 0,
    size: 0,
    content: [],
    extendedAttributes: [{ name: 'user.{"name":"', value: 'fX0=' }],
  };
}

describe('StoredTree', () => {
  it('finds every node, whatever the names and attributes hold', () => {
    fc.assert(
      fc.property(names, (list) => {
        const tree = new StoredTree(encodeTree(list.map((name) => encodeNode(node(name)))));
        expect(tree.count).toBe(list.length);
      }),
    );
  });

  it('gives exactly the nodes between two names', () => {
    fc.assert(
      fc.property(names, fc.string(), fc.string(), (list, one, other) => {
        const [first, last] = compareNames(one, other) <= 0 ? [one, other] : [other, one];
        const tree = new StoredTree(encodeTree(list.map((name) => encodeNode(node(name)))));
        const between = parseTree(tree.between(first, last)).map(({ name }) => name);
        expect(between).toEqual(list.filter((name) => compareNames(name, first) >= 0 && compareNames(name, last) <= 0));
      }),
    );
  });

  it('has no nodes where the bytes are no tree', () => {
    for (const text of ['', '{}', '{"nodes":null}', '{"nodes":[{', 'nonsense'])
      expect(new StoredTree(Buffer.from(text)).count).toBe(0);
  });
});
