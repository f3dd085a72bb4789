import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { Announcements } from './announcements.ts';

/** All of the text, in pieces of the given lengths, over and over. */
function told(text: string, lengths: readonly number[] = [text.length]) {
  let ended = 0;
  const announcements = new Announcements('mark', () => ended++);
  const bytes = Buffer.from(text);
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const length = lengths[i % lengths.length] ?? 1;
    announcements.add(bytes.subarray(at, at + length));
    at += length;
  }
  announcements.end();
  return { announcements, ended: () => ended };
}

describe('announcements', () => {
  it('are found, and taken out of what the program says, however they are cut', async () => {
    const lengths = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 });
    await fc.assert(
      fc.asyncProperty(lengths, async (cuts) => {
        const { announcements, ended } = told('sh: no locale\nmark started 12 345\nproblem\nmark ended\n', cuts);
        expect(await announcements.first).toEqual({ what: 'started', pid: 12, born: '345' });
        expect(announcements.toString()).toBe('sh: no locale\nproblem');
        expect(ended()).toBeGreaterThan(0);
      }),
    );
  });

  it('tell what is missing', async () => {
    expect(await told('mark program\n').announcements.first).toEqual({ what: 'missing', part: 'program' });
    expect(await told('mark folder\n').announcements.first).toEqual({ what: 'missing', part: 'folder' });
  });

  it('are not believed of somebody else', async () => {
    for (const text of ['OCI runtime exec failed\n', 'the mark started 1 2\n', 'x'.repeat(20_000), '', 'mark start']) {
      const { announcements } = told(text);
      expect(await announcements.first).toBeUndefined();
      expect(announcements.toString()).toContain(text.slice(-100).trim());
    }
  });
});
