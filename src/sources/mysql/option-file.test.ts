import { expect, it } from 'vitest';
import { parseOptionFile } from './option-file.ts';

it('reads who logs in, of the sections that are for clients', () => {
  const text =
    '[mysqld]\nuser=mysql\n[client]\nuser = me\npassword="a # b\\\\c"\nresult-file=/tmp/x\n[mysqldump]\npassword=other # why\n';
  expect(parseOptionFile(text)).toEqual({ user: 'me', password: 'other' });
  expect(parseOptionFile('[client]\npassword="a # b\\\\c"')).toEqual({ password: 'a # b\\c' });
  expect(parseOptionFile('[other]\npassword=x')).toEqual({});
});
