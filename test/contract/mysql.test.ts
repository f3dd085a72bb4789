import { execFile } from 'node:child_process';
import { createReadStream, createWriteStream, globSync } from 'node:fs';
import { chmod, chown, mkdtemp, readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { detect } from '../../src/operations/detect.ts';
import { dumpFile } from '../../src/operations/dump-file.ts';
import { openRuntime, openSandbox, openWorkloadLists } from '../../src/runtimes/index.ts';
import type { Command, Runtime } from '../../src/runtimes/runtime.ts';
import { parseAddress } from '../../src/sources/mysql/address.ts';
import { inspectServer } from '../../src/sources/mysql/logical/inventory.ts';
import { openOneState } from '../../src/sources/mysql/logical/one-state.ts';
import { mysql } from '../../src/sources/mysql/mysql.ts';
import { Session } from '../../src/sources/mysql/session.ts';
import { Toolbox } from '../../src/sources/mysql/toolbox.ts';
import { WireConnection } from '../../src/sources/mysql/wire/connection.ts';
import type { PortableFile } from '../../src/sources/source.ts';
import { Authority } from '../fixtures/authority.ts';
import { compress } from '../fixtures/dumps.ts';
import { readableFolder, writeEntries } from '../fixtures/entry-folder.ts';
import { DockerEngine, HAS_DOCKER, MARIADB_IMAGE, MYSQL_IMAGE } from '../fixtures/docker.ts';
import { HAS_MARIADB, HAS_MYSQL, MARIADB, MYSQL, type ServerProduct } from '../fixtures/mysql-products.ts';
import { MysqlServer } from '../fixtures/mysql-server.ts';
import { NEVER } from '../fixtures/repository.ts';
import { MysqlBench, SOURCE_OPTIONS } from './mysql-bench.ts';
import { describeSource } from './source.ts';

const run = promisify(execFile);
/** An argument for the dump program lets that read all tables. */
const PROGRAM = 'arg=--skip-disable-keys';
const SECRET = 'a secret, 123';

/** All that a dump may trip over. */
const shop = (product: ServerProduct): string => `
CREATE TABLE small (id INT PRIMARY KEY, b TEXT) CHARACTER SET utf8mb4;
INSERT INTO small VALUES (1, 'x\\ny'), (2, 'it''s; '), (3, ');\\n-- Dump completed\\n'), (4, NULL), (5, ''), (6, '😀 \\\\ \\0 \\Z');
CREATE TABLE kinds (id INT AUTO_INCREMENT PRIMARY KEY, raw BLOB, bits BIT(9), d DATE, t TIMESTAMP NULL, e ENUM('a','b;'),
  n DECIMAL(30,10), f DOUBLE, j JSON, g GEOMETRY, len INT GENERATED ALWAYS AS (LENGTH(raw)) STORED, base INT DEFAULT 7, twice INT AS (base * 2) VIRTUAL,
  secret INT DEFAULT 3 INVISIBLE, CHECK (base > 1));
SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES';
INSERT INTO kinds (id, raw, bits, d, t, e, n, f, j, g) VALUES
  (0, UNHEX('00FF270A5C22603B'), b'101', '0000-00-00', '2026-03-29 01:30:00', 'b;', 12345678901234567890.0123456789, 0.1, '{"a": "\\\\"b"}', POINT(1,2)),
  (7, REPEAT(UNHEX('DEADBEEF'), 300000), NULL, '2026-01-01', NULL, NULL, NULL, -1e300, NULL, NULL);
CREATE TABLE \`two
lines; \`\`quoted\`\`\` (\`a;
b\` INT, \`USE \`\`x\`\`;\` INT);
INSERT INTO \`two
lines; \`\`quoted\`\`\` VALUES (1, 2), (3, 4);
CREATE TABLE \`-dash\` (i INT);
CREATE TABLE \`ñandú 表\` (i INT);
CREATE TABLE parent (id INT PRIMARY KEY) ENGINE=InnoDB;
CREATE TABLE child (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES parent (id)) ENGINE=InnoDB;
INSERT INTO parent VALUES (1);
INSERT INTO child VALUES (1, 1);
${product === MARIADB ? 'CREATE SEQUENCE numbers START 41;' : ''}
CREATE TABLE large (id INT PRIMARY KEY, x VARCHAR(300));
INSERT INTO large SELECT seq, CONCAT(REPEAT('x', 200), seq) FROM ${product.numbers(30_000)};
DELIMITER ;;
CREATE FUNCTION answer() RETURNS INT DETERMINISTIC BEGIN
-- Dump completed
RETURN 42; END;;
CREATE PROCEDURE nothing() BEGIN SELECT 'DELIMITER'; END;;
CREATE TRIGGER shop.stamp BEFORE INSERT ON shop.small FOR EACH ROW BEGIN SET NEW.b = CONCAT(NEW.b, '!;;'); END ;
;;
CREATE EVENT never ON SCHEDULE EVERY 1 YEAR DISABLE DO DELETE FROM small;;
DELIMITER ;
CREATE VIEW z_view AS SELECT id, 'it''s \`shop\`.\`answer\`()\\n' AS quoted, answer() AS answer FROM small;
CREATE VIEW a_view AS SELECT * FROM z_view;
`;

describe.skipIf(!HAS_MARIADB || !HAS_MYSQL).each([MARIADB, MYSQL])('$name', (product) => {
  let bench: MysqlBench;
  let server: MysqlServer;
  let folder: string;
  let authority: Authority;
  const [clientName, dumpName] = [basename(product.client), basename(product.dump)];

  beforeAll(async () => {
    authority = await readableAuthority();
    const certificate = (name: string) => join(authority.folder, name);
    bench = await MysqlBench.start(product, product, [
      ...[`--ssl-ca=${certificate('ca.pem')}`, `--ssl-cert=${certificate('server.pem')}`],
      `--ssl-key=${certificate('server.key')}`,
    ]);
    ({ server, folder } = bench);
    await server.query(
      'CREATE DATABASE shop CHARACTER SET latin1; CREATE DATABASE other; CREATE TABLE other.t AS SELECT 1 AS one',
    );
    await server.query(shop(product), 'shop');
  });

  afterAll(async () => {
    await bench[Symbol.asyncDispose]();
    await authority[Symbol.asyncDispose]();
  });

  describeSource(product.name, async () => {
    await server.query('CREATE DATABASE contract');
    await server.query(
      `CREATE TABLE t (id INT PRIMARY KEY, x VARCHAR(200));
       INSERT INTO t SELECT seq, SHA2(seq, 256) FROM ${product.numbers(60_000)}; CREATE VIEW v AS SELECT COUNT(*) AS n FROM t`,
      'contract',
    );
    const address = server.address('contract');
    return {
      address,
      source: bench.source(address),
      state: () => server.dump('contract'),
      restoredState: async (restored) => {
        await server.query('DROP DATABASE IF EXISTS byhand; CREATE DATABASE byhand');
        const files = join(restored, 'dump/contract');
        for (const file of [...globSync('tables/*.sql', { cwd: files }), 'views.sql'])
          await server.query(await readFile(join(files, file), 'utf8'), 'byhand');
        return server.dump('byhand');
      },
      change: async () => {
        await server.query(
          `UPDATE t SET x = 'changed' WHERE id = 30000; INSERT INTO t VALUES (70000, 'new')`,
          'contract',
        );
      },
      held: () => server.sessions(),
      [Symbol.asyncDispose]: async () => {
        await server.query('DROP DATABASE contract; DROP DATABASE IF EXISTS byhand');
      },
    };
  });

  describe('restored', () => {
    afterEach(async () => {
      for (const name of await server.databases())
        if (!['shop', 'other'].includes(name)) await server.query(`DROP DATABASE \`${name}\``);
      await server.query(`DROP USER IF EXISTS app@localhost`);
    });

    it.each([
      ['read by us', 'jobs=3'],
      ['read by the dump program', PROGRAM],
    ])(
      'under another name, %s, is the same to the last byte of a dump, and leaves the original alone',
      async (_, more) => {
        const { snapshot } = await bench.dump('shop', { more });
        const before = await server.dump('shop');
        await bench.restore({ dump: { snapshot }, address: server.address('copy') });
        expect(await server.dump('copy')).toBe(plain(before));
        expect(await server.dump('shop')).toBe(before);
        expect(await server.query('SELECT twice FROM kinds WHERE id = 7', 'copy')).toBe('14');
      },
    );

    it('replaces a database only when it is whole, and leaves nothing else behind', async () => {
      const { snapshot } = await bench.dump('shop');
      await bench.precious('copy');
      const request = { dump: { snapshot }, address: server.address('copy') };
      // As a killed restore leaves it.
      await server.query('CREATE DATABASE copy_restoring_00c0ffee');
      expect(await bench.plan(request)).toMatchObject({
        databases: [{ name: 'shop', target: 'copy', replaces: { sessions: 0 } }],
        unfinished: ['copy_restoring_00c0ffee'],
        obstacles: [],
      });
      await server.query('DROP DATABASE copy_restoring_00c0ffee');
      await bench.restore(request);
      expect(await server.dump('copy')).toBe(plain(await server.dump('shop')));
      expect(await server.databases()).toEqual(['copy', 'other', 'shop']);
      await expect(server.query('INSERT INTO child VALUES (2, 99)', 'copy')).rejects.toThrow('foreign key');
    });

    if (product === MARIADB)
      it('holds rows that a CHECK of later forbids, and replaces packages', async () => {
        const packaged = (name: string, number: number) => `SET sql_mode = ORACLE;
DELIMITER ;;
CREATE PACKAGE ${name} AS FUNCTION f RETURN INT; END;;
CREATE PACKAGE BODY ${name} AS FUNCTION f RETURN INT AS BEGIN RETURN ${String(number)}; END; END;;`;
        await server.query('CREATE DATABASE lax');
        await server.query(
          `CREATE TABLE t (i INT); INSERT INTO t VALUES (-1); SET check_constraint_checks = 0;
ALTER TABLE t ADD CONSTRAINT positive CHECK (i > 0);\n${packaged('kept', 1)}`,
          'lax',
        );
        const before = await server.dump('lax');
        const { snapshot } = await bench.dump('lax');
        await server.query(
          `SET sql_mode = ORACLE; DROP PACKAGE kept;\n${packaged('stray', 2)}\nDELIMITER ;\n${packaged('kept', 3)}`,
          'lax',
        );
        await bench.restore({ dump: { snapshot }, address: server.address('lax') });
        expect(await server.dump('lax')).toBe(before);
        expect(await server.query('SELECT i FROM t', 'lax')).toBe('-1');
        await expect(server.query('INSERT INTO t VALUES (-2)', 'lax')).rejects.toThrow('positive');
      });

    it('keeps what was there under another name, with its views, triggers and routines', async () => {
      const { snapshot } = await bench.dump('other');
      const was = await bench.precious('copy');
      await bench.restore({ dump: { snapshot }, address: server.address('copy'), keepOld: true });
      const old = (await server.databases()).find((name) => name.startsWith('copy_before_')) ?? 'none';
      expect(await server.dump(old, '--skip-events')).toBe(
        was.replace(/\/\*!50106[^]*?DELIMITER ;\n\/\*!50106[^\n]*\n/, ''),
      );
    });

    it('leaves the target as it was if the dump is damaged, fails at its end, or is cancelled', async () => {
      const { snapshot, captured } = await bench.dump('shop');
      const was = await bench.precious('copy');
      const request = { dump: { snapshot }, address: server.address('copy') };
      const abort = new AbortController();
      const cancelling: Runtime = {
        kind: 'host',
        place: 'this host',
        run: (command: Command, signal: AbortSignal) => {
          if (command.argv.some((word) => word.startsWith('--database=copy_restoring'))) abort.abort();
          return bench.tools.run(command, signal);
        },
      };
      await expect(bench.restore(request, cancelling, abort.signal)).rejects.toMatchObject({ code: 'cancelled' });
      expect(await server.dump('copy')).toBe(was);

      // Triggers are made when the tables are in place already.
      const triggers = join(captured, 'dump/shop/triggers.sql');
      const sound = await readFile(triggers, 'utf8');
      await writeFile(triggers, `${sound}CREATE TRIGGER t BEFORE INSERT ON nowhere FOR EACH ROW SET @a = 1;\n`);
      await expect(bench.restore(request)).rejects.toMatchObject({ code: 'source-missing' });
      expect(await server.dump('copy')).toBe(was);
      await writeFile(triggers, sound);

      const facts = join(captured, 'respaldo.json');
      await writeFile(facts, (await readFile(facts, 'utf8')).replace('"rows": 30000', '"rows": 30001'));
      await expect(bench.restore(request)).rejects.toMatchObject({
        code: 'incomplete',
        message: expect.stringContaining('rows of large') as string,
      });
      expect(await server.dump('copy')).toBe(was);
      expect(await server.databases()).toEqual(['copy', 'other', 'shop']);
    });

    it('waits for nobody: sessions in the target are an obstacle, unless they may be ended', async () => {
      const { snapshot } = await bench.dump('other');
      await bench.precious('busy');
      const request = { dump: { snapshot }, address: server.address('busy') };
      const guest = execFile(product.client, [
        '--no-defaults',
        `--socket=${server.socket}`,
        '-uroot',
        'busy',
        '-e',
        'SELECT SLEEP(600)',
      ]);
      const gone = new Promise((resolve) => guest.once('exit', resolve));
      await expect
        .poll(async () => (await bench.plan(request)).obstacles)
        .toEqual([expect.stringContaining('in use by 1 session')]);
      await expect(bench.restore(request)).rejects.toMatchObject({ code: 'target-refused' });
      await bench.restore({ ...request, disconnect: true });
      await gone;
      expect(await server.query('SELECT one FROM t', 'busy')).toBe('1');
    });

    it('in place, by its own name, with accounts that the server lacks', async () => {
      await server.query(
        "CREATE USER app@localhost IDENTIFIED BY 'x'; GRANT SELECT ON *.* TO app@localhost; CREATE ROLE zeal; GRANT zeal TO app@localhost",
      );
      if (product === MYSQL) await server.query('ALTER USER app@localhost DEFAULT ROLE zeal');
      await server.query('CREATE DATABASE own');
      await server.query(
        `${product === MARIADB ? 'CREATE SEQUENCE s; CREATE TABLE a_table (i INT DEFAULT NEXTVAL(s))' : 'CREATE TABLE a_table (i INT)'};
         INSERT INTO a_table VALUES (), (); CREATE DEFINER=app@localhost VIEW v AS SELECT 1 AS one`,
        'own',
      );
      const was = await server.dump('own');
      const { snapshot, captured } = await bench.dump('own');
      expect(await readFile(join(captured, 'dump/accounts.sql'), 'utf8')).toMatch(/^-- account "zeal[^]*account "app@/);
      await server.query('DROP DATABASE own; DROP USER app@localhost; DROP ROLE zeal');
      const request = { dump: { snapshot }, address: server.address() };
      expect((await bench.plan(request)).obstacles).toEqual([
        expect.stringContaining('app@localhost: --create-roles'),
        ...(product === MARIADB ? [expect.stringContaining('--in-place') as string] : []),
      ]);
      await bench.restore({ ...request, inPlace: true, createRoles: true });
      expect(await server.dump('own')).toBe(was);
      expect(await server.query('SHOW GRANTS FOR app@localhost')).toContain('GRANT SELECT ON *.*');
    });

    it.each([
      ['shop.sql', [], ''],
      ['shop.sql by gzip', ['--databases', '--add-drop-database', '--master-data=1'], 'gzip'],
      ['shop.sql by zstd', [], 'zstd'],
      ['shop.sql by xz', [], 'xz'],
    ])('from another tool’s %s', async (name, options, program) => {
      const path = join(folder, name);
      const all = ['--no-defaults', `--socket=${server.socket}`, '--user=root', '--routines', '--events', '--hex-blob'];
      const { stdout } = await run(product.dump, [...all, ...options, 'shop'], { maxBuffer: 1e9 });
      const text = stdout
        .replace('trigger shop.stamp', 'trigger stamp')
        .replaceAll('shop.stamp', 'stamp')
        .replaceAll('ON shop.small', 'ON small');
      await writeFile(path, text);
      if (program !== '') await compress(program, path);
      await bench.restore({ dump: await dumpFile(path, NEVER), address: server.address('loaded') });
      expect(tables(await server.dump('loaded'))).toBe(tables(plain(await server.dump('shop'))));
      const cut = async () => bench.restore({ dump: await dumpFile(path, NEVER), address: server.address('cut') });
      await truncate(path, (await stat(path)).size >> 1);
      await expect(cut()).rejects.toMatchObject({ code: 'source-damaged' });
      // A whole stream of what is only a part.
      await writeFile(path, text.slice(0, text.length / 2));
      if (program !== '') await compress(program, path);
      await expect(cut()).rejects.toMatchObject({ code: 'source-damaged' });
      expect(await server.databases()).toEqual(['loaded', 'other', 'shop']);
    });
  });

  it('is the same to the last byte while nothing changes', async () => {
    const [first, second] = [await bench.dump(''), await bench.dump('')];
    const { stdout } = await run('diff', ['-r', '-q', first.captured, second.captured]).catch(
      (error: unknown) => error as { stdout: string },
    );
    expect(stdout).toBe('');
    expect(first.entries.map(({ path }) => path)).toContain('/dump/shop/tables/two%0alines; `quoted`.sql');
  });

  it.each(['jobs=3', PROGRAM])('holds all tables of databases that come after an empty one (%s)', async (more) => {
    await server.query('CREATE DATABASE bare; CREATE DATABASE bare_too');
    const { entries } = await bench.dump('bare,bare_too,other', { more });
    await server.query('DROP DATABASE bare; DROP DATABASE bare_too');
    expect(entries.map(({ path }) => path)).toContain('/dump/other/tables/t.sql');
  });

  it.each([
    ['by three connections', 'jobs=3'],
    ['by the dump program', PROGRAM],
  ])('is one state of several databases, read %s, although they are written to all the while', async (_, more) => {
    await server.query('CREATE DATABASE bank; CREATE DATABASE vault');
    await server.query(
      `USE bank; CREATE TABLE bank.t AS SELECT seq AS id, 100 AS balance, REPEAT('x', 500) AS x FROM ${product.numbers(5_000)};
       ALTER TABLE bank.t ADD PRIMARY KEY (id); CREATE TABLE vault.t AS SELECT 0 AS balance`,
    );
    await server.query(
      `CREATE TABLE vault.open (i INT) ENGINE=MyISAM; INSERT INTO vault.open VALUES (1);
DELIMITER ;;
       CREATE PROCEDURE move() BEGIN DECLARE i INT DEFAULT 0; WHILE (SELECT COUNT(*) FROM vault.open) > 0 DO
         SET i = i + 1; START TRANSACTION; UPDATE t SET balance = balance - 1 WHERE id = 1 + (i * 997) % 5000;
         UPDATE vault.t SET balance = balance + 1; COMMIT; END WHILE; END;;`,
      'bank',
    );
    const moving = server.query('CALL move()', 'bank');
    const { captured, snapshot } = await bench.dump('bank,vault', { more });
    await server.query('DELETE FROM vault.open');
    await moving;
    await server.query('DROP DATABASE bank; DROP DATABASE vault');
    await bench.restore({ dump: { snapshot }, address: server.address() });
    expect(await server.query('SELECT (SELECT SUM(balance) FROM bank.t) + (SELECT balance FROM vault.t)')).toBe(
      '500000',
    );
    await server.query('DROP DATABASE bank; DROP DATABASE vault');
    const { position } = JSON.parse(await readFile(join(captured, 'respaldo.json'), 'utf8')) as { position: object };
    expect(position).toEqual({
      file: expect.stringMatching(/^bin\./) as string,
      offset: expect.any(Number) as number,
      gtid: expect.stringMatching(product === MARIADB ? /^0-1-\d+$/ : /^[-0-9a-f]+:1-\d+$/) as string,
    });
  });

  it('tells what it cannot hold: tables without transactions, and views that nobody can read', async () => {
    await server.query('CREATE DATABASE odd');
    await server.query(
      `CREATE TABLE m (i INT) ENGINE=MyISAM; CREATE TABLE gone (i INT); CREATE TABLE i (i INT) ENGINE=InnoDB;
       CREATE VIEW broken AS SELECT * FROM gone; DROP TABLE gone; CREATE DEFINER=ghost@nowhere VIEW orphaned AS SELECT * FROM i`,
      'odd',
    );
    const { findings, captured, snapshot } = await bench.dump('odd');
    expect(findings.map(({ code }) => code)).toEqual(['tables-not-transactional', 'views-broken']);
    expect(await readFile(join(captured, 'dump/odd/views.sql'), 'utf8')).toMatch(
      /DEFINER=`ghost`@`nowhere`[^]*\n-- It was broken[^]*`broken`/,
    );
    await server.query('DROP DATABASE odd');
    await bench.restore({ dump: { snapshot }, address: server.address() });
    expect(await server.query("SHOW FULL TABLES LIKE 'orphaned'", 'odd')).toContain('VIEW');
    await server.query('DROP DATABASE odd');
  });

  it('comes back to the last bit where the dump programs would lose some', async () => {
    await server.query('CREATE DATABASE exact');
    await server.query(
      `CREATE TABLE f (i INT PRIMARY KEY, f FLOAT, g FLOAT(10,3)); INSERT INTO f VALUES (1, 16777217, 1.1), (2, 1.1, 1e6), (3, 3.4028234e38, NULL), (4, -0e0, 0);
       CREATE TABLE z (i INT PRIMARY KEY, d DOUBLE); INSERT INTO z VALUES (1, -0e0), (2, -0e0), (3, 5e-324);
       CREATE TABLE c (i INT PRIMARY KEY, e ENUM('a', '', 'b'), o SET('', 'x'), m ENUM('ñ', '😀', 'b') CHARACTER SET utf8mb4);
       INSERT IGNORE INTO c VALUES (1, 'none', 'x', '😀'), (2, '', '', 'ñ'), (3, 'b', 1, 'b');
       CREATE TABLE b (i INT PRIMARY KEY, b VARBINARY(9) DEFAULT 0xFF005C270A0D, c BINARY(2) NOT NULL DEFAULT 0xC3 COMMENT 'ñ', \`d\`\`\` BINARY(3) DEFAULT 'ñ');
       INSERT INTO b (i) VALUES (1);
       CREATE TABLE g (i INT PRIMARY KEY, u VARCHAR(9) DEFAULT 'x', v VARCHAR(9) AS (CONCAT(u, '😀')) STORED) CHARACTER SET utf8mb4;
       INSERT INTO g (i) VALUES (1); CREATE VIEW v AS SELECT _latin1 0xE9275C AS e, _binary'é' AS b, '😀' AS c;
       ${product === MARIADB ? 'CREATE SEQUENCE turns MAXVALUE 3 CYCLE NOCACHE; DO NEXTVAL(turns) + NEXTVAL(turns) + NEXTVAL(turns) + NEXTVAL(turns);' : ''}
       CREATE TABLE s (i INT PRIMARY KEY, s VARCHAR(9) CHARACTER SET sjis, c TEXT CHARACTER SET cp932, e ENUM('表') CHARACTER SET sjis);
       INSERT INTO s VALUES (1, _sjis 0x815F5C, _cp932 0xED40FA5C, '表'), (2, '', NULL, NULL);
       SET sql_mode = 'ALLOW_INVALID_DATES'; CREATE TABLE d (i INT PRIMARY KEY, d DATE, t DATETIME DEFAULT '2026-02-30');
       INSERT INTO d (i, d) VALUES (1, '2026-02-31')`,
      'exact',
    );
    const sums = async (database: string) =>
      (
        await server.query(
          `CHECKSUM TABLE f, s, d, z, c, b, g; SHOW CREATE TABLE b; SELECT HEX(v) FROM g; SELECT HEX(e), HEX(b), HEX(c) FROM v; SELECT e + 0, o + 0, HEX(m) FROM c;
           ${product === MARIADB ? 'SELECT next_not_cached_value, cycle_count FROM turns' : ''}`,
          database,
        )
      ).replaceAll(`${database}.`, '');
    const { snapshot } = await bench.dump('exact', { more: 'jobs=1' });
    await bench.restore({ dump: { snapshot }, address: server.address('exact_copy') });
    expect(await sums('exact_copy')).toBe(await sums('exact'));
    await server.query('DROP DATABASE exact; DROP DATABASE exact_copy');
  });

  it('comes back with programs whose texts would mislead a client, or mean something else under other circumstances', async () => {
    await server.query('CREATE DATABASE programs CHARACTER SET utf8mb4');
    await server.query(
      `CREATE TABLE t (i INT PRIMARY KEY, v VARBINARY(99));
       DELIMITER $$
       CREATE PROCEDURE \`p;;1\`(a VARCHAR(9)) COMMENT 'it''s; \\ DELIMITER ;' BEGIN /* ;; */ SELECT 'DELIMITER ;;', ";;;"; END $$
       CREATE EVENT e ON SCHEDULE EVERY 1 DAY STARTS '2037-01-01 00:00:00' DISABLE DO BEGIN DELETE FROM t WHERE v = ';;\nDELIMITER ;\n'; END $$
       CREATE TRIGGER programs.r BEFORE INSERT ON programs.t FOR EACH ROW SET NEW.v = CONCAT(_binary'é', '\n', ';;'), @typed = 1 $$
       SET sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES' $$
       CREATE FUNCTION "f"() RETURNS TEXT DETERMINISTIC RETURN 'a\\' $$
       CREATE EVENT "ansi" ON SCHEDULE EVERY 1 DAY STARTS '2037-01-01 00:00:00' DISABLE DO UPDATE "t" SET "v" = '\\' WHERE "i" = 1 $$
       ALTER DATABASE programs CHARACTER SET latin1 $$`,
      'programs',
    );
    const { snapshot } = await bench.dump('programs');
    await bench.restore({ dump: { snapshot }, address: server.address('programs_copy') });
    const shown = (database: string) =>
      server.query(
        `SHOW CREATE PROCEDURE \`p;;1\`; SHOW CREATE EVENT e; SHOW CREATE FUNCTION f; SHOW CREATE EVENT ansi; SELECT HEX(f());
         INSERT INTO t (i) VALUES (1); SELECT HEX(v) FROM t; SELECT @@collation_database`,
        database,
      );
    expect(await shown('programs_copy')).toBe(await shown('programs'));
    await server.query('DROP DATABASE programs; DROP DATABASE programs_copy');
  });

  it('comes back with rows that are larger than what the server takes at a time', async () => {
    await server.query(
      "CREATE DATABASE huge; CREATE TABLE huge.t AS SELECT 1 AS i, REPEAT(UNHEX('FF00'), 1500000) AS b; INSERT INTO huge.t VALUES (2, '')",
    );
    const { snapshot } = await bench.dump('huge');
    const before = await server.query('SELECT @@global.max_allowed_packet');
    await server.query(
      `SET GLOBAL max_allowed_packet = 2097152; CREATE USER mover@'%' IDENTIFIED BY '${SECRET}';
       GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, ALTER, INDEX, REFERENCES, LOCK TABLES, PROCESS ON *.* TO mover@'%'`,
    );
    const mover = { address: server.addressOf('mover', 'huge_copy'), password: SECRET };
    await expect(bench.restore({ dump: { snapshot }, ...mover })).rejects.toMatchObject({
      code: 'target-refused',
      hint: expect.stringContaining('max_allowed_packet') as string,
    });
    await bench.restore({ dump: { snapshot }, address: server.address('huge_copy') });
    expect(await server.query('SELECT @@global.max_allowed_packet')).toBe('2097152');
    expect(await server.query('CHECKSUM TABLE huge_copy.t')).toBe(
      (await server.query('CHECKSUM TABLE huge.t')).replace('huge', 'huge_copy'),
    );
    await server.query(`DROP DATABASE huge; DROP DATABASE huge_copy; DROP USER mover@'%';
      SET GLOBAL max_allowed_packet = ${before}`);
  });

  it('that is much smaller than the one before is incomplete', async () => {
    await server.query(
      `CREATE DATABASE shrinking; USE shrinking; CREATE TABLE shrinking.t AS SELECT SHA2(seq, 256) FROM ${product.numbers(5_000)}`,
    );
    const { snapshot } = await bench.dump('shrinking');
    await server.query('DELETE FROM shrinking.t');
    const capture = { type: 'full', previous: snapshot } as const;
    const codes = async (more: string) =>
      (await bench.dump('shrinking', { more, capture })).findings.map(({ code }) => code);
    expect(await codes('')).toEqual(['dump-shrunken']);
    expect(await codes('smaller=accept')).toEqual([]);
    await server.query('DROP DATABASE shrinking');
  });

  it('is a file of SQL for each database where it is to be portable', async () => {
    const files: { file: PortableFile; path: string }[] = [];
    await server.query('CREATE DATABASE `-rf`');
    const source = bench.source(server.address('-rf,other,shop'));
    for await (const file of source.portable?.(bench.io()) ?? []) {
      const path = join(folder, `${file.name}.portable.${file.extension}`);
      await pipeline(file.content, createWriteStream(path));
      files.push({ file, path });
    }
    await server.query('DROP DATABASE `-rf`');
    expect(files.map(({ file }) => file.name)).toEqual(['accounts', '-rf', 'other', 'shop']);
    expect(files[1]?.file.about().restoreCommand).toBe(`${clientName} --binary-mode --database=-rf`);
    const { file, path } = files[3] ?? expect.fail();
    expect(file.about()).toMatchObject({
      versions: { [product.name]: expect.stringMatching(/^\d/) as string },
      restoreCommand: `${clientName} --binary-mode shop`,
    });
    await server.query('CREATE DATABASE unpacked CHARACTER SET latin1');
    const client = execFile(product.client, [
      '--no-defaults',
      `--socket=${server.socket}`,
      '-uroot',
      '--binary-mode',
      'unpacked',
    ]);
    if (client.stdin !== null) await pipeline(createReadStream(path), client.stdin);
    await new Promise((resolve) => client.once('exit', resolve));
    expect(await server.dump('unpacked')).toBe(plain(await server.dump('shop')));
    await server.query('DROP DATABASE unpacked');
    await truncate(path, 50_000);
    const cut = bench.restore({ dump: { file: path }, address: server.address('unpacked') });
    await expect(cut).rejects.toMatchObject({ code: 'source-damaged' });
  });

  it.each(['', PROGRAM])(
    'has its accounts in one more file, of which the client makes them, that changes nobody’s password (%s)',
    async (more) => {
      const odd = '`odd;\n-- account "x"\n`@localhost';
      await server.query(`CREATE ROLE writers; CREATE ROLE readers; GRANT writers TO readers; GRANT INSERT ON other.* TO readers;
        CREATE USER app@localhost IDENTIFIED BY '${SECRET}'; GRANT readers TO app@localhost; CREATE USER ${odd};
        GRANT SELECT ON *.* TO app@localhost WITH GRANT OPTION; GRANT UPDATE (one) ON other.t TO app@localhost;
        ${
          product === MYSQL
            ? 'ALTER USER app@localhost DEFAULT ROLE readers; SET GLOBAL partial_revokes = ON; REVOKE SELECT ON mysql.* FROM app@localhost'
            : 'SET DEFAULT ROLE readers FOR app@localhost; GRANT SELECT ON other.t TO PUBLIC; CREATE ROLE alone'
        }`);
      const drop = `DROP USER app@localhost, ${odd}; DROP ROLE writers; DROP ROLE readers;
        ${product === MYSQL ? '' : 'REVOKE SELECT ON other.t FROM PUBLIC; DROP ROLE alone'}`;
      const { snapshot } = await bench.dump('other', { more });
      const source = bench.source(server.address('other', more));
      const before = await accountsOf(source.portable?.(bench.io()));
      expect(await accountsOf(source.portableOf?.(snapshot))).toEqual(before);
      expect(before.restore).toBe(`${clientName} --binary-mode --force`);
      await server.query(drop);
      await server.query(before.text);
      await server.query("ALTER USER app@localhost IDENTIFIED BY 'of later'");
      await server.query(before.text);
      const login = ['--no-defaults', `--port=${String(server.port)}`, '--host=127.0.0.1', '-uapp', '-e', 'SELECT 1'];
      const asApp = (password: string) => run(product.client, login, { env: { ...process.env, MYSQL_PWD: password } });
      await expect(asApp(SECRET)).rejects.toThrow('1045');
      await server.query(drop);
      await server.query(before.text);
      const again = await accountsOf(source.portable?.(bench.io()));
      expect(lines(again.text)).toEqual(lines(before.text));
      // Whoever wants no more than that keeps nobody waiting.
      await expect.poll(() => server.sessions()).toBe(0);
      await server.query(`${drop}; ${product === MYSQL ? 'SET GLOBAL partial_revokes = OFF' : ''}`);
    },
  );

  describe('of an account', () => {
    beforeAll(async () => {
      await server.query(
        `CREATE USER reader@'%' IDENTIFIED BY '${SECRET}'; GRANT SELECT, SHOW VIEW ON *.* TO reader@'%';
         CREATE USER dumper@'%' IDENTIFIED BY '${SECRET}'; GRANT SELECT, SHOW VIEW, TRIGGER, EVENT ON \`shop\`.* TO dumper@'%'`,
      );
    });

    afterAll(async () => {
      await server.query("DROP USER reader@'%', dumper@'%'");
    });

    it.each([
      ['with a wrong password', 'reader', 'wrong', 'shop', { code: 'source-refused', hint: 'password' }],
      ['that may not see triggers', 'reader', SECRET, 'shop', { code: 'source-refused', hint: 'GRANT TRIGGER, EVENT' }],
      ['that sees no such database', 'dumper', SECRET, 'nowhere', { code: 'source-missing', hint: 'There are: shop' }],
      ['that is unknown', 'nobody', SECRET, 'shop', { code: 'source-refused', hint: 'password' }],
    ])('%s is no success', async (_what, user, password, database, { code, hint }) => {
      const failure = bench.dump(database, { user, password });
      await expect(failure).rejects.toMatchObject({ code, hint: expect.stringContaining(hint) as string });
      await expect(failure).rejects.not.toMatchObject({ message: expect.stringContaining(password) as string });
    });

    it('that sees one database alone holds it, and says what it did not see', async () => {
      const { findings } = await bench.dump('', { user: 'dumper', password: SECRET });
      expect(findings.map(({ code }) => code)).toEqual(['routines-unseen', 'accounts-missing']);
    });

    it('reads tables without the dump program, whatever proves its password', async () => {
      const { runtime, programs } = watched(bench.tools);
      await bench.dump('shop', { user: 'dumper', password: SECRET, runtime });
      await bench.dump('shop', { runtime });
      expect(programs).toEqual([]);
      const { signal } = new AbortController();
      for (const endpoint of [{ host: '127.0.0.1', port: server.port }, { path: server.socket }]) {
        // MySQL forgets what it has seen of passwords, and wants to see all of it again.
        await server.query('FLUSH PRIVILEGES');
        const login = { user: 'dumper', password: SECRET };
        const connection = await WireConnection.open(endpoint, login, 30, signal);
        expect(await connection.query("SELECT 'ñ', NULL")).toEqual([['ñ', null]]);
        connection.close();
        await expect(WireConnection.open(endpoint, { ...login, password: 'no' }, 30, signal)).rejects.toThrow('1045');
      }
    });

    it('reads tables itself over an encrypted connection, to the server that it has to be', async () => {
      await server.query("CREATE USER sealed@'%' IDENTIFIED BY 'x' REQUIRE SSL; GRANT ALL ON *.* TO sealed@'%'");
      await using stranger = await readableAuthority();
      const ca = (whose: Authority): string => `sslca=${encodeURIComponent(join(whose.folder, 'ca.pem'))}`;
      const { runtime, programs } = watched(bench.tools);
      const login = { user: 'sealed', password: 'x', runtime };
      const { snapshot } = await bench.dump('shop', { ...login, more: `sslmode=verify&${ca(authority)}&jobs=2` });
      expect(programs).toEqual([]);
      expect(await snapshot.read('/dump/shop/tables/large.sql')).toEqual(
        await (await bench.dump('shop')).snapshot.read('/dump/shop/tables/large.sql'),
      );
      await expect(bench.dump('shop', { ...login, more: `sslmode=verify&${ca(stranger)}` })).rejects.toMatchObject({
        code: 'source-refused',
      });
      const { signal } = new AbortController();
      const endpoint = { host: '127.0.0.1', port: server.port };
      const encryption = { verified: true, host: '127.0.0.1', ca: await readFile(join(stranger.folder, 'ca.pem')) };
      await expect(WireConnection.open({ ...endpoint, encryption }, login, 30, signal)).rejects.toThrow('2026');
      const unlooked = { ...endpoint, encryption: { ...encryption, verified: false } };
      (await WireConnection.open(unlooked, login, 30, signal)).close();
      await expect(WireConnection.open(endpoint, login, 30, signal)).rejects.toThrow('1045');
    });

    it('shows its password to nobody who lists processes', async () => {
      const seen: string[] = [];
      await bench.dump('shop', {
        user: 'dumper',
        password: SECRET,
        more: PROGRAM,
        onEntry: async ({ path }) => {
          if (!path.includes('/tables/')) return;
          for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name)))
            seen.push(await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''));
        },
      });
      const ours = seen.filter((line) => line.includes('dumper'));
      expect(ours.some((line) => line.includes(dumpName))).toBe(true);
      expect(ours.filter((line) => line.includes(SECRET))).toEqual([]);
    });
  });

  describe('is no success', () => {
    it.each([dumpName, clientName])('if %s ends well, but too early', async (program) => {
      const cutting: Runtime = {
        kind: 'host',
        place: 'this host',
        run: async function* (command: Command, signal: AbortSignal) {
          const isCut = basename(command.argv[0]) === program && !command.argv.includes('--version');
          let last: Uint8Array | undefined;
          for await (const piece of bench.tools.run(command, signal)) {
            if (!isCut || program === clientName) yield piece;
            else if (last !== undefined) yield last;
            last = piece;
            if (isCut && program === clientName) return;
          }
          if (isCut) yield last?.subarray(0, -100) ?? new Uint8Array();
        },
      };
      await expect(bench.dump('shop', { runtime: cutting, more: PROGRAM })).rejects.toMatchObject({
        code: 'source-lost',
      });
    });

    it.each([
      ['a table is changed', 'jobs=1', 'ALTER TABLE mortal.z ADD COLUMN more INT, ALGORITHM=COPY', 'source-refused'],
      ['a table is changed', PROGRAM, 'ALTER TABLE mortal.z ADD COLUMN more INT, ALGORITHM=COPY', 'source-refused'],
      ['a table is dropped', 'jobs=1', 'DROP TABLE mortal.z', 'source-'],
      ['a table is dropped', PROGRAM, 'DROP TABLE mortal.z', 'source-'],
      ['a database is dropped', 'jobs=1', 'DROP DATABASE mortal_too', 'source-missing'],
      ['a database is dropped', PROGRAM, 'DROP DATABASE mortal_too', 'source-missing'],
    ])('if %s meanwhile (%s)', async (_what, more, sql, code) => {
      await server.query(
        'DROP DATABASE IF EXISTS mortal; DROP DATABASE IF EXISTS mortal_too; CREATE DATABASE mortal; CREATE DATABASE mortal_too',
      );
      await server.query(
        `CREATE TABLE a AS SELECT seq, REPEAT('x', 1000) AS x FROM ${product.numbers(10_000)}; CREATE TABLE z (i INT); CREATE TABLE mortal_too.t (i INT)`,
        'mortal',
      );
      const dumping = bench.dump('mortal,mortal_too', {
        more,
        onEntry: async ({ path }) => {
          if (path.endsWith('tables/a.sql')) await server.query(sql);
        },
      });
      await expect(dumping).rejects.toMatchObject({ code: expect.stringContaining(code) as string });
      await server.query('DROP DATABASE mortal; DROP DATABASE IF EXISTS mortal_too');
    });

    it('if the server goes away', async () => {
      await using stack = new AsyncDisposableStack();
      stack.defer(() => server.resume());
      const dying = bench.dump('shop', {
        onEntry: async ({ path }) => {
          if (path.endsWith('tables/large.sql')) await server.kill();
        },
      });
      await expect(dying).rejects.toMatchObject({ code: 'source-lost' });
    });
  });

  it('is proven by a server that nobody else knows, and refuted where it is damaged', async () => {
    const dumped = await bench.dump('shop');
    const place = async () => {
      const made = await mkdtemp(join(folder, 'drill-'));
      await chmod(made, 0o755);
      return made;
    };
    const { checks } = await bench.drill(dumped, 'SELECT COUNT(*) > 5 FROM small', await place());
    expect(checks.map(({ passed }) => passed)).toEqual([true, true]);
    const table = join(dumped.captured, 'dump/shop/tables/large.sql');
    await writeFile(table, (await readFile(table, 'utf8')).replace("(30000,'", "(29999,'"));
    await expect(bench.drill(dumped, 'SELECT 1', await place())).rejects.toMatchObject({ code: 'not-proven' });
  });
});

