import fc from 'fast-check';
import { expect, it } from 'vitest';
import { withoutLines } from './sql-lines.ts';

it('drops the same lines however the pieces are cut', async () => {
  const line = fc.string({ maxLength: 12 }).map((text) => text.replaceAll('\n', ' '));
  const lines = fc.array(fc.tuple(fc.boolean(), line));
  await fc.assert(
    fc.asyncProperty(lines, fc.boolean(), fc.integer({ min: 1, max: 9 }), async (marked, isEnded, size) => {
      const texts = marked.map(([goes, text]) => `${goes ? '-' : '+'}${text}`);
      const whole = texts.join('\n') + (isEnded && texts.length > 0 ? '\n' : '');
      const expected = whole.split(/(?<=\n)/).filter((text) => !text.startsWith('-'));
      expect(await filtered(whole, size)).toBe(expected.join(''));
    }),
  );
});

async function filtered(text: string, size: number): Promise<string> {
  const bytes = Buffer.from(text);
  async function* pieces(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += size) yield await Promise.resolve(bytes.subarray(at, at + size));
  }
  const kept = await Array.fromAsync(withoutLines(pieces(), (line, from) => line[from] === 0x2d));
  return Buffer.concat(kept).toString('utf8');
}
