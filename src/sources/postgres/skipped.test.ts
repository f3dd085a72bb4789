import { describe, expect, it } from 'vitest';
import { judgeWarnings } from './skipped.ts';

const warn = (message: string, routine = 'sendDir', severity = 'WARNING') =>
  judgeWarnings([{ severity, routine, message, code: '01000', detail: undefined, hint: undefined }]);

describe('what the server leaves out', () => {
  it.each(['"./base/5/16384"', '"./pg_xact/0000"', '»./global/1262«'])('makes the snapshot incomplete: %s', (path) => {
    expect(warn(`skipping special file ${path}`)).toMatchObject([{ severity: 'incomplete', code: 'file-skipped' }]);
  });

  it.each(['"./log"', '"./pg_log/x"', '"./postgresql.conf"'])(
    'is told, where the server can live without it: %s',
    (path) => {
      expect(warn(`skipping special file ${path}`)).toMatchObject([{ severity: 'note', prominent: true }]);
    },
  );

  it('may be its own socket', () => {
    expect(warn('skipping special file "./.s.PGSQL.5432"')).toEqual([]);
  });

  it('is not confused with other warnings and notices', () => {
    expect(warn('something else', 'other')).toMatchObject([{ severity: 'note', code: 'server-warning' }]);
    expect(warn('something else', 'other', 'NOTICE')).toEqual([]);
  });
});
