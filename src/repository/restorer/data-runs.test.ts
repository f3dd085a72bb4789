import { expect, it } from 'vitest';
import { dataRuns } from './data-runs.ts';

const BLOCK = 4096;

it('finds what is not zero, in whole blocks and to the end', () => {
  const bytes = new Uint8Array(5 * BLOCK + 10);
  expect(dataRuns(bytes)).toEqual([]);
  bytes[BLOCK] = 1;
  bytes[3 * BLOCK - 1] = 1;
  bytes[5 * BLOCK + 9] = 1;
  expect(dataRuns(bytes)).toEqual([
    { from: BLOCK, to: 3 * BLOCK },
    { from: 5 * BLOCK, to: 5 * BLOCK + 10 },
  ]);
  expect(dataRuns(bytes.fill(1))).toEqual([{ from: 0, to: bytes.length }]);
  expect(dataRuns(new Uint8Array())).toEqual([]);
});
