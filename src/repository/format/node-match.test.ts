import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { goMode, encodeNode, type Node } from './node.ts';
import { NodeMatcher } from './node-match.ts';
import type { Instant, Stat } from './stat.ts';
import { formatInstant } from './time.ts';

const users = new Map([
  [0, 'root'],
  [1000, 'josé'],
]);
const groups = new Map([[0, 'wheel']]);
const matcher = new NodeMatcher({ user: (uid) => users.get(uid), group: (gid) => groups.get(gid) });

/** The node that a backup without a parent writes for the entry. */
function nodeOf(name: string, stat: Stat): Node {
  const { type, uid, gid } = stat;
  const text = ({ seconds, nanoseconds }: Instant) => formatInstant(seconds, nanoseconds);
  const [user, group] = [users.get(uid), groups.get(gid)];
  return {
    name,
    type,
    mode: goMode(type, stat.permissions),
    mtime: text(stat.mtime),
    atime: text(stat.mtime),
    ctime: text(stat.ctime),
    uid,
    gid,
    ...(user === undefined ? {} : { user }),
    ...(group === undefined ? {} : { group }),
    inode: stat.inode,
    deviceId: stat.device,
    size: type === 'file' ? stat.size : 0,
    ...(type === 'dir' || type === 'fifo' ? {} : { links: stat.links }),
    ...(type === 'chardev' ? { device: stat.rdev } : {}),
  };
}

const instant = fc.record({
  seconds: fc.oneof(fc.integer({ min: -2_000_000_000, max: 20_000_000_000 }), fc.constantFrom(0, -1)),
  nanoseconds: fc.oneof(fc.integer({ min: 0, max: 999_999_999 }), fc.constantFrom(0, 1, 100, 120_000_000)),
});
const id = fc.constantFrom(0, 1000, 5);
const long = fc.oneof(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.bigInt({ min: 0n, max: 1000n }));
const stats: fc.Arbitrary<Stat> = fc.record({
  type: fc.constantFrom('file', 'dir', 'symlink', 'chardev', 'fifo'),
  permissions: fc.integer({ min: 0, max: 0o7777 }),
  links: fc.nat(20),
  uid: id,
  gid: id,
  size: fc.oneof(fc.nat(100), fc.maxSafeNat()),
  inode: long,
  device: long,
  rdev: long,
  atime: instant,
  mtime: instant,
  ctime: instant,
});
const names = fc.oneof(
  fc.string({ minLength: 1 }),
  fc.constantFrom('a', 'a"b', '\\', 'ñandú', '\udcff', '<&>', '日本'),
);

function matchOf(json: string, name: string, stat: Stat): number {
  const bytes = Buffer.from(`xx${json}`);
  return matcher.match(bytes.toString('latin1'), bytes, 2, name, stat);
}

describe('NodeMatcher', () => {
  it('recognizes the node that was written for the same entry, up to where its content begins', () => {
    fc.assert(
      fc.property(names, stats, (name, stat) => {
        const json = encodeNode(nodeOf(name, stat));
        const end = matchOf(json, name, stat);
        expect(Buffer.from(`xx${json}`).subarray(end).toString()).toBe(',"content":null}');
      }),
    );
  });

  it('does not take an entry for another whose node differs in anything', () => {
    fc.assert(
      fc.property(names, stats, names, stats, fc.subarray(Object.keys(nodeKeys), { minLength: 1 }), (...given) => {
        const [name, stat, otherName, other, fields] = given;
        const mixed = Object.fromEntries(
          Object.entries(stat).map(([key, value]) => [key, fields.includes(key) ? other[key as keyof Stat] : value]),
        ) as unknown as Stat;
        const mixedName = fields.includes('name') ? otherName : name;
        const [json, changed] = [encodeNode(nodeOf(name, stat)), encodeNode(nodeOf(mixedName, mixed))];
        const end = matchOf(json, mixedName, mixed);
        const rest = end < 0 ? '' : Buffer.from(`xx${json}`).subarray(end).toString();
        expect(rest === ',"content":null}').toBe(json === changed);
      }),
      { numRuns: 1000 },
    );
  });

  it('is not misled by numbers that go on, or begin with zeros', () => {
    const stat = { ...zero, size: 12 };
    const json = encodeNode(nodeOf('a', stat));
    expect(matchOf(json, 'a', stat)).toBeGreaterThan(0);
    for (const size of ['120', '1', '012', '12.0', '-12', ''])
      expect(matchOf(json.replace('"size":12', `"size":${size}`), 'a', stat), size).toBe(-1);
  });
});

const zero: Stat = {
  type: 'file',
  permissions: 0o644,
  links: 1,
  uid: 0,
  gid: 0,
  size: 0,
  inode: 1n,
  device: 1n,
  rdev: 0n,
  atime: { seconds: 5, nanoseconds: 0 },
  mtime: { seconds: 1, nanoseconds: 0 },
  ctime: { seconds: 1, nanoseconds: 0 },
};
const nodeKeys = { ...zero, name: '' };
