import { describe, expect, it } from 'vitest';
import { encodeConfig, parseConfig } from './config.ts';
import { randomPolynomial } from './polynomial.ts';

const id = '25a3ab9bb4aa25cb1c35aae1347d3ab000a952478b86ba0c19e22c983da1c6db';

function parse(value: unknown) {
  return parseConfig(Buffer.from(JSON.stringify(value)));
}

describe('a config', () => {
  it('has the bytes that restic writes', () => {
    const json = `{"version":2,"id":"${id}","chunker_polynomial":"3dc150ef1ae665"}`;
    const config = parseConfig(Buffer.from(json));
    expect(config).toEqual({ version: 2, id, polynomial: 0x3dc150ef1ae665n });
    expect(Buffer.from(encodeConfig(config)).toString()).toBe(json);
  });

  it('comes back as it was written', () => {
    const config = { version: 1, id, polynomial: randomPolynomial() } as const;
    expect(parseConfig(encodeConfig(config))).toEqual(config);
  });

  it.each([0, 3, 99])('of version %i is refused as unsupported', (version) => {
    expect(() => parse({ version, id, chunker_polynomial: '3dc150ef1ae665' })).toThrow(
      expect.objectContaining({ code: 'repository-unsupported' }),
    );
  });

  it.each([
    ['no config at all', null],
    ['no version', { id, chunker_polynomial: '3dc150ef1ae665' }],
    ['a version that is text', { version: '2', id, chunker_polynomial: '3dc150ef1ae665' }],
    ['a short id', { version: 2, id: 'abc', chunker_polynomial: '3dc150ef1ae665' }],
    ['no polynomial', { version: 2, id }],
    ['a polynomial that is reducible', { version: 2, id, chunker_polynomial: '3dc150ef1ae666' }],
    ['a polynomial of a small degree', { version: 2, id, chunker_polynomial: '7' }],
    ['a polynomial that is no number', { version: 2, id, chunker_polynomial: 'xyz' }],
  ])('is refused as damaged with %s', (_, value) => {
    expect(() => parse(value)).toThrow(expect.objectContaining({ code: 'repository-damaged' }));
  });

  it('is refused as damaged when it is not JSON', () => {
    expect(() => parseConfig(Buffer.from('{'))).toThrow(expect.objectContaining({ code: 'repository-damaged' }));
  });
});
