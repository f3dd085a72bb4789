import { expect, it } from 'vitest';
import type { Plan } from '../domain/plan.ts';
import type { Config } from './config.ts';
import { choosePlans, planHint, type BackupFlags } from './plans.ts';

const NO_FLAGS: BackupFlags = {
  tags: [],
  selection: { exclude: [], oneFileSystem: false, excludeCaches: false },
  reading: {},
  skipIfUnchanged: false,
  acceptDamagedPages: false,
};

function plan(name: string): Plan {
  return {
    name,
    sources: [{ address: `./${name}` }],
    folder: '/etc',
    type: 'full',
    tags: ['mine'],
    selection: {
      exclude: ['*.tmp'],
      iexclude: [],
      oneFileSystem: true,
      excludeCaches: false,
      excludeIfPresent: [],
    },
    reading: {},
    skipIfUnchanged: false,
    acceptDamagedPages: false,
  };
}

const config: Config = {
  file: '/etc/respaldo.yaml',
  repositories: new Map(),
  archives: new Map(),
  plans: new Map([
    ['shop', plan('shop')],
    ['files', plan('files')],
  ]),
};

it('takes every plan where none is named', () => {
  expect(choosePlans([], NO_FLAGS, config, '/w')).toEqual([plan('shop'), plan('files')]);
});

it('takes names for plans, and all else together for one unnamed plan', () => {
  expect(choosePlans(['./b', 'files', 'a', './b', 'files'], NO_FLAGS, config, '/w')).toEqual([
    plan('files'),
    {
      sources: [{ address: './b' }, { address: 'a' }],
      folder: '/w',
      type: 'auto',
      tags: [],
      selection: { exclude: [], oneFileSystem: false, excludeCaches: false },
      reading: {},
      skipIfUnchanged: false,
      acceptDamagedPages: false,
    },
  ]);
  expect(choosePlans(['./shop'], NO_FLAGS, config, '/w')).toMatchObject([{ sources: [{ address: './shop' }] }]);
  expect(choosePlans(['a'], NO_FLAGS, undefined, '/w')).toHaveLength(1);
});

it('adds flags to a plan, and lets them decide its type and the largest file', () => {
  const flags: BackupFlags = {
    type: 'incremental',
    tags: ['now'],
    selection: { exclude: ['*.bak'], oneFileSystem: false, excludeCaches: true, excludeLargerThan: 5 },
    reading: { ignoreInode: true },
    skipIfUnchanged: true,
    readConcurrency: 3,
    acceptDamagedPages: true,
  };
  expect(choosePlans(['shop'], flags, config, '/w')).toEqual([
    {
      ...plan('shop'),
      type: 'incremental',
      tags: ['mine', 'now'],
      selection: {
        exclude: ['*.tmp', '*.bak'],
        iexclude: [],
        oneFileSystem: true,
        excludeCaches: true,
        excludeIfPresent: [],
        excludeLargerThan: 5,
      },
      reading: { ignoreInode: true },
      skipIfUnchanged: true,
      readConcurrency: 3,
      acceptDamagedPages: true,
    },
  ]);
});

it('says what to name where there is nothing to back up', () => {
  expect(() => choosePlans([], NO_FLAGS, undefined, '/w')).toThrow('nothing to back up');
  expect(() => choosePlans([], NO_FLAGS, { ...config, plans: new Map() }, '/w')).toThrow('nothing to back up');
});

it('suggests the plan that was probably meant', () => {
  expect(planHint('shpo', config)).toBe('There is no plan shpo in respaldo.yaml either, did you mean shop?');
  expect(planHint('./x', config)).toBeUndefined();
});
