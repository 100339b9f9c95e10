/** What happens before the pictures are taken. */

import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Status } from '../../src/client/views.ts';
import type { Fleet } from './fleet.ts';
import { makeShop } from './shop.ts';
import { shopTasks } from './tasks.ts';

/** The tasks that have pictures of their own, by id. */
export interface Scene {
  readonly succeeded: string;
  readonly failed: string;
  readonly running: string;
  readonly blocked: string;
}

const LOOK_MS = 250;
const TIMEOUT_MS = 180_000;

/** Lets the fleet work until some tasks have ended, some run and some wait. */
export async function playScene(fleet: Fleet): Promise<Scene> {
  const repo = join(fleet.dir, 'acme', 'shop.git');
  await makeShop(repo);
  const tasks = shopTasks(repo);
  await fleet.ask('PUT', '/limits', { max_parallel_runners: 5, 'owner:renovator': 1 });
  const before = await submit(fleet, tasks.before);
  await until(fleet, ({ finished }) => finished === tasks.before.length);
  const running = await submit(fleet, tasks.running);
  await until(fleet, (status) => status.running === tasks.running.length);
  // One by one: each is refused what it claims while a runner is free, and so stands in line.
  const waiting: string[] = [];
  for (const task of tasks.waiting) {
    waiting.push(...(await submit(fleet, [task])));
    await until(fleet, ({ blocked }) => blocked === waiting.length);
  }
  await submit(fleet, tasks.later);
  await until(fleet, ({ running: count }) => count === tasks.running.length + 1);
  // Long enough for logs and bars to have grown.
  await delay(8_000);
  return {
    succeeded: at(before, tasks.before, 'Rate-limit the login'),
    failed: at(before, tasks.before, 'Retry payments that timed out'),
    running: at(running, tasks.running, 'Migrate sessions to Redis'),
    blocked: at(waiting, tasks.waiting, 'Two-factor login'),
  };
}

async function submit(fleet: Fleet, tasks: readonly object[]): Promise<string[]> {
  const { tasks: accepted } = await fleet.ask<{ tasks: { id: string }[] }>('POST', '/tasks', tasks);
  return accepted.map(({ id }) => id);
}

function at(ids: readonly string[], tasks: readonly { readonly title: string }[], title: string): string {
  return ids[tasks.findIndex((task) => task.title === title)] ?? '';
}

async function until(fleet: Fleet, isSo: (status: Status) => boolean): Promise<void> {
  const end = Date.now() + TIMEOUT_MS;
  for (;;) {
    const status = await fleet.ask<Status>('GET', '/status');
    if (isSo(status)) return;
    if (Date.now() > end) throw new Error(`the fleet did not come so far: ${JSON.stringify(status)}`);
    await delay(LOOK_MS);
  }
}
