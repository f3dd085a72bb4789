import { describe, expect, it } from 'vitest';
import { isNameless, planTargets, type TargetFolder, type TargetLeaf } from './targets.ts';

/** `path → local path` of every leaf. */
function leaves(item: TargetFolder | TargetLeaf, path = ''): Record<string, string> {
  if (item.kind === 'leaf') return { [path]: item.local };
  return Object.assign({}, ...[...item.children].map(([name, child]) => leaves(child, `${path}/${name}`))) as Record<
    string,
    string
  >;
}

function planned(...targets: string[]): Record<string, string> {
  return leaves(planTargets(targets, '/home/ana/work'));
}

describe('planTargets', () => {
  it('keeps the whole chain of folders above an absolute target', () => {
    expect(planned('/srv/data/shop')).toEqual({ '/srv/data/shop': '/srv/data/shop' });
  });

  it('places a relative target under its own components only', () => {
    expect(planned('photos/2024')).toEqual({ '/photos/2024': '/home/ana/work/photos/2024' });
  });

  it('drops the leading dots of a target that lies above', () => {
    expect(planned('../../bob/mail')).toEqual({ '/bob/mail': '/home/bob/mail' });
  });

  it('reads metadata of the folders above from where they really are', () => {
    const top = planTargets(['../notes/today'], '/home/ana/work').children.get('notes');
    expect(top).toMatchObject({ kind: 'folder', local: '/home/ana/notes' });
  });

  it('takes a target once, however it is written', () => {
    expect(planned('a', './a', 'a/', 'b/../a')).toEqual({ '/a': '/home/ana/work/a' });
  });

  it('lets a folder cover what lies inside it, in either order', () => {
    expect(planned('/srv', '/srv/data')).toEqual({ '/srv': '/srv' });
    expect(planned('/srv/data', '/srv')).toEqual({ '/srv': '/srv' });
  });

  it('numbers targets of one name from different folders', () => {
    expect(planned('../a/x', 'a/y', '/a/z')).toEqual({
      '/a/x': '/home/ana/a/x',
      '/a-1/y': '/home/ana/work/a/y',
      '/a-2/z': '/a/z',
    });
  });

  it('knows which targets have no name of their own', () => {
    expect(['.', './', '..', '../..', '/', 'a/..'].every(isNameless)).toBe(true);
    expect(['a', '../a', '/a', '...'].some(isNameless)).toBe(false);
  });
});
