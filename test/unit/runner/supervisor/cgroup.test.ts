import { describe, expect, it } from 'vitest';
import { limitFiles } from '../../../../src/runner/supervisor/cgroup.ts';
import { cgroupHomes } from '../../../../src/runner/supervisor/cgroup-homes.ts';
import { inForce } from '../../../../src/runner/supervisor/isolation.ts';
import { sizeText } from '../../../../src/runner/supervisor/limit-watch.ts';

const V1_MOUNTS = `31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime shared:15 - cgroup cgroup rw,memory
39 31 0:36 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw`;

describe('the groups that groups for steps are made in', () => {
  it('are with v1 the worker’s own ones of memory and of processes, also beside an empty v2', () => {
    const own = '8:pids:/\n4:memory:/system.slice/x.service\n1:cpu,cpuacct:/\n0::/system.slice/x.service\n';
    expect(cgroupHomes(V1_MOUNTS, own)).toEqual([
      { version: 1, dir: '/sys/fs/cgroup/pids', controllers: ['pids'] },
      { version: 1, dir: '/sys/fs/cgroup/memory/system.slice/x.service', controllers: ['memory'] },
    ]);
  });

  it('are with v2 its own one, whose controllers only its files tell', () => {
    const mounts = '29 22 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate';
    const dir = '/sys/fs/cgroup/user.slice/run-1.scope';
    expect(cgroupHomes(mounts, '0::/user.slice/run-1.scope\n')).toEqual([{ version: 2, dir, controllers: [] }]);
    expect(cgroupHomes(mounts, '0::/\n')).toEqual([{ version: 2, dir: '/sys/fs/cgroup', controllers: [] }]);
  });

  it('are found in a container that sees its own group as the mount’s root, and where names hold blanks', () => {
    const mounts = '1 1 0:1 /docker/ab /sys/fs/c\\040group ro - cgroup cgroup rw,memory';
    expect(cgroupHomes(mounts, '4:memory:/docker/ab\n')).toMatchObject([{ dir: '/sys/fs/c group' }]);
    expect(cgroupHomes(mounts, '4:memory:/docker/ab/inner\n')).toMatchObject([{ dir: '/sys/fs/c group/inner' }]);
    expect(cgroupHomes(mounts, '4:memory:/docker/abc\n')).toEqual([]);
  });

  it('are none where there are no mounts or no groups', () => {
    expect(cgroupHomes('', '')).toEqual([]);
    expect(cgroupHomes('', '0::/\n')).toEqual([]);
    expect(cgroupHomes(V1_MOUNTS, '1:cpu,cpuacct:/\n')).toEqual([]);
  });
});

it('limits are written to the files of their version, swap after memory', () => {
  const limits = { memoryBytes: 1_000, processes: 7 };
  expect(limitFiles(1, limits)).toEqual([
    ['memory.limit_in_bytes', '1000'],
    ['memory.memsw.limit_in_bytes', '1000'],
    ['pids.max', '7'],
  ]);
  expect(limitFiles(2, limits)).toEqual([
    ['memory.max', '1000'],
    ['memory.swap.max', '0'],
    ['memory.oom.group', '1'],
    ['pids.max', '7'],
  ]);
  expect(limitFiles(1, {})).toEqual([]);
});

it('the isolation in force is said in a few words', () => {
  const detail = '';
  expect(inForce({ level: 'group', detail, cgroup: null })).toBe('group, no cgroup');
  const controllers = ['memory', 'pids'] as const;
  expect(inForce({ level: 'pidns', detail, cgroup: { version: 1, controllers } })).toBe(
    'pidns, cgroup v1 for memory and pids',
  );
  expect(inForce({ level: 'pidns', detail, cgroup: { version: 2, controllers: [] } })).toBe(
    'pidns, cgroup v2 without limits',
  );
});

it('sizes are said as they are configured', () => {
  expect([1024, 512 * 2 ** 20, 3 * 2 ** 30, 1536 * 2 ** 20, 5_000_000].map(sizeText)).toEqual([
    ...['1KiB', '512MiB', '3GiB', '1536MiB', '5000000 bytes'],
  ]);
});
