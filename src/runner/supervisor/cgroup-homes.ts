/**
 * Where control groups for steps may be made: below the worker's own group, so that whatever holds the worker holds its
 * steps too. With cgroup v1 every controller has a tree of its own; with v2 there is one tree, and a group with
 * processes in it cannot give controllers to its children (the root aside), so that steps may get a group that tells
 * their processes but limits nothing.
 */

/** What a control group can limit here. */
export type Controller = 'memory' | 'pids';

/** A group that groups for steps can be made in. */
export interface CgroupHome {
  readonly version: 1 | 2;
  readonly dir: string;
  /** What groups in it can limit. For v2 only its `cgroup.subtree_control` tells: empty here. */
  readonly controllers: readonly Controller[];
}

const CONTROLLERS: readonly string[] = ['memory', 'pids'] satisfies Controller[];

interface Mount {
  readonly root: string;
  readonly point: string;
  readonly type: string;
  readonly options: readonly string[];
}

/**
 * The process's own groups by the text of its `/proc/self/mountinfo` and `/proc/self/cgroup`: those of v1 with a
 * controller that is of use, else the one of v2.
 */
export function cgroupHomes(mountinfo: string, own: string): CgroupHome[] {
  const mounts = mountinfo.split('\n').flatMap(parseMount);
  const groups = own.split('\n').flatMap((line) => {
    const [, names, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    return names === undefined || path === undefined ? [] : [{ names: names.split(','), path }];
  });
  const first = groups.flatMap(({ names, path }): CgroupHome[] => {
    const controllers = names.filter((name): name is Controller => CONTROLLERS.includes(name));
    const mount = mounts.find(
      ({ type, options }) => type === 'cgroup' && names.every((name) => options.includes(name)),
    );
    return controllers.length === 0 ? [] : homeIn(mount, path, { version: 1, controllers });
  });
  if (first.length > 0) return first;
  const unified = groups.find(({ names }) => names.join() === '')?.path;
  if (unified === undefined) return [];
  const mount = mounts.find(({ type }) => type === 'cgroup2');
  return homeIn(mount, unified, { version: 2, controllers: [] });
}

/** A container may see its own group as the root of the mount, but its full path in `/proc/self/cgroup`. */
function homeIn(mount: Mount | undefined, path: string, rest: Omit<CgroupHome, 'dir'>): CgroupHome[] {
  if (mount === undefined) return [];
  const root = mount.root === '/' ? '' : mount.root;
  if (path !== root && !path.startsWith(`${root}/`)) return [];
  return [{ ...rest, dir: `${mount.point}${path.slice(root.length)}`.replace(/\/$/, '') }];
}

/** `id parent device root mount-point options [more…] - type source options`, see proc_pid_mountinfo(5). */
function parseMount(line: string): Mount[] {
  const [before = '', after = ''] = line.split(' - ');
  const [, , , root, point] = before.split(' ');
  const [type, , options] = after.split(' ');
  if (root === undefined || point === undefined || type === undefined || options === undefined) return [];
  return [{ root: unescape(root), point: unescape(point), type, options: options.split(',') }];
}

/** Blanks and the like are written as octal numbers there. */
function unescape(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_all, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
