import { expect, it } from 'vitest';
import type { Finding } from '../domain/finding.ts';
import { Findings } from './findings.ts';

const note: Finding = { severity: 'note', code: 'file-vanished', message: 'a vanished' };
const gap: Finding = { severity: 'incomplete', code: 'file-unreadable', message: 'b cannot be read' };

it('keeps findings in order, passes them on, and tells whether one is more than a note', () => {
  const told: Finding[] = [];
  const findings = new Findings((finding) => told.push(finding));
  findings.add(note);
  expect(findings.serious).toBe(false);
  findings.add(gap);
  expect(findings.serious).toBe(true);
  expect(findings.list).toEqual([note, gap]);
  expect(told).toEqual([note, gap]);
});

it('keeps no more than can be read, and still sees the serious one among very many', () => {
  let told = 0;
  const findings = new Findings(() => (told += 1));
  for (let i = 0; i < 20_000; i++) findings.add(note);
  findings.add(gap);
  expect(findings.list).toHaveLength(10_000);
  expect(findings.serious).toBe(true);
  expect(told).toBe(20_001);
});
