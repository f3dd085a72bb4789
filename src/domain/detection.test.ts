import { describe, expect, it } from 'vitest';
import { backupCandidates, likelyMeant, type DetectedServer } from './detection.ts';

function server(kind: DetectedServer['kind'], about: Partial<DetectedServer> = {}): DetectedServer {
  return {
    ...{ kind, name: kind, place: 'this host', target: { kind: 'host' }, address: kind },
    ...{ reasons: ['said so'], login: '', hostPorts: [], ...about },
  };
}

const [database, cache] = [server('postgres'), server('redis')];

describe('what a backup may mean', () => {
  it('is a replica only where nothing else of its kind is there', () => {
    const replica = server('postgres', { role: 'replica' });
    expect(backupCandidates([replica, database, cache])).toEqual([database, cache]);
    expect(backupCandidates([replica, cache])).toEqual([replica, cache]);
  });

  it('is no cache beside a database, where nobody names one', () => {
    expect(likelyMeant([cache, database])).toEqual([database]);
    expect(likelyMeant([cache, server('postgres', { obstacle: 'exited' })])).toEqual([cache]);
  });
});
