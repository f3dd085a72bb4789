import { describe, expect, it } from 'vitest';
import type { Plan } from '../domain/plan.ts';
import { isError } from '../errors.ts';
import { parseConfig } from './parse.ts';
import { editRetention, type RetentionChange } from './retention-edit.ts';

const FINE = { source: () => Promise.resolve(undefined), store: () => Promise.resolve(undefined) };

async function plansOf(text: string): Promise<ReadonlyMap<string, Plan>> {
  const { config, problems } = await parseConfig(text, '/etc/respaldo.yaml', FINE);
  if (config === undefined) throw new Error(JSON.stringify(problems));
  return config.plans;
}

/** The text changed for the plan `shop`, and the plan that it then describes. */
async function edited(text: string, change: RetentionChange): Promise<{ text: string; plan: Plan | undefined }> {
  const before = (await plansOf(text)).get('shop');
  if (before === undefined) throw new Error('there is no plan shop');
  const after = editRetention(text, { ...before, name: 'shop' }, change);
  return { text: after, plan: (await plansOf(after)).get('shop') };
}

const daily = (count: number): RetentionChange => ({ block: 'calendar', rules: { daily: count } });

const FILE = `# Ours.


repositories:
    main: {url: ./backups}        # a folder

plans:
    # The shop, which must not be lost.
    shop:
        source:   ./shop     # everything
        exclude:
        - "*.tmp"
        - '*.bak'   # no

    blog:
        source: ./blog
        keep: {daily: 7}   # a week
`;

describe('editRetention', () => {
  it('adds a whole calendar, and changes no other line', async () => {
    const { text, plan } = await edited(FILE, daily(10));
    const calendar = '        calendar: { daily: 10, weekly: 4, monthly: 12, yearly: 0, full: 3 }\n';
    expect(text).toBe(FILE.replace('# no\n', `# no\n${calendar}`));
    expect(plan?.calendar).toEqual({ daily: 10, weekly: 4, monthly: 12, yearly: 0, full: 3 });
  });

  it('changes one number of a calendar where it stands', async () => {
    const file = FILE.replace(
      "        - '*.bak'   # no\n",
      `        - '*.bak'   # no
        calendar:
            # The week.
            daily: 7      # days
            monthly: unlimited   # for ever
`,
    );
    const { text, plan } = await edited(file, { block: 'calendar', rules: { daily: 5, full: Infinity } });
    expect(text).toContain('            # The week.\n            daily: 5 # days\n');
    expect(text).toContain('            full: unlimited\n');
    expect(text).toContain('    main: {url: ./backups}        # a folder\n');
    expect(text).toContain('        source:   ./shop     # everything\n');
    expect(text).toContain('        keep: {daily: 7}   # a week\n');
    expect(plan?.calendar).toEqual({ daily: 5, weekly: 4, monthly: Infinity, yearly: 0, full: Infinity });
  });

  it('takes a calendar in the place of keep rules, and the other way round', async () => {
    const file = 'plans:\n  shop: { source: ./shop, keep: { daily: 7, tags: [a] } } # short\n';
    const calendar = await edited(file, daily(3));
    expect(calendar.text).toContain('# short');
    expect(calendar.plan).toMatchObject({ calendar: { daily: 3, weekly: 4 } });
    expect(calendar.plan?.keep).toBeUndefined();
    const keep = await edited(calendar.text, {
      block: 'keep',
      rules: { last: 2, withinDaily: '30d', tags: ['a', 'b'] },
    });
    expect(keep.plan?.keep).toEqual({ last: 2, withinDaily: '30d', tags: ['a', 'b'] });
    expect(keep.plan?.calendar).toBeUndefined();
  });

  it('changes this plan alone where several share a calendar', async () => {
    const file = `plans:
  blog: { source: ./blog, calendar: &usual { daily: 9 } }
  shop: { source: ./shop, calendar: *usual }
`;
    const { text, plan } = await edited(file, daily(2));
    expect(plan?.calendar?.daily).toBe(2);
    expect((await plansOf(text)).get('blog')?.calendar?.daily).toBe(9);
  });

  it('starts from what a merge gives', async () => {
    const file = `plans:
  blog: &blog { source: ./blog, calendar: { daily: 9, full: 1 } }
  shop: { <<: *blog, source: ./shop }
`;
    const { plan } = await edited(file, daily(2));
    expect(plan?.calendar).toEqual({ daily: 2, weekly: 4, monthly: 12, yearly: 0, full: 1 });
  });

  it('puts rules of the other kind where the old ones were, below what was said of them', async () => {
    const file = `plans:
  shop: # mine
    source: ./shop

    # When it all goes.
    keep:
      daily: 7 # a week
    tags: [a]   # last
`;
    expect((await edited(file, daily(7))).text).toBe(`plans:
  shop: # mine
    source: ./shop

    # When it all goes.
    calendar: { daily: 7, weekly: 4, monthly: 12, yearly: 0, full: 3 }
    tags: [a]   # last
`);
  });

  it.each([
    [
      'its calendar is shared',
      'plans:\n  shop: { source: ./s, calendar: &u { daily: 1 } }\n  b: { source: ./b, calendar: *u }\n',
    ],
    [
      'another one needs its rules',
      'plans:\n  shop: { source: ./s, keep: &u { last: 1 } }\n  b: { source: ./b, keep: *u }\n',
    ],
    ['a whole plan is an alias', 'plans:\n  blog: &blog { source: ./blog }\n  shop: *blog\n'],
    [
      'rules of the other kind are merged',
      'plans:\n  blog: &blog { source: ./b, keep: { last: 1 } }\n  shop: { <<: *blog }\n',
    ],
  ])('refuses where %s', async (_what, file) => {
    await expect(edited(file, daily(2))).rejects.toSatisfy((error) => isError(error, 'config'));
  });

  it('keeps the line ends of Windows', async () => {
    const { text, plan } = await edited('plans:\r\n  shop: # mine\r\n    source: ./shop\r\n', daily(2));
    expect(text.split('\r\n').slice(0, 3)).toEqual(['plans:', '  shop: # mine', '    source: ./shop']);
    expect(text.replaceAll('\r\n', '')).not.toContain('\n');
    expect(plan?.calendar?.daily).toBe(2);
  });
});
