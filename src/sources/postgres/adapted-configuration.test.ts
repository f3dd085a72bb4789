import { describe, expect, it } from 'vitest';
import { adaptConfiguration, settingOf } from './adapted-configuration.ts';

const adapt = (text: string, included: Record<string, string> = {}, there: readonly string[] = []) =>
  adaptConfiguration(
    { original: '/etc/postgresql/15/main/postgresql.conf', text },
    Object.entries(included).map(([original, content]) => ({ original, text: content })),
    (path) => there.includes(path),
  );

describe('the configuration of a copy', () => {
  it('keeps what is not tied to the original’s place', () => {
    const text = '# a comment\nwork_mem = 5MB   # enough\nsearch_path = \'"$user", public\'\n';
    expect(adapt(text).trim()).toBe(text.trim());
  });

  it.each([
    "data_directory = '/var/lib/x'",
    'hba_file=/etc/x',
    "  Ident_File '/etc/y'",
    "external_pid_file = '/run/x'",
  ])('leaves out %s', (line) => {
    expect(adapt(line).trim()).toBe(`# left out at restore: ${line}`);
  });

  it('leaves out TLS when the certificate is not on this machine, and keeps it when it is', () => {
    const text = "ssl = on\nssl_cert_file = '/etc/ssl/x.pem'\nssl_key_file = 'server.key'";
    expect(adapt(text)).toContain('# left out at restore: ssl = on');
    expect(adapt(text, {}, ['/etc/ssl/x.pem'])).not.toContain('left out');
  });

  it('leaves out socket folders that are not there', () => {
    expect(adapt("unix_socket_directories = '/run/a, /run/b'", {}, ['/run/a'])).toContain('left out');
    expect(adapt("unix_socket_directories = '/run/a, /run/b'", {}, ['/run/a', '/run/b'])).not.toContain('left out');
  });

  it('holds what was included, in its place', () => {
    const text = "a = 1\ninclude_dir = 'conf.d'\ninclude 'more.conf'\ninclude_if_exists = '/none'\nz = 1";
    const included = {
      '/etc/postgresql/15/main/conf.d/1.conf': 'b = 1',
      '/etc/postgresql/15/main/conf.d/2.conf': "c = 1\ninclude '../deep.conf'",
      '/etc/postgresql/15/main/deep.conf': 'd = 1',
      '/etc/postgresql/15/main/more.conf': "e = 1\ninclude 'more.conf'",
    };
    const settings = adapt(text, included)
      .split('\n')
      .filter((line) => /^\w/.test(line));
    expect(settings).toEqual(['a = 1', 'b = 1', 'c = 1', 'd = 1', 'e = 1', 'z = 1']);
  });
});

describe('a setting', () => {
  it.each([
    ['archive_mode = on\n', 'on'],
    ["Archive_Mode 'always' # why\narchive_mode=off", 'off'],
    ['#archive_mode = on\narchive_mode_x = on', undefined],
    ['', undefined],
  ])('of %j is %j', (text, value) => {
    expect(settingOf(text, 'archive_mode')).toBe(value);
  });
});
