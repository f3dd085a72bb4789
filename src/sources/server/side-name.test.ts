import { expect, it } from 'vitest';
import { sideName, unfinishedOf } from './side-name.ts';

const shorten = (name: string, room: number): string => name.slice(0, 64 - room);

it('A half-made database is known by its name, whatever the one is called that it is to become', () => {
  const names = ['shop', 'x'.repeat(64), 'a_restoring_b'].map((name) => sideName(name, 'restoring', shorten));
  expect(names.map((name) => name.length)).toEqual([23, 64, 32]);
  const others = ['shop', sideName('shop', 'before', shorten), 'shop_restoring_', 'shop_restoring_0123456z'];
  expect(unfinishedOf([...others, ...names])).toEqual(names.toSorted());
});
