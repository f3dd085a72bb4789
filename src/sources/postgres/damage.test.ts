import { describe, expect, it } from 'vitest';
import { damagedFiles, judgeDamage } from './damage.ts';
import type { BackupEnd } from './wire/base-backup.ts';

const end = (...messages: string[]): BackupEnd => ({
  lsn: '0/1',
  timeline: 1,
  damaged: true,
  warnings: messages.map((message) => ({
    severity: 'WARNING',
    code: '01000',
    message,
    detail: undefined,
    hint: undefined,
    routine: 'sendFile',
  })),
});

describe('damaged pages', () => {
  it.each([
    ['checksum verification failed in file "./base/5/16384", block 3: calculated 1 but expected 2', 'base/5/16384'],
    ['Prüfsummenprüfung fehlgeschlagen in Datei »./base/5/16384.1«, Block 3', 'base/5/16384.1'],
    ['file "global/1262" has a total of 2 checksum verification failures', 'global/1262'],
    ['… "/srv/attic/PG_15_202209061/5/24576_vm" …', 'srv/attic/PG_15_202209061/5/24576_vm'],
    ['… "./pg_tblspc/16400/PG_18_202506291/5/24576" …', 'pg_tblspc/16400/PG_18_202506291/5/24576'],
  ])('are found in the server’s words: %s', (message, file) => {
    expect(damagedFiles(end(message, message))).toEqual([file]);
  });

  it('are reported even when the server does not say where', () => {
    const reported: unknown[] = [];
    judgeDamage(end(), new Map(), 'PostgreSQL', true, (finding) => reported.push(finding));
    expect(reported).toMatchObject([{ severity: 'incomplete', code: 'pages-damaged' }]);
  });
});
