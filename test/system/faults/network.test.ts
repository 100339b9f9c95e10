import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { processesOf } from '../../support/system/processes.ts';
import { PushTrap } from '../../support/system/push-trap.ts';
import { SshLine } from '../../support/system/ssh-line.ts';
import { until } from '../../support/system/until.ts';
import { systemTest } from '../../support/system/world.ts';

const options = { leaseTtl: '2000ms' };

describe('a worker that stands still just before it publishes, for longer than its lease', () => {
  systemTest(
    'is replaced; when it goes on its push is refused by the remote, and it says so',
    async (world) => {
      const remote = world.remote();
      const trap = new PushTrap(remote);
      trap.arm('pre-receive', 'hold');
      const [frozen] = await world.startWorkers(1);
      const branch = 'task/late';
      const id = await world.submit({ branch, implement: ['echo "$SIGNALBOX_RUN" > run.txt'] });
      await until('its push has come to the remote', () => trap.holds);
      expect(remote.tip(branch)).toBeUndefined();
      frozen?.freeze();
      const [other] = await world.startWorkers(1);
      const ended = await world.ended(id);
      expect(ended).toMatchObject({ state: 'succeeded', attempts: 1, workerId: other?.id });
      trap.release();
      frozen?.thaw();
      await until('the one that was stopped says that it was refused', () =>
        frozen?.has('fence.refused', { taskId: id, run: 1 }),
      );
      expect(remote.tip(branch)).toBe(ended.commit);
      expect(remote.published().map(({ run }) => run)).toEqual([String(ended.runs)]);
      expect(remote.show(branch, 'run.txt')).toBe(`${ended.runs}\n`);
    },
    options,
  );
});

describe('a worker that is cut off from Redis, but not from the remote', () => {
  systemTest(
    'stops its runs by itself, cannot publish, and works on when the way is open again',
    async (world) => {
      const { proxy, env } = await world.proxy();
      const remote = world.remote();
      const [cut] = await world.startWorkers(1, { env });
      const ids = await world.submitAll(
        ['one', 'two'].map((name) => ({
          branch: `task/${name}`,
          claims: { write: [`${name}.txt`] },
          implement: [`echo "$SIGNALBOX_RUN" > ${name}.txt; ${world.stamps.workUntil(world.gate('go'))}`],
        })),
      );
      await Promise.all(ids.map((id) => world.working(id)));
      expect(proxy.connections).toBeGreaterThan(0);
      proxy.treat({ kind: 'hole' });
      await until('nothing of the runs is alive', () => processesOf(ids).length === 0);
      const [other] = await world.startWorkers(1);
      await Promise.all(ids.map((id) => world.working(id, 2)));
      world.openGate('go');
      for (const id of ids) {
        const task = await world.ended(id);
        expect(task).toMatchObject({ state: 'succeeded', attempts: 1, workerId: other?.id });
        expect(remote.published().filter(({ taskId }) => taskId === id)).toMatchObject([{ run: String(task.runs) }]);
      }
      // What it had sent meanwhile arrives now, late.
      proxy.treat({ kind: 'pass' });
      await until('it tells what it has lost', () => ids.every((taskId) => cut?.has('lease.lost', { taskId })));
      await other?.stop();
      const after = await world.submit({ implement: ['echo after > after.txt'] });
      expect(await world.ended(after)).toMatchObject({ state: 'succeeded', workerId: cut?.id });
    },
    options,
  );

  systemTest(
    'in the middle of a push: once another run has begun, what it pushed is refused',
    async (world) => {
      const { proxy, env } = await world.proxy();
      const remote = world.remote();
      const trap = new PushTrap(remote);
      trap.arm('pre-receive', 'hold');
      const [cut] = await world.startWorkers(1, { env });
      const branch = 'task/cut';
      const id = await world.submit({ branch, implement: ['echo "$SIGNALBOX_RUN" > run.txt'] });
      await until('its push has come to the remote', () => trap.holds);
      proxy.treat({ kind: 'hole' });
      await world.startWorkers(1);
      const ended = await world.ended(id);
      expect(ended).toMatchObject({ state: 'succeeded', attempts: 1 });
      trap.release();
      proxy.treat({ kind: 'pass' });
      await until('it has given its run up', () => cut?.has('claim.released', { taskId: id }));
      expect(remote.tip(branch)).toBe(ended.commit);
      expect(remote.published().map(({ run }) => run)).toEqual([String(ended.runs)]);
    },
    options,
  );

  systemTest(
    'by answers that are lost, connections that are cut, and a slow way: every task ends as it should',
    async (world) => {
      const { proxy, env } = await world.proxy();
      world.remote();
      const [worker] = await world.startWorkers(1, { env });
      for (const fault of ['mute', 'reset', 'delay', 'refuse'] as const) {
        const gate = `go-${fault}`;
        const id = await world.submit({
          branch: `task/${fault}`,
          implement: [world.stamps.workUntil(world.gate(gate))],
        });
        await world.working(id);
        if (fault === 'reset') {
          const before = worker?.events('redis.disconnected').length ?? 0;
          proxy.reset();
          await until('it has noticed', () => (worker?.events('redis.disconnected').length ?? 0) > before);
        } else if (fault === 'delay') {
          proxy.treat({ kind: 'delay', ms: 300 });
        } else {
          proxy.treat({ kind: fault });
          await until('its run has stopped by itself', () => processesOf([id]).length === 0);
        }
        world.openGate(gate);
        if (fault !== 'delay') proxy.treat({ kind: 'pass' });
        expect(await world.ended(id), fault).toMatchObject({ state: 'succeeded', attempts: 1 });
        proxy.treat({ kind: 'pass' });
      }
      expect(worker?.isAlive).toBe(true);
    },
    options,
  );
});

