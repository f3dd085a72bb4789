/** What dumps of PostgreSQL are measured with: always the same rows. */

/** A database of that size: `scale` is pgbench's, whose unit is some 10 MB of text. */
export interface DumpedDatabase {
  readonly name: string;
  /** For people. */
  readonly about: string;
  /** PostgreSQL's program that fills it when it is there, without the database's name at the end. */
  readonly fill: readonly [string, ...string[]];
}

/** Numbers and blanks, the same three times as large, and what applications have: words and documents. */
export function dumpedDatabases(scale: number): readonly DumpedDatabase[] {
  const orders = Math.round(scale * 14_000);
  return [
    pgbench('small', scale),
    pgbench('large', scale * 3),
    {
      name: 'shop',
      about: `${String(orders)} orders with notes and JSON`,
      fill: [
        'psql',
        '-X',
        '-q',
        '-v',
        'ON_ERROR_STOP=1',
        '-c',
        ORDERS,
        '-c',
        fillOrders(orders),
        '-c',
        'VACUUM ANALYZE',
      ],
    },
  ];
}

function pgbench(name: string, scale: number): DumpedDatabase {
  return { name, about: `pgbench at scale ${String(scale)}`, fill: ['pgbench', '-i', '-q', '-s', String(scale)] };
}

const ORDERS = `CREATE TABLE orders (id bigint PRIMARY KEY, customer int NOT NULL, placed timestamptz NOT NULL,
  status text NOT NULL, note text NOT NULL, details jsonb NOT NULL)`;

const WORDS =
  'the of and to a in is it you that he was for on are with as his they be at one have this from or had by hot but some what';

/** A number below `limit`, a power of two, that looks like chance and is not. */
function chance(seed: string, limit: number): string {
  return `(hashint4((${seed})::int) & ${String(limit - 1)})`;
}

function fillOrders(orders: number): string {
  const word = (seed: string): string => `words[1 + ${chance(seed, 32)}]`;
  const number = `CASE WHEN k % 7 = 0 THEN ' ' || ${chance('i + k', 4096)} ELSE '' END`;
  const item = `jsonb_build_object('sku', 'SKU-' || ${chance('i * 8 + k', 16_384)},
    'quantity', 1 + ${chance('i + k', 8)}, 'price', round(${chance('i * 9 + k', 65_536)} / 100.0, 2))`;
  const address = `jsonb_build_object('street', ${word('i * 3')} || ' ' || ${chance('i', 256)},
    'zip', lpad(${chance('i * 5', 65_536)}::text, 5, '0'))`;
  return `INSERT INTO orders SELECT i, 1 + ${chance('i', 65_536)}, timestamptz '2024-01-01 00:00Z' + i * interval '7 seconds',
    (ARRAY['placed', 'paid', 'packed', 'sent'])[1 + ${chance('i + 1', 4)}], note,
    jsonb_build_object('items', items, 'address', ${address}, 'token', md5(i::text))
    FROM generate_series(1, ${String(orders)}) AS i,
    (SELECT string_to_array('${WORDS}', ' ') AS words) AS w,
    LATERAL (SELECT string_agg(${word('i * 64 + k')} || ${number}, ' ') AS note
      FROM generate_series(1, 20 + ${chance('i', 32)}) AS k) AS n,
    LATERAL (SELECT jsonb_agg(${item}) AS items FROM generate_series(1, 1 + ${chance('i', 4)}) AS k) AS m`;
}
