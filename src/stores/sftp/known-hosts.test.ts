import { describe, expect, it } from 'vitest';

import { judge, linesAbout, parseKnownHosts } from './known-hosts.ts';

const KEY = Buffer.from('the key');
const OTHER = Buffer.from('another key');
const line = (hosts: string, key = KEY) => `${hosts} ssh-ed25519 ${key.toString('base64')} a comment`;

/** What a file says about the key of a server. */
function ask(text: string, host = 'backup.example.org', port = 22) {
  return judge(linesAbout(parseKnownHosts(text, 'file'), host, port), KEY);
}

describe('known hosts', () => {
  it.each([
    ['its name', line('backup.example.org')],
    ['its name among others', line('a,backup.example.org,10.0.0.1')],
    ['its name in capitals', line('Backup.Example.ORG')],
    ['a pattern', line('*.example.org')],
    ['a pattern with question marks', line('backu?.example.org')],
    ['a second key', `${line('backup.example.org', OTHER)}\n${line('backup.example.org')}`],
    ['a line among comments', `# ${line('x')}\n\n  ${line('backup.example.org')}\r\nnonsense`],
    // ssh-keygen -H wrote it.
    ['a hash', line('|1|F1E1KeoE/eEWhi10WpGv4OdiO6Y=|3988QV0VE8wmZL7suNrYQLITLCg='), '192.168.1.61'],
  ])('know a server by %s', (_, text, host?: string) => {
    expect(ask(text, host)).toEqual({ verdict: 'known' });
  });

  it.each([
    ['nothing', ''],
    ['others', line('example.org,xbackup.example.org,backup.example.orgx')],
    ['a pattern that leaves it out', line('*.example.org,!backup.example.org')],
    ['another port', line('[backup.example.org]:2222')],
    ['an authority for certificates', `@cert-authority ${line('*')}`],
    ['characters that would match in a regular expression', line('backup.example+org,.*')],
  ])('do not know it by %s', (_, text) => {
    expect(ask(text)).toEqual({ verdict: 'unknown' });
  });

  it('tell a port that is not the usual one', () => {
    expect(ask(line('[backup.example.org]:2222'), 'backup.example.org', 2222)).toEqual({ verdict: 'known' });
    expect(ask(line('backup.example.org'), 'backup.example.org', 2222)).toEqual({ verdict: 'unknown' });
  });

  it('say where another key stands', () => {
    expect(ask(`\n${line('*.example.org', OTHER)}`)).toEqual({ verdict: 'changed', place: 'file:2' });
  });

  it('trust no key that is revoked somewhere', () => {
    const text = `${line('backup.example.org')}\n@revoked ${line('*')}`;
    expect(ask(text)).toEqual({ verdict: 'revoked', place: 'file:2' });
  });
});
