import type { IncomingMessage } from 'node:http';

import type { Observation } from '../../domain/observation.ts';
import { observeClock, observeSpace } from '../trial.ts';
import { discard, type DavRequest } from './client.ts';
import type { DavEntry } from './listing.ts';

interface Bench {
  readonly secure: boolean;
  readonly host: string;
  /** The store's own folder. */
  readonly place: DavEntry;
  /** Asks something of an object of ten bytes. */
  readonly ask: (request: Omit<DavRequest, 'path'>, wanted: readonly number[]) => Promise<IncomingMessage>;
  readonly now: () => Date;
}

/** What a server says about its ways, its clock and its room. */
export async function observeWebDav({ secure, host, place, ask, now }: Bench): Promise<readonly Observation[]> {
  const part = await ask({ method: 'GET', headers: { range: 'bytes=3-5' } }, [200, 206]);
  await discard(part);
  const written = new Date(part.headers.date ?? '');
  return [
    observeLine(secure, host),
    part.statusCode === 206
      ? { trait: 'parts', verdict: 'good', found: 'a part of an object is sent alone' }
      : {
          ...{ trait: 'parts', verdict: 'note', found: 'the whole object is sent where a part is asked for' },
          advice: 'Restores and checks will be slow: let the server answer requests for ranges.',
        },
    {
      ...{ trait: 'durability', verdict: 'note', found: 'nobody can tell when a file is on the disk of the server' },
      advice: 'A server that loses its power may lose the last minutes: run `respaldo check` then.',
    },
    ...space(place),
    Number.isNaN(written.getTime())
      ? { trait: 'clock', verdict: 'note', found: 'the server does not say its time' }
      : observeClock({ written, now: now() }),
  ];
}

function observeLine(secure: boolean, host: string): Observation {
  if (secure) return { trait: 'address', verdict: 'good', found: 'TLS' };
  if (/^(127\.|localhost\b|\[::1\])/.test(host)) return { trait: 'address', verdict: 'good', found: 'no TLS' };
  return {
    ...{ trait: 'address', verdict: 'note', found: 'no TLS' },
    advice: 'Others on the way can read the password: use https: if the server has it.',
  };
}

function space({ available, used }: DavEntry): readonly Observation[] {
  return available === undefined ? [] : [observeSpace(available, available + (used ?? 0))];
}