describe.skipIf(!HAS_MARIADB || !HAS_MYSQL).each([
  { product: MYSQL, tools: MARIADB },
  { product: MARIADB, tools: MYSQL },
])('$product.name by the programs of $tools.name', ({ product, tools }) => {
  let bench: MysqlBench;
  let server: MysqlServer;

  beforeAll(async () => {
    bench = await MysqlBench.start(product, tools);
    ({ server } = bench);
    await server.query('CREATE DATABASE shop CHARACTER SET latin1');
    await server.query(shop(product), 'shop');
    await server.query(
      `CREATE USER dumper@'%' IDENTIFIED BY '${SECRET}'; GRANT ALL ON *.* TO dumper@'%' WITH GRANT OPTION`,
    );
  });

  afterAll(async () => {
    await bench[Symbol.asyncDispose]();
  });

  it('is refused where only its own could dump what it has, and else comes back as it was', async () => {
    const account = { user: 'dumper', password: SECRET, more: PROGRAM };
    await expect(bench.dump('shop', account)).rejects.toMatchObject({
      code: 'source-refused',
      message: expect.stringContaining(product === MYSQL ? 'generated columns of kinds' : 'sequence numbers') as string,
    });
    await server.query(
      product === MYSQL ? 'ALTER TABLE kinds DROP COLUMN len, DROP COLUMN twice' : 'DROP SEQUENCE numbers',
      'shop',
    );
    const { snapshot, findings, captured } = await bench.dump('shop', account);
    expect(findings).toEqual([]);
    expect(await readFile(join(captured, 'dump/accounts.sql'), 'utf8')).toContain('dumper');
    const before = await server.dump('shop');
    await bench.restore({ dump: { snapshot }, address: server.addressOf('dumper', 'copy'), password: SECRET });
    expect(await server.dump('copy')).toBe(plain(before));
    expect(await server.dump('shop')).toBe(before);
  });
});

