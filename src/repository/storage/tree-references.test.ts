import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeNode, goMode, type Node } from '../format/node.ts';
import { encodeTree, parseTree } from '../format/tree.ts';
import { ID_WORDS, idAt } from './id-words.ts';
import { treeReferences } from './tree-references.ts';

const id = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString('hex'));
const text = fc.oneof(fc.string(), fc.constantFrom('"content":["', '\\"', '","subtree":"', '{[}]', '\\\\', '\u0000'));
const node: fc.Arbitrary<Node> = fc
  .record({
    text,
    content: fc.option(fc.array(id, { maxLength: 4 }), { nil: undefined }),
    subtree: fc.option(id, { nil: undefined }),
    inode: fc.bigInt({ min: 0n, max: BigInt(Number.MAX_SAFE_INTEGER) }),
  })
  .map(({ text, content, subtree, inode }) => ({
    ...{ name: '', type: 'file', mode: goMode('file', 0o644), uid: 0, gid: 0, size: 1, inode, user: text },
    linkTarget: text,
    extendedAttributes: [{ name: text, value: Buffer.from(text).toString('base64') }],
    unknown: { later: { content: [text], list: [[{ subtree: text }], null, 1.5e-3] } },
    ...(content && { content }),
    ...(subtree !== undefined && { subtree }),
  }));
const nodes = fc
  .array(node, { maxLength: 5 })
  .map((list) => list.map((one, n): Node => ({ ...one, name: `${String(n)}"\\{content` })));

function read(json: Uint8Array): { data: string[]; subtrees: readonly string[] } {
  const { data, subtrees } = treeReferences(json);
  return { data: Array.from({ length: data.length / ID_WORDS }, (_, n) => idAt(data, n * ID_WORDS)), subtrees };
}

function expected(tree: readonly Node[]): ReturnType<typeof read> {
  return {
    data: tree.flatMap(({ content = [] }) => content),
    subtrees: tree.flatMap(({ subtree }) => subtree ?? []),
  };
}

describe('The references of a tree', () => {
  test('are those that its nodes have', () => {
    fc.assert(
      fc.property(nodes, (list) => {
        expect(read(encodeTree(list.map(encodeNode)))).toEqual(expected(list));
      }),
    );
  });

  test('are the same in every other form that can be parsed', () => {
    fc.assert(
      fc.property(nodes, fc.integer({ min: 0, max: 2 }), (list, indent) => {
        const json = encodeTree(list.map(encodeNode));
        const tree = JSON.parse(Buffer.from(json).toString()) as { nodes: object[] };
        const reversed = tree.nodes.map((one) => Object.fromEntries(Object.entries(one).reverse()));
        const other = Buffer.from(JSON.stringify({ ...tree, nodes: reversed }, null, indent));
        expect(read(other)).toEqual(expected(parseTree(other)));
      }),
    );
  });

  test('are found behind names of fields that are escaped, and in trees of no nodes', () => {
    const blob = 'ab'.repeat(32);
    const tree = `{"nodes":[{"name":"a","type":"file","c\\u006fntent":["${blob}"]}]}`;
    expect(read(Buffer.from(tree))).toEqual({ data: [blob], subtrees: [] });
    for (const empty of ['{"nodes":[]}\n', '{"nodes":null}'])
      expect(read(Buffer.from(empty))).toEqual({ data: [], subtrees: [] });
    const bare = '{"nodes":[{"name":"a","type":"dir","content":null,"subtree":null}]}';
    expect(read(Buffer.from(bare))).toEqual({ data: [], subtrees: [] });
  });

  test('are refused of a tree that was cut off, or whose ids are none', () => {
    const blob = 'ab'.repeat(32);
    const json = `{"nodes":[{"name":"a","type":"file","size":1,"content":["${blob}"]},{"name":"b","type":"dir","subtree":"${blob}"}]}`;
    expect(read(Buffer.from(json))).toEqual({ data: [blob], subtrees: [blob] });
    for (let length = 0; length < json.length; length++)
      expect(() => read(Buffer.from(json.slice(0, length)))).toThrow('damaged');
    for (const [from, to] of [
      ['abab', 'ABAB'],
      ['abab', 'ab'],
      ['["ab', '[["ab'],
      ['"size":1', '"size":'],
      ['"size":1', '"size":1]'],
      [']}', ']}}'],
    ] as const)
      expect(() => read(Buffer.from(json.replace(from, to)))).toThrow('damaged');
  });
});
