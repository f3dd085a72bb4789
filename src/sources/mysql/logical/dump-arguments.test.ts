import { describe, expect, it } from 'vitest';
import { serverVersion } from '../product.ts';
import { programsArguments, tablesArguments } from './dump-arguments.ts';
import { extraArguments } from './extra-arguments.ts';
import type { ServerInventory } from './inventory.ts';

const MARIA = serverVersion('10.11.6-MariaDB', '');
const MYSQL57 = serverVersion('5.7.44', '');
const MYSQL80 = serverVersion('8.0.36', '');
const MYSQL84 = serverVersion('8.4.2', '');
const ROOT = ['GRANT ALL PRIVILEGES ON *.* TO `root`@`localhost` WITH GRANT OPTION'];
const DUMPER = ['GRANT SELECT, SHOW VIEW, TRIGGER, EVENT ON *.* TO `d`@`%`'];

function server(version: ServerInventory['version'], more: Partial<ServerInventory> = {}): ServerInventory {
  return {
    said: '',
    version,
    binaryLog: true,
    gtidMode: false,
    account: 'root@localhost',
    grants: ROOT,
    withoutEvents: false,
    ...more,
  };
}

const tables = (...args: [ServerInventory['version'], ServerInventory, ...string[]]) => {
  const [tool, of, ...extra] = args;
  const database = { name: '-shop', charset: '', collation: '', bytes: 0 };
  return tablesArguments(tool, of, [database], [{ database: '-shop', name: 'v' }], extra);
};

describe('the dump program is asked', () => {
  it('for databases whatever they are called, without their views, in one transaction', () => {
    const args = tables(MARIA, server(MARIA));
    expect(args.slice(-4)).toEqual(['--ignore-table=-shop.v', '--databases', '--', '-shop']);
    expect(args).toContain('--single-transaction');
    expect(args).not.toContain('--column-statistics=0');
  });

  it('for the position in the log, as product and version have it, where that is allowed', () => {
    const asked = (...args: Parameters<typeof tables>) => tables(...args).filter((arg) => /-data=2|^--gtid/.test(arg));
    expect(asked(MARIA, server(MARIA))).toEqual(['--master-data=2', '--gtid']);
    expect(asked(MARIA, server(MARIA, { binaryLog: false }))).toEqual([]);
    expect(asked(MARIA, server(MARIA, { grants: DUMPER }))).toEqual([]);
    expect(asked(MYSQL57, server(MYSQL57))).toEqual(['--master-data=2']);
    expect(asked(MYSQL80, server(MYSQL80))).toEqual(['--source-data=2']);
    expect(asked(MARIA, server(MYSQL84))).toEqual([]);
    expect(asked(MYSQL80, server(MARIA))).toEqual([]);
  });

  it('for no transactions around the rows of a table, which newer versions write, unless somebody says so', () => {
    expect(tables(MARIA, server(MARIA))).toContain('--skip-no-autocommit');
    const args = tables(MARIA, server(MARIA), '--no-autocommit');
    expect(args.indexOf('--no-autocommit')).toBeGreaterThan(args.indexOf('--skip-no-autocommit'));
  });

  it('for nothing that a server does not know', () => {
    expect(tables(MYSQL80, server(MARIA))).toContain('--column-statistics=0');
    expect(tables(MYSQL80, server(MARIA)).join(' ')).not.toContain('gtid-purged');
    expect(tables(MYSQL57, server(MYSQL57))).toContain('--set-gtid-purged=OFF');
    expect(tables(MYSQL57, server(MYSQL57))).not.toContain('--column-statistics=0');
    expect(tables(MYSQL84, server(MYSQL84, { gtidMode: true }))).toContain('--set-gtid-purged=COMMENTED');
  });

  it('to stop all writing instead, if somebody says so', () => {
    expect(tables(MARIA, server(MARIA), '--lock-all-tables')).not.toContain('--single-transaction');
  });

  it('for routines and events without tables', () => {
    const args = programsArguments(MARIA, server(MARIA), 'routines', 'a.b', [{ database: 'a.b', name: 'v' }]);
    expect(args).toEqual(
      expect.arrayContaining([
        '--no-data',
        '--no-create-info',
        '--routines',
        '--skip-triggers',
        '--ignore-table=a.b.v',
      ]),
    );
  });
});

describe('extra arguments', () => {
  it('that are so anyway change nothing, and harmless ones are passed on', () => {
    expect(extraArguments(['--single-transaction', '--routines', '--complete_insert', '--ignore-table=a.b'])).toEqual([
      '--complete-insert',
      '--ignore-table=a.b',
    ]);
  });

  it.each([
    ['--result-file=/tmp/x', 'elsewhere'],
    ['--result_file=/tmp/x', 'elsewhere'],
    ['-r/tmp/x', 'elsewhere'],
    ['--tab=/tmp', 'elsewhere'],
    ['--skip-comments', 'mark'],
    ['--compact', 'mark'],
    ['--force', 'errors'],
    ['--password=secret', 'address'],
    ['-psecret', 'address'],
    ['--no-data', 'leaves out'],
    ['--where=1=0', 'leaves out'],
    ['--all-databases', 'which databases'],
    ['--loose-result-file=/x', 'not given'],
    ['sh', 'not given'],
  ])('%s is refused', (argument, why) => {
    expect(() => extraArguments([argument])).toThrow(why);
    expect(() => extraArguments([argument])).not.toThrow('secret');
  });
});