describe.skipIf(!HAS_MARIADB || !HAS_MYSQL).each([MARIADB, MYSQL])('$name', (product) => {
  it(
    'in a container is found, is taken and restored by its own programs and password, and proven in its own image',
    { timeout: 180_000 },
    async ({ skip }) => {
      skip(!HAS_DOCKER, 'this needs root, and an engine');
      await using bench = await MysqlBench.start(product, product);
      await using engine = await DockerEngine.start();
      const { folder } = bench;
      const isMariadb = product === MARIADB;
      await (isMariadb ? engine.importMariadbImage() : engine.importMysqlImage());
      await (isMariadb ? engine.mariadb('shop-db', SECRET) : engine.mysql('shop-db', SECRET));
      const env = { DOCKER_HOST: engine.host, HOME: folder };
      const runtime = await openRuntime({ kind: 'docker', container: 'shop-db', labels: [] }, env, systemClock);
      const ask = (sql: string) =>
        engine.docker('exec', '-e', `MYSQL_PWD=${SECRET}`, 'shop-db', basename(product.client), '-uroot', '-Ne', sql);
      await ask('CREATE DATABASE shop; CREATE TABLE shop.t (i INT); INSERT INTO shop.t VALUES (1), (2)');
      const lists = await openWorkloadLists({ kind: 'docker', labels: [] }, env, systemClock);
      const ports = { lists, finders: mysql.finder === undefined ? [] : [mysql.finder] };
      const { servers } = await detect({ kind: 'docker', labels: [] }, ports, new AbortController().signal);
      expect(servers).toMatchObject([{ name: 'shop-db', target: { kind: 'docker', container: 'shop-db' } }]);
      const source = mysql.open('mysql:///', { ...SOURCE_OPTIONS, place: 'docker/shop-db' });
      expect(source.paths).toEqual(['/mysql/docker/shop-db/localhost:3306/databases']);
      const io = bench.io([], runtime);
      expect(await source.check(io)).toEqual([]);
      const captured = await mkdtemp(join(folder, 'captured-'));
      await writeEntries(source.capture(io, { type: 'full' }), captured);
      const snapshot = readableFolder(captured);
      await ask('DELETE FROM shop.t');
      await bench.restore({ dump: { snapshot }, address: 'mysql:///' }, runtime);
      expect(await ask('SELECT COUNT(*) FROM shop.t')).toBe('2');

      const place = await mkdtemp(join(folder, 'drill-'));
      const lifeline = join(place, 'lifeline');
      await writeFile(lifeline, '');
      await chown(place, 65_534, 65_534);
      await using sandbox = await openSandbox(
        { image: isMariadb ? MARIADB_IMAGE : MYSQL_IMAGE, folder: place, lifeline, user: { uid: 65_534, gid: 65_534 } },
        env,
      );
      const { checks, server: name } = await bench.drill(
        { snapshot, captured },
        'SELECT COUNT(*) = 2 FROM t',
        place,
        sandbox.runtime,
      );
      expect(checks.map(({ passed }) => passed)).toEqual([true, true]);
      expect(name).toMatch(isMariadb ? /^MariaDB 10\./ : /^MySQL 9\./);
    },
  );
});

