import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeName } from '../../domain/name.ts';
import { encodeNode, goMode, permissionBits, type Node, type NodeType } from './node.ts';
import { encodeTree, parseTree } from './tree.ts';

const ID = '7468d9d4e6b1266d4e9c557bb75f4ce817bb162addd946bdebfb8ba6c3851be5';
const TIME = '2026-11-21T08:05:22.122885617+01:00';
const file: Node = {
  name: 'a',
  type: 'file',
  mode: 0o644,
  mtime: TIME,
  atime: TIME,
  ctime: TIME,
  uid: 0,
  gid: 0,
  size: 0,
  content: [],
};

function bytesOf(json: string): Uint8Array {
  return Buffer.from(json);
}

function parseNodes(...nodes: unknown[]): Node[] {
  return parseTree(bytesOf(JSON.stringify({ nodes })));
}

const times = `"mtime":"${TIME}","atime":"${TIME}","ctime":"${TIME}"`;

/** Trees in the words of stock restic: 0.14, 0.18. */
const written: Readonly<Record<string, string>> = {
  'an empty folder': '',
  'an empty file': `{"name":"a","type":"file","mode":420,${times},"uid":0,"gid":0,"user":"root","group":"root","inode":2171980,"device_id":65024,"links":1,"content":[]}`,
  'a file without permissions': `{"name":"none","type":"file",${times},"uid":0,"gid":0,"inode":7,"device_id":65024,"links":1,"content":[]}`,
  'a file of two blobs': `{"name":"a","type":"file","mode":420,${times},"uid":12345,"gid":54321,"inode":2171980,"device_id":65024,"size":1300000,"links":2,"content":["${ID}","${ID}"]}`,
  'a folder': `{"name":"dir","type":"dir","mode":2161115645,${times},"uid":0,"gid":0,"user":"root","group":"root","inode":2171980,"device_id":65024,"content":null,"subtree":"${ID}"}`,
  'a symbolic link': `{"name":"l","type":"symlink","mode":134218239,${times},"uid":0,"gid":0,"user":"root","inode":1,"device_id":2,"links":1,"linktarget":"\\u003c\\u0026\\u003e\\"\\\\\\n\\t\\b\\f","content":null}`,
  'a symbolic link to a name that is not UTF-8': `{"name":"l","type":"symlink","mode":134218239,${times},"uid":0,"gid":0,"inode":1,"device_id":2,"links":1,"linktarget":"bad\\ufffdtarget","linktarget_raw":"YmFk/3RhcmdldA==","content":null}`,
  'a device': `{"name":"blk","type":"dev","mode":67109248,${times},"uid":0,"gid":0,"inode":1,"device_id":2,"links":1,"device":4503599627370497,"content":null}`,
  'an inode and device of 64 bits': `{"name":"a","type":"chardev","mode":69206436,${times},"uid":0,"gid":0,"inode":18446744073709551615,"device_id":9007199254740993,"links":1,"device":12345678901234567890,"content":null}`,
  'extended attributes': `{"name":"xa","type":"file","mode":420,${times},"uid":0,"gid":0,"inode":1,"device_id":2,"links":1,"extended_attributes":[{"name":"user.a","value":"dmFsdWUA/w=="},{"name":"user.empty","value":""}],"content":[]}`,
  'what Windows adds': `{"name":"w","type":"file","mode":438,${times},"uid":0,"gid":0,"links":1,"generic_attributes":{"windows.creation_time":{"HighDateTime":31,"LowDateTime":12},"windows.file_attributes":32},"content":[]}`,
  'an error and fields of the future': `{"name":"e","type":"file","mode":420,${times},"uid":0,"gid":0,"content":null,"error":"read \\u003cfailed\\u003e","checksum":{"x":[1,"\\u0026"]},"flag":true}`,
  'names of all kinds': [
    'quo\\\\\\"te',
    '\\u003ca\\u003e\\u0026b',
    '\\\\t\\\\x01\\\\u00a0\\\\U000e0001',
    'bad\\\\xff',
    'new\\\\nline',
    'ñ😀',
  ]
    .map(
      (name) =>
        `{"name":"${name}","type":"fifo","mode":33554852,${times},"uid":0,"gid":0,"inode":1,"device_id":2,"content":null}`,
    )
    .join(','),
};

describe('a tree', () => {
  it.each(Object.keys(written))('with %s is written as it was read, byte for byte', (what) => {
    const json = `{"nodes":[${written[what] ?? ''}]}\n`;
    const again = encodeTree(parseTree(bytesOf(json)).map(encodeNode));
    expect(Buffer.from(again).toString()).toBe(json);
  });

  it('gives back any node', () => {
    const name = fc
      .uint8Array({ minLength: 1, maxLength: 30 })
      .map(decodeName)
      .filter((text) => !/[/\0]/.test(text) && text !== '.' && text !== '..');
    const long = fc.bigInt({ min: 1n, max: (1n << 64n) - 1n });
    const target = fc.uint8Array({ minLength: 1, maxLength: 30 }).map(decodeName);
    const text = fc.string({ unit: 'binary', minLength: 1 });
    const node = fc.record(
      {
        name,
        inode: long,
        deviceId: long,
        device: long,
        linkTarget: target,
        user: text,
        error: text,
        links: fc.integer({ min: 1 }),
        size: fc.maxSafeNat(),
        extendedAttributes: fc.array(fc.record({ name: text, value: fc.base64String() }), { minLength: 1 }),
      },
      { requiredKeys: ['name', 'size'] },
    );
    fc.assert(
      fc.property(fc.uniqueArray(node, { selector: (n) => n.name }), (nodes) => {
        const whole: Node[] = nodes.map((part) => ({ ...file, ...part }));
        expect(parseTree(encodeTree(whole.map(encodeNode)))).toEqual(whole);
      }),
      { numRuns: 300 },
    );
  });

  it('holds more nodes than are put together at a time', () => {
    const names = Array.from({ length: 25_001 }, (_, i) => String(i).padStart(6, '0'));
    const tree = encodeTree(names.map((name) => encodeNode({ ...file, name })));
    expect(parseTree(tree).map((node) => node.name)).toEqual(names);
  });

  it('may lack everything that restic leaves out, and say null for no nodes', () => {
    expect(parseTree(bytesOf('{"nodes":null}'))).toEqual([]);
    const [node] = parseNodes({ name: 'x', type: 'socket', content: null });
    expect(node).toEqual({ name: 'x', type: 'socket', mode: 0, uid: 0, gid: 0, size: 0 });
  });

  it('keeps the order in which it was stored', () => {
    const names = ['b', 'a', 'ñ', 'Z'];
    const tree = names.map((name) => ({ ...JSON.parse(encodeNode(file)), name }) as unknown);
    expect(parseNodes(...tree).map((node) => node.name)).toEqual(names);
  });
});

