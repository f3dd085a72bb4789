import { expect, test } from 'vitest';
import { settingOf } from '../adapted-configuration.ts';
import { drillConfiguration } from './configuration.ts';

const circumstances = { major: 17, socketFolder: '/tmp/it"s', original: '' };

test.each([
  ['listen_addresses', ''],
  ['archive_mode', 'off'],
  ['archive_command', ''],
  ['restore_command', ''],
  ['primary_conninfo', ''],
  ['shared_preload_libraries', ''],
  ['max_logical_replication_workers', '0'],
  ['max_wal_senders', '0'],
  ['event_triggers', 'off'],
  ['unix_socket_directories', '"/tmp/it""s"'],
])('a throw-away server has %s set to %j', (name, value) => {
  expect(settingOf(drillConfiguration(circumstances), name)).toBe(value);
});

test('nothing of the original counts but room for transactions that were prepared', () => {
  const original =
    "archive_mode = on\nmax_prepared_transactions = 10\nmax_prepared_transactions = '500'\nport = 6000\n";
  const text = drillConfiguration({ ...circumstances, original });
  expect(settingOf(text, 'archive_mode')).toBe('off');
  expect(settingOf(text, 'max_prepared_transactions')).toBe('500');
  expect(settingOf(text, 'port')).toBe('5432');
  expect(settingOf(drillConfiguration(circumstances), 'max_prepared_transactions')).toBe('64');
});

test('a server before version 17 is not told what it does not know', () => {
  expect(settingOf(drillConfiguration({ ...circumstances, major: 16 }), 'event_triggers')).toBeUndefined();
});
