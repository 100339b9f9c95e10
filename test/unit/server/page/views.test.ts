import { describe, expect, it } from 'vitest';
import { treeOf } from '../../../../src/server/page/hot/tree.ts';
import { limitProblem } from '../../../../src/server/page/limits/limit-words.ts';
import { arcsOf } from '../../../../src/server/page/now/arcs.ts';
import { fleetOf } from '../../../../src/server/page/now/fleet.ts';
import { routeOf, taskPath, tasksPath } from '../../../../src/server/page/shell/route.ts';
import { joined } from '../../../../src/server/page/tasks/pages.ts';

describe('an address', () => {
  it.each([
    ['/', { view: 'now' }],
    ['/timeline', { view: 'timeline' }],
    ['/hot/', { view: 'hot' }],
    ['/limits', { view: 'limits' }],
    ['/tasks/tx-1', { view: 'task', id: 'tx-1' }],
    ['/tasks/%zz', { view: 'task', id: '%zz' }],
    ['/tasks/a/b', { view: 'nowhere', path: '/tasks/a/b' }],
    ['/else', { view: 'nowhere', path: '/else' }],
  ])('%s is of its view', (path, route) => {
    expect(routeOf(path)).toEqual(route);
  });

  it('of a filtered list is read as it was written', () => {
    const query = { q: 'a b&c', state: 'blocked' };
    const [path = '', search] = tasksPath(query).split('?');
    expect(routeOf(path, `?${search}`)).toEqual({ view: 'tasks', query });
    expect(tasksPath({ q: '', state: '' })).toBe('/tasks');
    expect(routeOf(taskPath('a/b?c'))).toEqual({ view: 'task', id: 'a/b?c' });
  });
});

describe('pages of a list', () => {
  it('are joined without a task twice when new ones have moved them', () => {
    const page = (...ids: string[]) => ids.map((id) => ({ id }));
    expect(joined(page('c', 'b'), page('b', 'a'))).toEqual(page('c', 'b', 'a'));
  });
});

describe('the fleet', () => {
  it('has as many runners at once as its slots or its cap allow, whichever is less', () => {
    const workers = [{ concurrency: 2 }, { concurrency: 3 }];
    expect(fleetOf({ maxParallelRunners: null, running: 1, workers }).most).toBe(5);
    expect(fleetOf({ maxParallelRunners: 3, running: 1, workers }).most).toBe(3);
    expect(fleetOf({ maxParallelRunners: 30, running: 1, workers }).most).toBe(5);
  });

  it('is a gauge with a part for each runner, and two parts where there are too many', () => {
    expect(arcsOf(5, 2).map(({ isOn }) => isOn)).toEqual([true, true, false, false, false]);
    expect(arcsOf(100, 40)).toHaveLength(2);
    expect(arcsOf(100, 100)).toHaveLength(1);
    expect(arcsOf(0, 0)).toHaveLength(1);
    expect(arcsOf(2, 7).every(({ isOn }) => isOn)).toBe(true);
  });
});

describe('the tree of hot spots', () => {
  const spot = (resource: string, amount: number, repo = 'acme/app') => ({ repo, resource, amount });

  it('adds up what is in a folder, and joins folders with a single thing in them', () => {
    const [src] = treeOf([spot('path:src/auth/login.ts', 3), spot('path:src/auth/token.ts', 4)]);
    expect(src).toMatchObject({ name: 'src/auth', path: 'src/auth', value: 7 });
    expect(src?.children.map(({ name, value }) => [name, value])).toEqual([
      ['token.ts', 4],
      ['login.ts', 3],
    ]);
  });

  it('shows what was waited for the folder itself beside what is in it', () => {
    const [src] = treeOf([spot('path:src', 5), spot('path:src/a.ts', 2)]);
    expect(src).toMatchObject({ name: 'src', value: 7 });
    expect(src?.children.map(({ name, value }) => [name, value])).toEqual([
      ['itself', 5],
      ['a.ts', 2],
    ]);
  });

  it('names repositories only when there is more than one, and branches apart from paths', () => {
    expect(treeOf([spot('branch:main', 1)])[0]?.name).toBe('branches/main');
    const two = treeOf([spot('path:a', 1, 'x/one'), spot('path:a', 2, 'x/two')]);
    expect(two.map(({ name }) => name)).toEqual(['x/two/a', 'x/one/a']);
  });

  it('leaves out what is nothing', () => {
    expect(treeOf([spot('path:a', 0)])).toEqual([]);
  });
});

describe('a limit that is typed', () => {
  it('is refused with the reason where the dashboard would refuse it', () => {
    expect(limitProblem('max_parallel_runners', '8')).toBeUndefined();
    expect(limitProblem('owner:me', '0')).toBeUndefined();
    expect(limitProblem('owner:me', '-1')).toContain('whole number');
    expect(limitProblem('owner:me', '1.5')).toContain('whole number');
    expect(limitProblem('weight:me', '0.5')).toBeUndefined();
    expect(limitProblem('weight:me', '0')).toContain('above 0');
  });
});
