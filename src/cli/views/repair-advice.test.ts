import { expect, test } from 'vitest';
import { repairAdvice } from './repair-advice.ts';

const finding = (code: string) => ({ severity: 'damage', code, message: '', subject: code }) as const;

test('damage that was seen has its repair', () => {
  expect(repairAdvice([finding('pack-damaged')])).toEqual(['respaldo repair packs pack-damaged']);
});

test('where a pack could not be read, nothing is thrown away before that is known', () => {
  const advice = repairAdvice([finding('pack-unreadable'), finding('pack-damaged'), finding('blob-missing')]);
  expect(advice.join('\n')).not.toContain('repair');
  expect(advice.join('\n')).toContain('respaldo check --read-data');
});
