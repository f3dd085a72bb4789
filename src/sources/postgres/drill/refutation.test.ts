import { expect, test } from 'vitest';
import { refutation } from './refutation.ts';

test.each([
  'PANIC:  could not write to file "pg_wal/xlogtemp.30": No space left on device',
  'FATAL:  could not map anonymous shared memory: Cannot allocate memory',
  'database locale is incompatible with operating system',
  'invalid LC_COLLATE locale name: "es_ES.UTF-8"',
])('what the machine lacks speaks against no snapshot: %s', (words) => {
  expect(refutation(`the restored server does not start: ${words}`, undefined).code).toBe('target-refused');
});

test.each(['FATAL:  could not locate required checkpoint record', 'ERROR:  relation "orders" already exists'])(
  'anything else does: %s',
  (words) => {
    expect(refutation(words, undefined).code).toBe('not-proven');
  },
);
