import { Command } from 'commander';
import { expect, test } from 'vitest';
import type { PrunePolicy } from '../repository/repository.ts';
import { addPruneOptions, prunePolicyOf } from './prune-options.ts';

function policyOf(...argv: string[]): PrunePolicy {
  const command = addPruneOptions(new Command())
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
  return prunePolicyOf(command.parse(argv, { from: 'user' }).opts());
}

test('as in restic, a percentage is of all that is left', () => {
  expect(policyOf().maxUnused).toBeCloseTo(5 / 95);
  expect(policyOf('--max-unused', '50%').maxUnused).toBe(1);
  expect(policyOf('--max-unused', '0%').maxUnused).toBe(0);
});

test.each([
  ['unlimited', Infinity],
  ['0', { bytes: 0 }],
  ['500M', { bytes: 500 * 2 ** 20 }],
])('--max-unused %s', (text, limit) => expect(policyOf('--max-unused', text).maxUnused).toEqual(limit));

test.each(['100%', '-1%', 'half', ''])('--max-unused "%s" is refused', (text) =>
  expect(() => policyOf('--max-unused', text)).toThrow('Write it as 5%'),
);

test('small is 80 % of a pack, or what is said', () => {
  expect(policyOf().smallerThan).toBeUndefined();
  expect(policyOf('--repack-small').smallerThan).toBe('small');
  expect(policyOf('--repack-small', '--repack-smaller-than', '1M').smallerThan).toBe(2 ** 20);
  expect(() => policyOf('--repack-smaller-than', '0')).toThrow('above 0');
});
