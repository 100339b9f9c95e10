import { describe, expect, it } from 'vitest';
import { CliWorld } from '../../support/cli.ts';
import { Receiver } from '../../support/receiver.ts';
import { until } from '../../support/system/until.ts';

describe('signalbox worker', () => {
  it('tells the address of --notify when a task fails, and runs on while a receiver hangs', async () => {
    await using world = new CliWorld();
    await using told = await Receiver.start();
    await using hanging = await Receiver.start();
    hanging.answer = () => {};
    const remote = world.remote();
    await world.worker('--notify', told.url('/hook'), '--notify', hanging.url());
    const task = (run: string): string[] => [
      '--repo',
      remote.dir,
      '--title',
      'A task',
      '--run',
      run,
      '--attempts',
      '1',
    ];
    const failed = await world.submit(...task('exit 7'));
    await until('the receiver was told', () => told.received.length > 0);
    expect(JSON.parse(told.received[0]?.body ?? '')).toMatchObject({
      type: 'task.failed',
      queue: world.queue,
      task: { id: failed, state: 'failed', code: 'implement_failed', title: 'A task', repo: remote.dir },
    });
    await until('the other one is being told', () => hanging.received.length > 0);
    const good = await world.submit(...task('echo work > work.txt'));
    await world.reached(good, 'succeeded');
    expect(told.received).toHaveLength(1);
  });

  it('does not start without the secret that a webhook names', async () => {
    await using world = new CliWorld();
    world.file('signalbox.yaml', 'webhooks:\n  - { url: "https://chat.example.com/hooks/1", secret: HOOK_SECRET }\n');
    const ended = await world.run(['worker', '--json']);
    expect(ended.code).toBe(2);
    expect(ended.json).toMatchObject({ error: { code: 'INVALID', field: 'webhooks[0].secret' } });
  });
});
