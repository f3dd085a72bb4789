import { describe, expect, it } from 'vitest';
import { withoutSecrets } from './workload.ts';

describe('the variables of a container', () => {
  it('lose the values that may be secret', () => {
    const variables = {
      POSTGRES_PASSWORD: 'a',
      PGPASSWORD: 'b',
      api_key: 'c',
      GH_TOKEN: 'd',
      DATABASE_URL: 'postgresql://u:e@db/shop',
    };
    expect(Object.values(withoutSecrets(variables)).join('')).toBe('');
    expect(Object.keys(withoutSecrets(variables))).toEqual(Object.keys(variables));
  });

  it('keep what is none: names, and files that hold one', () => {
    const variables = { POSTGRES_USER: 'shop', POSTGRES_PASSWORD_FILE: '/run/secrets/pg', PG_VERSION: '16.4' };
    expect(withoutSecrets(variables)).toEqual(variables);
  });
});
