import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import type { Remote } from '../../support/system/remote.ts';
import { until } from '../../support/system/until.ts';
import { systemTest, type World } from '../../support/system/world.ts';

const options = { leaseTtl: '2000ms' };

/** The way to a remote, by a stand-in for ssh that leads to a folder of this machine, or does not. */
class Road {
  readonly env: Readonly<Record<string, string>>;
  readonly #dir: string;

  constructor(world: World) {
    this.#dir = join(world.dir, 'road');
    mkdirSync(this.#dir);
    const program = join(this.#dir, 'ssh');
    writeFileSync(
      program,
      `#!/bin/sh
cd '${this.#dir}'
for command; do :; done
echo "$$ $command" >> calls
case "$command" in *receive-pack*) kind=push ;; *) kind=fetch ;; esac
if [ -e "hangs-$kind" ]; then echo $$ >> hung; exec sleep 600; fi
if [ -e "refuses-$kind" ]; then echo 'ssh: connect to host git.example.com port 22: Connection refused' >&2; exit 255; fi
if [ -e slow ]; then sleep 0.5; fi
cd / && exec sh -c "$command"
`,
    );
    chmodSync(program, 0o755);
    this.env = { GIT_SSH: program };
  }

  /** The address of a remote on this road. */
  to(remote: Remote): string {
    return `ssh://git@git.example.com${remote.dir}`;
  }

  /** From now on it is so: `hangs-fetch`, `refuses-push`, `slow`. */
  set(how: string): void {
    writeFileSync(join(this.#dir, how), '');
  }

  clear(how: string): void {
    rmSync(join(this.#dir, how));
  }

  /** The processes that came and were left hanging. */
  get hung(): string[] {
    const file = join(this.#dir, 'hung');
    return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
  }
}

describe('the remote', () => {
  systemTest(
    'that hangs: a run ends with its time, nothing of the fetch is left, and the next one gets through',
    async (world) => {
      const remote = world.remote();
      const road = new Road(world);
      const repo = road.to(remote);
      const [worker] = await world.startWorkers(1, { env: road.env });
      for (const mirror of ['is made', 'is there']) {
        road.set('hangs-fetch');
        const before = road.hung.length;
        const hangs = await world.submit({ repo, timeout: '4s', attempts: 1, implement: ['true'] });
        expect(await world.ended(hangs), mirror).toMatchObject({ state: 'failed', code: 'timeout', attempts: 1 });
        expect(road.hung.length, mirror).toBeGreaterThan(before);
        await until('what hung has ended', () => road.hung.every((pid) => !existsSync(`/proc/${pid}`)));
        road.clear('hangs-fetch');
        const next = await world.submit({ repo, implement: ['date +%s%N > next.txt'] });
        expect(await world.ended(next), mirror).toMatchObject({ state: 'succeeded', workerId: worker?.id });
      }
    },
    options,
  );

  systemTest(
    'that cannot be reached: the run is charged and comes back, also when it is slow then; the last time says why',
    async (world) => {
      const remote = world.remote();
      const road = new Road(world);
      await world.startWorkers(1, { env: road.env });
      road.set('refuses-fetch');
      const task = { repo: road.to(remote), implement: ['echo work > work.txt'] };
      const [once = '', twice = ''] = await world.submitAll([
        { ...task, branch: 'task/once', attempts: 1 },
        { ...task, branch: 'task/twice', attempts: 10, claims: { undeclared: 'warn' } },
      ]);
      const error = expect.stringContaining('Connection refused');
      expect(await world.ended(once)).toMatchObject({ state: 'failed', code: 'workspace_failed', error });
      expect(await world.reached(twice, 'scheduled')).toMatchObject({ error });
      road.clear('refuses-fetch');
      road.set('slow');
      const ended = await world.ended(twice);
      expect(ended).toMatchObject({ state: 'succeeded', crashes: 0 });
      expect(ended.attempts).toBeGreaterThan(1);
      expect(remote.show('task/twice', 'work.txt')).toBe('work\n');
    },
    options,
  );

  systemTest(
    'that is lost before the push: the work is kept as a patch, and published by a later run',
    async (world) => {
      const remote = world.remote();
      const road = new Road(world);
      await world.startWorkers(1, { env: road.env });
      const branch = 'task/later';
      const id = await world.submit({
        repo: road.to(remote),
        branch,
        attempts: 10,
        implement: [`${world.stamps.workUntil(world.gate('go'))}; echo work > work.txt`],
      });
      await world.working(id);
      for (const kind of ['push', 'fetch']) road.set(`refuses-${kind}`);
      world.openGate('go');
      const failed = await world.reached(id, 'scheduled');
      expect(failed).toMatchObject({ error: expect.stringContaining('Connection refused') });
      const patch = failed.artifacts.find(({ kind }) => kind === 'patch');
      expect(readFileSync(join(world.dataDir, patch?.path ?? ''), 'utf8')).toContain('+work');
      for (const kind of ['push', 'fetch']) road.clear(`refuses-${kind}`);
      expect(await world.ended(id)).toMatchObject({ state: 'succeeded', commit: remote.tip(branch) });
    },
    options,
  );

  systemTest(
    'that refuses the result: the task fails in its words, once, and the work is kept as a patch',
    async (world) => {
      const remote = world.remote();
      const hook = join(remote.dir, 'hooks', 'pre-receive');
      const others = 'case "$(cat)" in *refs/heads/*) ;; *) exit 0 ;; esac';
      writeFileSync(hook, `#!/bin/sh\n${others}\necho 'no work on Sundays' >&2\nexit 1\n`);
      chmodSync(hook, 0o755);
      await world.startWorkers(1);
      const branch = 'task/refused';
      const id = await world.submit({ branch, attempts: 3, implement: ['echo work > work.txt'] });
      const task = await world.ended(id);
      expect(task).toMatchObject({ state: 'failed', code: 'publish_rejected', attempts: 1, commit: null });
      expect(task.error).toContain('no work on Sundays');
      const patch = task.artifacts.find(({ kind }) => kind === 'patch');
      expect(readFileSync(join(world.dataDir, patch?.path ?? ''), 'utf8')).toContain('+work');
      expect((await world.client.explain(id)).next).toContain('patch');
      expect(remote.tip(branch)).toBeUndefined();
    },
    options,
  );
});
