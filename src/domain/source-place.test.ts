import { expect, it } from 'vitest';
import { sourcePlace } from './source-place.ts';

it.each([
  ['/postgresql/db:5432/databases/shop', '/postgresql/db:5432'],
  ['/mysql/docker/shop-db/run/s.sock/databases', '/mysql/docker/shop-db/run/s.sock'],
  ['/redis/db:6379', '/redis/db:6379'],
  ['/sqlite/srv/databases/of/shop.db', '/sqlite/srv/databases/of/shop.db'],
])('of %s is %s', (path, place) => {
  expect(sourcePlace(path)).toBe(place);
});
