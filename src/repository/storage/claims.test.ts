import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { ClaimingData } from '../../../test/fixtures/claiming-worker.ts';
import { Crew } from '../workers/crew.ts';
import { BlobIndex } from './blob-index.ts';
import { Claims, type ClaimsData } from './claims.ts';

const digest = (text: string) => createHash('sha256').update(text).digest('hex');

function emptyClaims(rows?: number): ClaimsData {
  return Claims.create(new BlobIndex().shared(), rows);
}

describe('claims', () => {
  test('are granted once for each type and id', () => {
    const claims = new Claims(emptyClaims());
    expect(claims.claim('data', digest('a'))).toBe(true);
    expect(claims.claim('data', digest('a'))).toBe(false);
    expect(claims.claim('tree', digest('a'))).toBe(true);
    expect(claims.claim('tree', digest('a'))).toBe(false);
  });

  test('are not granted for what the repository has', () => {
    const index = new BlobIndex();
    const id = digest('known');
    index.add('f'.repeat(64), [{ id, type: 'data', offset: 0, length: 40, uncompressedLength: 0 }]);
    const claims = new Claims(Claims.create(index.shared()));
    expect(claims.claim('data', digest('known'))).toBe(false);
    expect(claims.claim('tree', digest('known'))).toBe(true);
  });

  test('ask for room before they run out of it, and go on in what they get', () => {
    const data = emptyClaims(16);
    const [main, other] = [new Claims(data), new Claims(structuredClone(data))];
    for (let i = 0; i < 8; i++) main.claim('data', digest(`${i}`));
    expect(main.needsGrowth()).toBe(true);
    other.addSegment(structuredClone(main.grow()));
    expect(main.needsGrowth()).toBe(false);
    for (let i = 8; i < 100; i++) expect(main.claim('data', digest(`${i}`))).toBe(true);
    for (let i = 0; i < 100; i++) expect(other.claim('data', digest(`${i}`))).toBe(false);
  });

  test('without room are still granted once by the same thread', () => {
    const claims = new Claims(emptyClaims(4));
    for (let i = 0; i < 50; i++) expect(claims.claim('data', digest(`${i}`))).toBe(true);
    for (let i = 0; i < 50; i++) expect(claims.claim('data', digest(`${i}`))).toBe(false);
  });

  test('of several threads at once are granted to exactly one', async () => {
    const threads = 4;
    const count = 30_000;
    const missing = new Int32Array(new SharedArrayBuffer(4)).fill(threads);
    const data: ClaimingData = { claims: emptyClaims(), missing };
    const script = new URL('../../../test/fixtures/claiming-worker.ts', import.meta.url);
    await using crew = await Crew.start<{ count: number }, number[]>({ script, data, size: threads });
    const granted = (await crew.all({ count })).flat();
    expect(granted).toHaveLength(count);
    expect(new Set(granted).size).toBe(count);
  });
});