it.skipIf(!HAS_MARIADB)('An address that leads to several servers is read over one connection', async () => {
  await using bench = await MysqlBench.start(MARIADB, MARIADB);
  await using other = await MysqlServer.start(MARIADB);
  const { signal } = new AbortController();
  const tools = await Toolbox.open(parseAddress(bench.server.address(), true), undefined, bench.tools, signal);
  const inventory = await Session.with(tools, inspectServer);
  const connectionsOver = async (paths: readonly string[]): Promise<readonly [number, boolean]> => {
    let next = 0;
    const open = () => {
      const path = paths[next++ % paths.length] ?? '';
      return WireConnection.open({ path }, { user: 'root', password: '' }, 30, signal);
    };
    const { connections, isLockRefused } = await openOneState(open, tools, inventory, 3);
    for (const connection of connections) connection.close();
    return [connections.length, isLockRefused];
  };
  expect(await connectionsOver([bench.server.socket])).toEqual([3, false]);
  expect(await connectionsOver([bench.server.socket, other.socket])).toEqual([1, true]);
});

/** Its certificates can be read by whoever runs the server. */
async function readableAuthority(): Promise<Authority> {
  const authority = await Authority.make();
  await authority.issue('server');
  await chmod(authority.folder, 0o755);
  await chmod(join(authority.folder, 'server.key'), 0o644);
  return authority;
}

