import { expect, it } from 'vitest';
import { isToldByText, withBytesAsDigits, withLabels } from './shown-definition.ts';

it('a default that is no text is shown by its bytes, and nothing else is touched', () => {
  const shown = Buffer.concat([
    Buffer.from(
      "CREATE TABLE `it's` (\n  `a` varchar(9) DEFAULT 'ñ\\n' COMMENT ' DEFAULT ''x',\n  `b` binary(4) NOT NULL DEFAULT '",
    ),
    Buffer.from([0xff, 0x5c, 0x30, 0x5c, 0x5c, 0x27, 0x27, 0x5c, 0x6e]),
    Buffer.from("' COMMENT 'y'\n)"),
  ]);
  expect(withBytesAsDigits(shown)).toBe(
    "CREATE TABLE `it's` (\n  `a` varchar(9) DEFAULT 'ñ\\n' COMMENT ' DEFAULT ''x',\n  `b` binary(4) NOT NULL DEFAULT 0xFF005C270A COMMENT 'y'\n)",
  );
});

it('bytes of another character set are shown by their digits', () => {
  const shown = Buffer.from(
    "CREATE VIEW `v` AS select _latin1'é\\Z\\'x' AS `a`,_utf8mb4'é' AS `b`,'_latin1' AS `c`",
    'latin1',
  );
  const expected = 'CREATE VIEW `v` AS select _latin1 0xE91A2778 AS `a`';
  expect(withBytesAsDigits(shown).split(',')[0]).toBe(expected);
  expect(withBytesAsDigits(Buffer.from("select _latin1'é' AS `a`"))).toBe("select _latin1'é' AS `a`");
});

it('labels that are shown as question marks become what rows have', () => {
  const create =
    "CREATE TABLE `t` (\n  `e` enum('?','a,''b','c?','?') DEFAULT NULL COMMENT '`e` enum(''?'')',\n  `f` enum('?')\n)";
  expect(
    withLabels(
      create,
      '`e`',
      new Map([
        [1, '😀'],
        [2, "a,'b"],
        [3, "'\\🐬"],
      ]),
    ),
  ).toBe(create.replace("enum('?','a,''b','c?','?')", "enum('😀','a,''b','''\\\\🐬','?')"));
  expect(withLabels(create, '`g`', new Map([[1, 'x']]))).toBe(create);
});

it.each([
  ["enum('a','b')", true],
  ["enum('a','')", false],
  ["set('','x')", false],
  ["enum('a''b','c,''''d')", true],
  ["enum('?')", false],
])('whether a value of %s is told by its text: %s', (type, isTold) => {
  expect(isToldByText(type)).toBe(isTold);
});