describe('a worker that is cut off from the remote, but not from Redis', () => {
  systemTest(
    'keeps its claim and fails by its own timeout while the remote hangs; the task succeeds when it answers again',
    async (world) => {
      const remote = world.remote();
      const line = new SshLine(join(world.dir, 'ssh'));
      const [worker] = await world.startWorkers(1, { env: line.env });
      const branch = 'task/hang';
      const repo = SshLine.address(remote);
      const id = await world.submit({
        repo,
        branch,
        timeout: '20s',
        implement: [`echo "$SIGNALBOX_RUN" > run.txt; ${world.stamps.workUntil(world.gate('go'))}`],
      });
      await world.working(id);
      line.treat('hang');
      world.openGate('go');
      await until('its push hangs', () => line.met.includes('hang git-receive-pack'));
      await until('its timeout has ended the push', () => worker?.has('publish.doubtful', { taskId: id }));
      expect(worker?.events('lease.lost')).toEqual([]);
      line.treat('pass');
      await until('its run has ended by its timeout', () =>
        worker?.has('task.retrying', { taskId: id, code: 'timeout' }),
      );
      const task = await world.ended(id);
      expect(task).toMatchObject({ state: 'succeeded', attempts: 2, crashes: 0 });
      expect(remote.published()).toMatchObject([{ oid: task.commit }]);
    },
    options,
  );

  systemTest(
    'that refuses: the attempt is charged, nothing is published, and another worker that can reach it does the task',
    async (world) => {
      const remote = world.remote();
      const line = new SshLine(join(world.dir, 'ssh'));
      const other = new SshLine(join(world.dir, 'ssh-other'));
      const [worker] = await world.startWorkers(1, { env: line.env });
      line.treat('refuse');
      const branch = 'task/refused';
      const repo = SshLine.address(remote);
      const id = await world.submit({ repo, branch, implement: ['echo "$SIGNALBOX_RUN" > run.txt'] });
      await until('the run has failed', () => worker?.has('task.retrying', { taskId: id, code: 'workspace_failed' }));
      expect(line.met).toContain('refuse git-upload-pack');
      // First, so that it cannot try again itself.
      await worker?.stop();
      await world.startWorkers(1, { env: other.env });
      expect(await world.ended(id)).toMatchObject({ state: 'succeeded', attempts: 2, crashes: 0 });
      expect(remote.published()).toHaveLength(1);
    },
    options,
  );
});

describe('a remote that dies in the middle of a push', () => {
  systemTest(
    'with the refs moved or not: the doubt is said and decided, and each task is published once by one run',
    async (world) => {
      const remote = world.remote();
      const trap = new PushTrap(remote);
      await world.startWorkers(1);
      for (const place of ['post-receive', 'pre-receive'] as const) {
        for (const publish of ['push', 'land'] as const) {
          const before = trap.sprung;
          trap.arm(place, 'hang_up');
          const branch = `task/${place}-${publish}`;
          const id = await world.submit({
            branch,
            publish,
            implement: [`echo "$SIGNALBOX_RUN" > ${publish}.${place}`],
          });
          const task = await world.ended(id);
          expect(trap.sprung).toBe(before + 1);
          expect(task).toMatchObject({ state: 'succeeded', runs: 1, attempts: 1 });
          expect(world.events('publish.doubtful').at(-1)).toMatchObject({ taskId: id, run: 1 });
          expect(remote.published().filter(({ taskId }) => taskId === id)).toMatchObject([
            { oid: task.commit, run: '1' },
          ]);
        }
      }
    },
    options,
  );
});
