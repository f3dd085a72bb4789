import { describe, expect, it } from 'vitest';
import { isVolumeAddress, parseVolumeAddress } from './address.ts';

describe('The address of a volume', () => {
  it('is its name, and perhaps an image', () => {
    expect(parseVolumeAddress('docker-volume:shop_data')).toEqual({ volume: 'shop_data' });
    const image = 'registry.example:5000/a/b:1@sha256:00';
    expect(parseVolumeAddress(`docker-volume:a.b-c?image=${image}`)).toEqual({ volume: 'a.b-c', image });
    expect(isVolumeAddress('Docker-Volume:x')).toBe(true);
    expect(isVolumeAddress('./docker-volume:x')).toBe(false);
  });

  it.each(['', 'a/b', '../x', '-x', 'a b', 'a?image=', 'a?image=x&image=y', 'a?mode=x', 'a?image=x?y'])(
    'is not %j',
    (rest) => {
      expect(() => parseVolumeAddress(`docker-volume:${rest}`)).toThrow(
        expect.objectContaining({
          code: 'usage',
          hint: expect.stringContaining('docker-volume:NAME') as string,
        }) as Error,
      );
    },
  );
});
