import { expect, it } from 'vitest';
import type { DatabaseFacts } from '../logical/facts.ts';
import { serverVersion } from '../product.ts';
import { missingDefiners, obstaclesOf } from './obstacles.ts';
import type { TargetServer } from './target-server.ts';

const TARGET: TargetServer = {
  server: {
    ...{ said: '10.11.6-MariaDB', version: serverVersion('10.11.6-MariaDB', ''), binaryLog: false, gtidMode: false },
    ...{
      account: 'root@localhost',
      grants: ['GRANT ALL PRIVILEGES ON *.* TO `root`@`localhost`'],
      withoutEvents: false,
    },
  },
  readOnly: false,
  collations: ['utf8mb4_general_ci', 'latin1_swedish_ci', 'uca1400_ai_ci', 'utf8mb3_general_ci'],
  engines: ['innodb', 'myisam'],
  accounts: ['root@localhost'],
  databases: new Map([['shop', { bytes: 100, sessions: 0, referencedBy: [] }]]),
  unfinished: [],
  freeBytes: 1000,
};
const SHOP: DatabaseFacts = {
  ...{
    name: 'shop',
    folder: '/dump/shop',
    charset: 'utf8mb4',
    collation: 'utf8mb4_general_ci',
    bytes: 100,
    dumpBytes: 100,
  },
  ...{ cut: 16_384, views: [], routines: [], triggers: [], events: [], collations: [], namesItself: false, files: [] },
  tables: [
    { name: 't', kind: 'table', engine: 'InnoDB', rowEstimate: 1, bytes: 1, rows: 1, consistent: true, file: '' },
  ],
};
const WISH = { inPlace: false, disconnect: false, createRoles: false };
const PLANNED = { name: 'shop', target: 'shop', replaces: { bytes: 100, sessions: 0 } };

const obstacles = (
  target: Partial<TargetServer>,
  shop: Partial<DatabaseFacts> = {},
  wish: Partial<typeof WISH> = {},
  needed = 100,
) =>
  obstaclesOf(
    {
      target: { ...TARGET, ...target },
      planned: [PLANNED],
      neededBytes: needed,
      missingRoles: [],
      databases: [{ ...SHOP, ...shop }],
    },
    { ...WISH, ...wish },
  );

it('nothing stops a restore into a server that has all it needs', () => {
  expect(obstacles({})).toEqual([]);
  expect(obstacles({}, { collations: ['utf8mb4_uca1400_ai_ci', 'utf8_general_ci'] })).toEqual([]);
});

it.each([
  ['a replica', obstacles({ readOnly: true }), 'read-only'],
  ['a collation of another product', obstacles({}, { collations: ['utf8mb4_0900_ai_ci'] }), 'utf8mb4_0900_ai_ci'],
  ['an engine that is not there', obstacles({ engines: ['myisam'] }), 'engines innodb'],
  [
    'no events',
    obstacles(
      { server: { ...TARGET.server, withoutEvents: true } },
      { events: [{ name: 'e', definer: 'root@localhost' }] },
    ),
    'event_scheduler',
  ],
  ['sequences by name', obstacles({}, { namesItself: true }), '--in-place'],
  [
    'foreign keys from elsewhere',
    obstacles({ databases: new Map([['shop', { bytes: 1, sessions: 0, referencedBy: ['blog.c'] }]]) }),
    'blog.c',
  ],
  ['too little room for both', obstacles({}, {}, {}, 1050), '--in-place drops'],
  ['too little room', obstacles({}, {}, { inPlace: true }, 2000), 'not enough room'],
  [
    'few privileges',
    obstacles({ server: { ...TARGET.server, grants: ['GRANT SELECT ON *.* TO a'] } }),
    'may not make databases',
  ],
  [
    'definers of others',
    obstacles(
      { server: { ...TARGET.server, grants: ['GRANT CREATE, DROP, ALTER, INSERT ON *.* TO a'] } },
      { views: [{ name: 'v', definer: 'b@c', valid: true }] },
    ),
    'act for b@c',
  ],
])('%s does', (_what, found, words) => {
  expect(found).toEqual([expect.stringContaining(words)]);
});

it('accounts count as missing only where the snapshot can make them', () => {
  const dumped = { names: ['a@h', 'root@localhost'], definers: ['a@h', 'ghost@h', 'root@localhost'] };
  expect(missingDefiners(dumped, TARGET)).toEqual(['a@h']);
  expect(missingDefiners(dumped, { accounts: undefined })).toEqual([]);
  expect(missingDefiners(undefined, TARGET)).toEqual([]);
});
