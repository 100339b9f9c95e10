/** Which events are counted as what. What Redis' scripts count themselves (`count.lua`) is not counted here. */

import type { Events, EventType } from '../events.ts';
import type { CounterName } from './definitions.ts';
import type { Tally } from './tally.ts';

/** The events of which only the number counts. */
const COUNTED: Readonly<Partial<Record<EventType, CounterName>>> = {
  'task.started': 'signalbox_runs_started_total',
  'claim.grown': 'signalbox_growths_total',
  'claim.growing': 'signalbox_growth_waits_total',
  'claim.reaped': 'signalbox_claims_reaped_total',
  'claim.unconfirmed': 'signalbox_claims_unconfirmed_total',
  'lease.lost': 'signalbox_leases_lost_total',
  'lease.renewal_failed': 'signalbox_lease_renewals_failed_total',
  'fence.refused': 'signalbox_fence_refusals_total',
  'fence.unavailable': 'signalbox_fence_unavailable_total',
  'publish.published': 'signalbox_publications_total',
  'publish.rejected': 'signalbox_publish_rejections_total',
  'publish.doubtful': 'signalbox_publish_doubtful_total',
  'wait.dead_man_fired': 'signalbox_dead_man_firings_total',
  'grant.promoted_leftover': 'signalbox_leftover_grants_total',
  'redis.disconnected': 'signalbox_redis_disconnects_total',
  'queue.error': 'signalbox_queue_errors_total',
  'worker.started': 'signalbox_worker_starts_total',
  'worker.supervisor_replaced': 'signalbox_supervisor_replacements_total',
  'worker.fork_server_replaced': 'signalbox_fork_server_replacements_total',
  'job.set_aside': 'signalbox_jobs_set_aside_total',
};

/** Counts events from now on. */
export function countEvents(events: Events, tally: Tally): void {
  for (const [type, name] of Object.entries(COUNTED)) events.on(type as EventType, () => tally.count(name));
  events.on('task.retrying', ({ code }) => tally.count('signalbox_retries_total', [code]));
  events.on('task.requeued', ({ why }) => tally.count('signalbox_requeues_total', [why]));
  for (const type of ['task.blocked', 'claim.conflict', 'claim.proceeded'] as const)
    events.on(type, ({ policy, resource }) => tally.count('signalbox_conflicts_total', [policy, kindOf(resource)]));
  events.on('step.finished', ({ phase, exitCode }) => {
    if (exitCode !== 0) tally.count('signalbox_step_failures_total', [phase]);
  });
  for (const outcome of ['delivered', 'failed', 'dropped'] as const)
    events.on(`webhook.${outcome}`, () => tally.count('signalbox_webhooks_total', [outcome]));
  countTimes(events, tally);
}

function countTimes(events: Events, tally: Tally): void {
  events.on('task.started', ({ owner, waitMs }) => {
    if (waitMs === null) return;
    tally.observe('signalbox_task_wait_seconds', waitMs);
    tally.observeOwner(owner, waitMs);
  });
  events.on('task.granted', ({ waitedMs }) => tally.observe('signalbox_blocked_seconds', waitedMs));
  events.on('claim.acquired', ({ handOverMs }) => {
    if (handOverMs !== null) tally.observe('signalbox_hand_over_seconds', handOverMs);
  });
  events.on('run.ended', ({ durationMs }) => tally.observe('signalbox_run_seconds', durationMs));
  events.on('phase.finished', ({ phase, ok, durationMs }) =>
    tally.observe('signalbox_phase_seconds', durationMs, [phase, String(ok)]),
  );
}

/** Of `path:src/a` only `path`: names make too many series, and are nobody's business here. */
function kindOf(resource: string): string {
  return resource.split(':', 1)[0] ?? '';
}