/** @returns the programs that were run to read tables */
function watched(tools: Runtime): { readonly runtime: Runtime; readonly programs: string[] } {
  const programs: string[] = [];
  const runtime: Runtime = {
    ...tools,
    kind: 'host',
    place: 'this host',
    run: (command: Command, signal: AbortSignal) => {
      if (command.argv.includes('--single-transaction')) programs.push(command.argv[0]);
      return tools.run(command, signal);
    },
  };
  return { runtime, programs };
}

/** The first of portable files, as text. */
async function accountsOf(
  files: AsyncIterable<PortableFile> | undefined,
): Promise<{ readonly text: string; readonly restore: string }> {
  for await (const file of files ?? []) {
    expect(file.name).toBe('accounts');
    const text = Buffer.concat(await Array.fromAsync(file.content)).toString('utf8');
    expect(file.about().facts).toEqual({ holds: 'accounts and grants' });
    return { text, restore: file.about().restoreCommand };
  }
  return expect.fail('there are no files');
}

/** Servers tell grants in the order in which they came. */
function lines(text: string): readonly string[] {
  return [...new Set(text.split('\n'))].toSorted();
}

/** Without what somebody once typed, which means the same without it. */
function plain(dump: string): string {
  return dump.replace('TRIGGER shop.stamp BEFORE INSERT ON shop.small', 'TRIGGER `stamp` BEFORE INSERT ON `small`');
}

/** Up to what differs in the marks of who typed it. */
function tables(dump: string): string {
  return dump.replaceAll(/\s+/g, ' ');
}
