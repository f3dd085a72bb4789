import fc from 'fast-check';
import { expect, it } from 'vitest';
import { foreignSql, requireRestorable, type ForeignContent } from './foreign-sql.ts';

const FILE = `/*M!999999\\- enable the sandbox mode */ 
-- MariaDB dump 10.19  Distrib 10.11.19-MariaDB
SET @@SESSION.SQL_LOG_BIN= 0;
SET @@GLOBAL.GTID_PURGED=/*!80000 '+'*/ 'aaaa:1-5,
bbbb:1-3';
CHANGE MASTER TO MASTER_LOG_FILE='bin.000001', MASTER_LOG_POS=5989;
/*!40000 DROP DATABASE IF EXISTS \`shop\`*/;
CREATE DATABASE /*!32312 IF NOT EXISTS*/ \`shop\` /*!40100 DEFAULT CHARACTER SET latin1 */;
USE \`shop\`;
INSERT INTO \`t\` VALUES
(1,'USE \`other\`;');
DELIMITER ;;
CREATE PROCEDURE p() BEGIN
USE \`inner\`;
CHANGE MASTER TO x;
END ;;
DELIMITER ;
-- Dump completed
`;
const KEPT = [
  '-- MariaDB dump 10.19  Distrib 10.11.19-MariaDB',
  'INSERT INTO `t` VALUES',
  "(1,'USE `other`;');",
  'DELIMITER ;;',
  'CREATE PROCEDURE p() BEGIN',
  'USE `inner`;',
  'CHANGE MASTER TO x;',
  'END ;;',
  'DELIMITER ;',
  '-- Dump completed',
  '',
].join('\n');

it('a dump of another tool loses what would lead elsewhere, however it comes', async () => {
  const whole = Buffer.from(FILE);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(whole.length), { maxLength: 20 }), async (cuts) => {
      const at = [0, ...cuts.toSorted((a, b) => a - b), whole.length];
      const { text, content } = await read(at.slice(1).map((end, i) => whole.subarray(at[i], end)));
      expect(text).toBe(KEPT);
      expect(content).toEqual({ databases: new Set(['shop']), isDump: true, isWhole: true, hasStatements: true });
    }),
  );
});

it('one that was cut short, or holds several databases, is refused; files of other tools have no end', async () => {
  const { content } = await read([Buffer.from(FILE.replace('-- Dump completed\n', ''))]);
  expect(() => requireRestorable(content, 'f')).toThrow('cut short');
  const several = await read([Buffer.from(`${FILE}USE \`blog\`;\n`)]);
  expect(() => requireRestorable(several.content, 'f')).toThrow('several databases: shop, blog');
  const plain = await read([Buffer.from('INSERT INTO t VALUES (1);')]);
  expect(() => requireRestorable(plain.content, 'f')).not.toThrow();
});

it.each(['', '\n-- nothing\n', 'DROP DATABASE `shop`;\nUSE `shop`;\n'])(
  'one that says nothing is refused: %j',
  async (sql) => {
    const { content } = await read([Buffer.from(sql)]);
    expect(() => requireRestorable(content, 'f')).toThrow('f is empty');
  },
);

async function read(pieces: readonly Buffer[]): Promise<{ text: string; content: ForeignContent }> {
  const content: ForeignContent = { databases: new Set(), isDump: false, isWhole: false, hasStatements: false };
  const from = async function* () {
    for (const piece of pieces) yield await Promise.resolve(piece);
  };
  const kept = await Array.fromAsync(foreignSql(from(), content));
  return { text: Buffer.concat(kept).toString('utf8'), content };
}
