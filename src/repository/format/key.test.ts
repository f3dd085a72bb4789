import { describe, expect, it } from 'vitest';
import { generateKey } from './crypto.ts';
import { createKeyFile, describeKeyFile, openKeyFile } from './key.ts';

const quick = { N: 1024, r: 8, p: 1 };
const about = { username: 'maría', hostname: 'tienda', created: new Date('2026-03-04T05:06:07.089Z') };

/** A key file whose fields are changed. */
async function keyFile(changes: Record<string, unknown> = {}): Promise<Uint8Array> {
  const file = await createKeyFile(generateKey(), 'secret', about, quick);
  const fields = JSON.parse(Buffer.from(file).toString()) as Record<string, unknown>;
  return Buffer.from(JSON.stringify({ ...fields, ...changes }));
}

describe('a key file', () => {
  it('gives the key back to who knows the password', async () => {
    const key = generateKey();
    const file = await createKeyFile(key, 'contraseña', about, quick);
    expect(await openKeyFile(file, 'contraseña')).toEqual({
      encrypt: new Uint8Array(key.encrypt),
      macK: new Uint8Array(key.macK),
      macR: new Uint8Array(key.macR),
    });
  });

  it.each(['', 'Secret', 'secret '])('stays shut for the password %j', async (password) => {
    expect(await openKeyFile(await keyFile(), password)).toBeUndefined();
  });

  it('tells whose it is without a password', async () => {
    const { username, hostname, created } = describeKeyFile(await keyFile());
    expect([username, hostname]).toEqual(['maría', 'tienda']);
    expect(new Date(created)).toEqual(about.created);
  });

  it('has its own salt, so that equal passwords do not show', async () => {
    const key = generateKey();
    const files = await Promise.all([1, 2].map(() => createKeyFile(key, 'secret', about, quick)));
    const salts = files.map((file) => (JSON.parse(Buffer.from(file).toString()) as { salt: string }).salt);
    expect(salts[0]).not.toBe(salts[1]);
  });

  it('takes the password in the cost that it names', async () => {
    const { N, r, p } = JSON.parse(
      Buffer.from(await createKeyFile(generateKey(), 'secret', about)).toString(),
    ) as typeof quick;
    expect(128 * N * r).toBeGreaterThanOrEqual(32 * 1024 * 1024);
    expect(N * r * p).toBeGreaterThanOrEqual(32768 * 8 * 5);
  });

  it.each([
    ['another derivation', { kdf: 'argon2' }],
    ['no salt', { salt: undefined }],
    ['a salt that is not base64', { salt: '!' }],
    ['more memory than any key needs', { N: 2 ** 30 }],
    ['rounds that are no power of two', { N: 1000 }],
    ['negative parameters', { r: -8 }],
    ['absurd parallelism', { p: 10 ** 9 }],
    ['more memory side by side than any key needs', { N: 2, r: 2 ** 20, p: 1024 }],
    ['hours of work', { N: 2 ** 17, r: 8, p: 2 ** 13 }],
    ['numbers that no library takes', { N: 2, r: 2 ** 22, p: 2 }],
  ])('is refused as damaged with %s', async (_, changes) => {
    await expect(openKeyFile(await keyFile(changes), 'secret')).rejects.toMatchObject({ code: 'repository-damaged' });
  });

  it('is refused before its derivation takes gigabytes', async () => {
    const greedy = await keyFile({ N: 2 ** 24 });
    await expect(openKeyFile(greedy, 'secret')).rejects.toSatisfy((error: Error) => error.cause === undefined);
  });

  it('is refused as damaged when it is not JSON, or cut short', async () => {
    const file = await keyFile();
    for (const bytes of [new Uint8Array(0), file.subarray(0, -1), Buffer.from('null')]) {
      await expect(openKeyFile(bytes, 'secret')).rejects.toMatchObject({ code: 'repository-damaged' });
      expect(() => describeKeyFile(bytes)).toThrow(expect.objectContaining({ code: 'repository-damaged' }));
    }
  });
});
