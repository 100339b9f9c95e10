/** Changes of state over server-sent events, and clients that do not read them. */

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { until } from '../../support/system/until.ts';
import { DashboardWorld } from './support.ts';

/** A client on a bare socket, which reads only when it is told to. */
class RawClient implements Disposable {
  readonly socket: Socket;
  text = '';
  closed = false;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (data: Buffer) => {
      this.text += data.toString();
    });
    socket.on('close', () => {
      this.closed = true;
    });
    socket.on('error', () => {});
  }

  static async open(world: DashboardWorld, path: string): Promise<RawClient> {
    const socket = connect(world.dashboard.port, '127.0.0.1');
    await once(socket, 'connect');
    const client = new RawClient(socket);
    socket.write(`GET /api/v1${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    return client;
  }

  /** The data of all events of this name so far. */
  events(name: string): unknown[] {
    const found = [...this.text.matchAll(/event: (\S+)\ndata: (.*)\n\n/g)];
    return found.filter(([, event]) => event === name).map(([, , data = '']) => JSON.parse(data) as unknown);
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}

test('every change is told to all who listen, and a comment when there is nothing to tell', async () => {
  await using world = await DashboardWorld.open({ limits: { heartbeatMs: 50 } });
  using one = await RawClient.open(world, '/events');
  using other = await RawClient.open(world, '/events');
  await until('both listen', () => one.text.includes('retry:') && other.text.includes('retry:'));
  const id = await world.submit();
  await world.box.cancel(id);
  for (const client of [one, other]) {
    await until('both changes were told', () => client.events('state').length >= 2);
    expect(client.events('state')).toMatchObject([
      { id, state: 'queued', code: null },
      { id, state: 'cancelled', code: 'cancelled' },
    ]);
    await until('there was a comment', () => client.text.includes('\n:\n\n'));
  }
});

test('a client that stops reading is dropped, and harms nobody', async () => {
  await using world = await DashboardWorld.open();
  using stuck = await RawClient.open(world, '/events');
  await until('it listens', () => stuck.text.includes('retry:'));
  stuck.socket.pause();
  using reads = await RawClient.open(world, '/events');
  await until('the other listens', () => reads.text.includes('retry:'));
  // The system itself keeps some megabytes for a socket that is not read.
  const message = JSON.stringify({ id: 'x'.repeat(16_000), state: 'queued', at: Date.now() });
  const channel = world.box.queue.keys.channel('events');
  const rounds = 150;
  for (let round = 1; round <= rounds; round += 1) {
    const pipeline = world.box.queue.redis.pipeline();
    for (let i = 0; i < 8; i += 1) pipeline.publish(channel, message);
    await pipeline.exec();
    await until('the other has read them', () => reads.text.length >= round * 8 * 16_000);
  }
  expect((await world.ask('/status')).status).toBe(200);
  expect(reads.closed).toBe(false);
  stuck.socket.resume();
  await until('the client that did not read is disconnected', () => stuck.closed);
  expect(stuck.text.length).toBeLessThan(reads.text.length);
}, 120_000);

test('more than are borne are told to go elsewhere', async () => {
  await using world = await DashboardWorld.open({ limits: { streams: 1 } });
  using first = await RawClient.open(world, '/events');
  await until('it listens', () => first.text.includes('retry:'));
  const got = await world.ask('/events');
  expect([got.status, got.json]).toMatchObject([503, { code: 'TOO_MANY_LISTENERS' }]);
  first.socket.destroy();
  await until('there is room again', async () => {
    using next = await RawClient.open(world, '/events');
    await until('it is answered', () => next.text.includes('\r\n\r\n'));
    return next.text.startsWith('HTTP/1.1 200');
  });
});

test('a dashboard stops although somebody listens', async () => {
  const world = await DashboardWorld.open();
  using client = await RawClient.open(world, '/events');
  await until('it listens', () => client.text.includes('retry:'));
  await world[Symbol.asyncDispose]();
  await until('it is disconnected', () => client.closed);
});