describe('a damaged tree', () => {
  const damaged = (what: string): unknown => expect.objectContaining({ code: 'repository-damaged', message: what });
  const containing = (text: string) => expect.stringContaining(text) as string;

  it.each(['', '.', '..', 'a/b', '/', '../../etc/passwd', 'nul\\x00', '\\x2e\\x2e', '\\u002f', 'a\\057b'])(
    'is refused for the name %j',
    (name) => {
      expect(() => parseNodes({ name, type: 'file' })).toThrow(damaged(containing('its name')));
    },
  );

  it('is refused for a name that occurs twice, however it is written', () => {
    for (const name of ['\u00e9', '\\u00e9', '\\xc3\\xa9']) {
      expect(() => parseNodes({ name: 'é', type: 'file' }, { name, type: 'dir' })).toThrow(
        damaged(containing('twice')),
      );
    }
  });

  it.each([
    ['no name', { type: 'file' }],
    ['no type', { name: 'a' }],
    ['an unknown type', { name: 'a', type: 'wormhole' }],
    ['a type out of the prototype', { name: 'a', type: 'constructor' }],
    ['an invalid escape', { name: '\\q', type: 'file' }],
    ['a negative size', { name: 'a', type: 'file', size: -1 }],
    ['a size that is no integer', { name: 'a', type: 'file', size: 1.5 }],
    ['an owner that is text', { name: 'a', type: 'file', uid: '0' }],
    ['a time that is none', { name: 'a', type: 'file', mtime: '","x":"' }],
    ['content that is no list', { name: 'a', type: 'file', content: ID }],
    ['content that is no id', { name: 'a', type: 'file', content: ['../../x'] }],
    ['a subtree that is no id', { name: 'a', type: 'dir', subtree: 'x' }],
    ['an attribute that is not base64', { name: 'a', type: 'file', extended_attributes: [{ name: 'x', value: '"' }] }],
    ['an inode of more than 64 bits', { name: 'a', type: 'file', inode: '18446744073709551616' }],
    ['an inode that is text', { name: 'a', type: 'file', inode: 'x' }],
    ['a node that is none', 'a'],
    ['a node that is null', null],
  ])('is refused for %s', (_, node) => {
    expect(() => parseNodes(node)).toThrow(damaged(containing('entry 0')));
  });

  it.each(['', '{', 'null', '[]', '{}', '{"nodes":{}}', '{"nodes":[]'])('is refused when all of it is %j', (json) => {
    expect(() => parseTree(bytesOf(json))).toThrow(expect.objectContaining({ code: 'repository-damaged' }));
  });

  it('does not mistake text for a long number', () => {
    const name = '{\\"inode\\":12345678901234567890';
    const [node] = parseNodes({ name, type: 'symlink', linktarget: '{"inode":12345678901234567890}' });
    expect(node).toMatchObject({ name: '{"inode":12345678901234567890', linkTarget: '{"inode":12345678901234567890}' });
    const tree = parseTree(bytesOf('{"nodes":[{"name":"a","type":"file","\\"inode":12345678901234567890}]}'));
    expect(typeof tree[0]?.unknown?.['"inode']).toBe('number');
  });

  it('does not mistake half a character in JSON for a byte of a name', () => {
    const [node] = parseTree(bytesOf('{"nodes":[{"name":"a\\udcff","type":"file","user":"\\ud800\\\\x80"}]}'));
    expect(node).toMatchObject({ name: 'a\ufffd', user: '\ufffd\\x80' });
    const [other] = parseTree(bytesOf('{"nodes":[{"name":"\\ud800\\\\x80","type":"file"}]}'));
    expect(other?.name).toBe('\ufffd\udc80');
  });
});

describe('mode bits', () => {
  const types: NodeType[] = ['file', 'dir', 'symlink', 'dev', 'chardev', 'fifo', 'socket', 'irregular'];

  it.each([
    ['file', 0o644, 420],
    ['file', 0o4755, 8389101],
    ['dir', 0o3775, 2152727037],
    ['symlink', 0o777, 134218239],
    ['dev', 0o600, 67109248],
    ['chardev', 0o644, 69206436],
    ['fifo', 0o644, 33554852],
    ['socket', 0o755, 16777709],
  ] as const)('of a %s with %i are Go’s', (type, permissions, mode) => {
    expect(goMode(type, permissions)).toBe(mode);
  });

  it('keep every permission of every type', () => {
    for (const type of types) {
      for (let bits = 0; bits <= 0o7777; bits++) expect(permissionBits(goMode(type, bits))).toBe(bits);
    }
  });
});
