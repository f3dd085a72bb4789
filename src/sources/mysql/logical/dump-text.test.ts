import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dumpParts, type DumpContent, type DumpPart } from './dump-text.ts';

const HEAD = `/*M!999999\\- enable the sandbox mode */ 
-- MariaDB dump 10.19  Distrib 10.11.19-MariaDB, for debian-linux-gnu (x86_64)
--
-- Host: localhost    Database: shop
-- ------------------------------------------------------

/*!40101 SET NAMES utf8mb4 */;
/*!40103 SET @OLD_TIME_ZONE=@@TIME_ZONE */;
/*M!100616 SET @OLD_NOTE_VERBOSITY=@@NOTE_VERBOSITY, NOTE_VERBOSITY=0 */;
`;
const FOOT = `/*!40103 SET TIME_ZONE=@OLD_TIME_ZONE */;
/*M!100616 SET NOTE_VERBOSITY=@OLD_NOTE_VERBOSITY */;

-- Dump completed
`;
const DATABASES = `-- CHANGE MASTER TO MASTER_LOG_FILE='bin.000007', MASTER_LOG_POS=3476;

--
-- Current Database: \`shop\`
--

CREATE DATABASE /*!32312 IF NOT EXISTS*/ \`shop\` /*!40100 DEFAULT CHARACTER SET latin1 */;

USE \`shop\`;

DROP SEQUENCE IF EXISTS \`sq\`;
CREATE SEQUENCE \`sq\` start with 1;
DROP TABLE IF EXISTS \`two
USE \`\`x\`\`;
lines\`;
CREATE TABLE \`two
USE \`\`x\`\`;
lines\` (
  \`VALUES ( ;
USE \`\`y\`\`;
\` int(11) COMMENT 'it''s;
DROP TABLE IF EXISTS \`\`no\`\`;'
);
INSERT INTO \`two
USE \`\`x\`\`;
lines\` (\`a VALUES\`) VALUES
(1,'x\\ny;'),
(2,'(a),(b);\\'');
INSERT INTO \`two
USE \`\`x\`\`;
lines\` (\`a VALUES\`) VALUES
(3,'');
DROP TABLE IF EXISTS \`none\`;

USE \`a\`\`b\`;
DROP TABLE IF EXISTS \`mysql\`;
INSERT INTO \`mysql\` VALUES (1,'(\\'),(;'),(2,_binary '\\\\'),(3,'');
-- SET GLOBAL gtid_slave_pos='0-1-16';
`;

describe('a dump of several databases', () => {
  it('is taken apart, however it comes', async () => {
    const whole = Buffer.from(HEAD + DATABASES + FOOT);
    const expected = await read([whole]);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(whole.length), { maxLength: 40 }), async (cuts) => {
        const at = [0, ...cuts.toSorted((a, b) => a - b), whole.length];
        const pieces = at.slice(1).map((end, i) => whole.subarray(at[i], end));
        expect(await read(pieces)).toEqual(expected);
      }),
    );
    expect(expected.names).toEqual([
      'database shop',
      'sequence sq',
      'table two\nUSE `x`;\nlines',
      'table none',
      'database a`b',
      'table mysql',
    ]);
    expect(expected.rows).toEqual({ shop: { 'two\nUSE `x`;\nlines': 3 }, 'a`b': { mysql: 3 } });
    expect(expected.position).toEqual({ file: 'bin.000007', offset: 3476, gtid: '0-1-16' });
    expect(expected.bytes).not.toMatch(/OLD_|CREATE DATABASE|sandbox|^--/m);
    expect(expected.bytes).toContain("(2,'(a),(b);\\'');\nINSERT");
  });

  it('of MySQL tells its transactions in a comment of several lines', async () => {
    const gtid = "/* SET @@GLOBAL.GTID_PURGED=/*!80000 '+'*/ 'aaaa:1-5,\nbbbb:1-3';*/";
    const text = `SET @@SESSION.SQL_LOG_BIN= 0;\n${gtid}\nUSE \`a\`;\nDROP TABLE IF EXISTS \`t\`;\n`;
    const { position, bytes } = await read([
      Buffer.from(`${text}SET @@SESSION.SQL_LOG_BIN = @MYSQLDUMP_TEMP_LOG_BIN;\n${FOOT}`),
    ]);
    expect(bytes).toBe('DROP TABLE IF EXISTS `t`;\n');
    expect(position).toEqual({ gtid: 'aaaa:1-5,bbbb:1-3' });
  });

  it('keeps all of what makes a transaction of the rows of a table, where there is one', async () => {
    const rows = `SET @OLD_AUTOCOMMIT=@@AUTOCOMMIT, @@AUTOCOMMIT=0;\nINSERT INTO \`t\` VALUES\n(1);\nCOMMIT;\n`;
    const table = `DROP TABLE IF EXISTS \`t\`;\n${rows}SET AUTOCOMMIT=@OLD_AUTOCOMMIT;\n`;
    expect((await read([Buffer.from(`${HEAD}USE \`a\`;\n${table}${FOOT}`)])).bytes).toBe(table);
  });

  it.each([
    ['its end', HEAD + DATABASES],
    ['the end of its last statement', `${HEAD}USE \`a\`;\nCREATE TABLE \`t\` (\n-- Dump completed\n`],
    ['the end of its rows', `${HEAD}USE \`a\`;\nINSERT INTO \`t\` VALUES\n(1),\n`],
  ])('without %s is cut short', async (_what, text) => {
    await expect(read([Buffer.from(text)])).rejects.toMatchObject({ code: 'source-lost' });
  });
});

async function read(pieces: readonly Buffer[]) {
  const content: DumpContent = { rows: new Map(), position: {} };
  const parts: DumpPart[] = await Array.fromAsync(dumpParts(from(pieces), content, 'the dump'));
  return {
    names: parts.flatMap((part) => (part.kind === 'bytes' ? [] : [`${part.kind} ${part.name}`])),
    bytes: Buffer.concat(parts.flatMap((part) => (part.kind === 'bytes' ? [part.bytes] : []))).toString('utf8'),
    rows: Object.fromEntries([...content.rows].map(([name, counts]) => [name, Object.fromEntries(counts)])),
    position: content.position,
  };
}

async function* from(pieces: readonly Buffer[]): AsyncGenerator<Uint8Array> {
  for (const piece of pieces) yield await Promise.resolve(Buffer.from(piece));
}
