/**
 * The ideal to measure against: a list scheduler that knows everything and costs nothing. Whenever a slot is free it
 * starts the first task, in the order given, that shares nothing with a running one.
 */

import { type BenchTask, resourcesOf } from './workload.ts';

interface Running {
  readonly until: number;
  readonly resources: readonly string[];
}

/** How long the tasks take from the first start to the last end, in ms. They are given by priority, then age. */
export function idealMakespan(tasks: readonly BenchTask[], slots: number): number {
  let waiting = tasks.map((task) => ({ ms: task.ms, resources: resourcesOf(task) }));
  let running: Running[] = [];
  const taken = new Set<string>();
  let now = 0;
  for (;;) {
    waiting = waiting.filter(({ ms, resources }) => {
      if (running.length === slots || resources.some((resource) => taken.has(resource))) return true;
      for (const resource of resources) taken.add(resource);
      running.push({ until: now + ms, resources });
      return false;
    });
    if (running.length === 0) return now;
    now = Math.min(...running.map(({ until }) => until));
    for (const { resources } of running.filter(({ until }) => until === now)) {
      for (const resource of resources) taken.delete(resource);
    }
    running = running.filter(({ until }) => until > now);
  }
}
