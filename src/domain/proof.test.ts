import { expect, test } from 'vitest';
import { proofOf, withoutProof } from './proof.ts';

test('a snapshot whose record says nothing more is stored', () => {
  expect(proofOf({})).toBe('stored');
  expect(proofOf({ tags: ['type=full', 'plan=shop'] })).toBe('stored');
});

test('its tags say how far the proof has come, the surest one counts', () => {
  expect(proofOf({ tags: ['verified'] })).toBe('verified');
  expect(proofOf({ tags: ['proven'] })).toBe('proven');
  expect(proofOf({ tags: ['verified', 'proven'] })).toBe('proven');
});

test('what lacks something is not proven, whatever else it is tagged', () => {
  expect(proofOf({ tags: ['proven', 'incomplete'] })).toBe('captured');
});

test('other content is not proven by what was proven before', () => {
  expect(withoutProof(['proven', 'type=full', 'verified'])).toEqual(['type=full']);
});
