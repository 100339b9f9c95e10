/**
 * Every metric of Signalbox: its name, type, labels and what it tells. The docs' tables, the dashboards and the alert
 * rules are held to this list.
 *
 * Counters and histograms are the queue's, not a process's: they are kept in Redis and only grow. Gauges are read when
 * they are asked for. No label holds what a task's author has written, but for owners, which are bounded.
 */

import { codesOf, FAILED_CODES, TASK_CODES, TERMINAL_STATES } from '../../task/states.ts';

/** The values of a label: a closed list, or `bounded` if only the number of them is limited. */
type LabelValues = readonly string[] | 'bounded';

interface Definition {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  /** The labels in the order in which fields in Redis hold their values. */
  readonly labels?: Readonly<Record<string, LabelValues>>;
  /** What is shown as 0 before anything was counted; default: all values of the labels, each with each. */
  readonly zeros?: readonly (readonly string[])[];
  /** The upper bounds of a histogram's buckets, without +Inf. */
  readonly buckets?: readonly number[];
}

/** Waits: from what nobody notices to what somebody complains about. */
const WAITS = [0.1, 0.5, 1, 5, 15, 60, 300, 900, 3_600, 14_400, 86_400];
/** What takes milliseconds and should go on doing so. */
const SHORT = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 30];
/** Work: from a formatter to an agent at work for hours. */
const WORK = [0.1, 0.5, 1, 5, 15, 60, 300, 900, 1_800, 3_600, 14_400];

const PHASES = ['prepare', 'implement', 'test', 'publish', 'archive'];
const POLICIES = ['wait', 'fail', 'skip', 'proceed', 'supersede', 'preempt'];
const RESOURCE_KINDS = ['branch', 'path', 'resource', 'owner', 'spec', 'paused'];
const REQUEUE_REASONS = ['lease_lost', 'drain', 'cut_off', 'supervisor_died', 'preempted', 'yielded'];

/** All metrics by name. */
export const METRICS = {
  signalbox_redis_up: { type: 'gauge', help: 'Whether Redis answers the dashboard: 1 or 0.' },
  signalbox_redis_findings: {
    type: 'gauge',
    help: 'What doctor finds wrong with Redis now: error, the promises do not hold; warn, they hold in part.',
    labels: { level: ['error', 'warn'] },
  },
  signalbox_tasks: {
    type: 'gauge',
    help: 'Tasks by state that have not ended.',
    labels: { state: ['queued', 'scheduled', 'blocked', 'running'] },
  },
  signalbox_holders: {
    type: 'gauge',
    help: 'Everything that holds claims with a lease: runs, exec, hold.',
  },
  signalbox_workers: { type: 'gauge', help: 'Workers that are registered.' },
  signalbox_worker_slots: { type: 'gauge', help: 'Runs that all workers together have room for.' },
  signalbox_worker_lease_age_seconds: {
    type: 'gauge',
    help: 'Time since the registration of the worker that is the most behind was renewed.',
  },
  signalbox_lease_ttl_seconds: { type: 'gauge', help: 'The longest TTL of the workers’ leases.' },
  signalbox_max_parallel_runners: { type: 'gauge', help: 'The cap on runs in the whole fleet; absent without one.' },
  signalbox_paused: { type: 'gauge', help: 'Whether the queue is paused: 1 or 0.' },
  signalbox_oldest_wait_seconds: {
    type: 'gauge',
    help: 'The longest that a task in this state has waited, among the 200 that were submitted first.',
    labels: { state: ['queued', 'blocked'] },
  },
  signalbox_webhooks_waiting: { type: 'gauge', help: 'Messages to receivers outside that are not delivered yet.' },

  signalbox_tasks_submitted_total: { type: 'counter', help: 'Tasks accepted.' },
  signalbox_tasks_finished_total: {
    type: 'counter',
    help: 'Tasks ended, by final state and code; the code of those that succeeded is empty.',
    labels: { state: TERMINAL_STATES, code: ['', ...TASK_CODES] },
    zeros: TERMINAL_STATES.flatMap((state) =>
      ['', ...codesOf(state)].slice(state === 'succeeded' ? 0 : 1).map((code) => [state, code]),
    ),
  },
  signalbox_runs_started_total: { type: 'counter', help: 'Runs begun.' },
  signalbox_retries_total: {
    type: 'counter',
    help: 'Failed runs whose task is run again, by the code of the failure.',
    labels: { code: FAILED_CODES },
  },
  signalbox_requeues_total: {
    type: 'counter',
    help: 'Runs given up without being charged to their task, by reason; preempted is a preemption.',
    labels: { reason: REQUEUE_REASONS },
  },
  signalbox_crashes_total: {
    type: 'counter',
    help: 'Runs whose worker died or stood still for longer than its lease.',
  },
  signalbox_step_failures_total: {
    type: 'counter',
    help: 'Steps that failed or were killed, by phase; each try counts.',
    labels: { phase: PHASES },
  },
  signalbox_conflicts_total: {
    type: 'counter',
    help: 'Claims that could not be had at once, by the policy of the task and what was taken.',
    labels: { policy: POLICIES, resource_kind: RESOURCE_KINDS },
  },
  signalbox_growths_total: { type: 'counter', help: 'Times a run took more than its task declares.' },
  signalbox_growth_waits_total: { type: 'counter', help: 'Growths that had to wait for another run.' },
  signalbox_leases_lost_total: { type: 'counter', help: 'Runs that lost their lease and stopped.' },
  signalbox_lease_renewals_failed_total: { type: 'counter', help: 'Renewals of leases that failed and were repeated.' },
  signalbox_claims_reaped_total: { type: 'counter', help: 'Recoveries: claims of dead holders that were freed.' },
  signalbox_claims_unconfirmed_total: { type: 'counter', help: 'Claims that the lock servers did not agree to.' },
  signalbox_fence_refusals_total: {
    type: 'counter',
    help: 'Superseded runs that were refused by the remote or the record.',
  },
  signalbox_fence_unavailable_total: { type: 'counter', help: 'Runs on remotes that keep no ledgers.' },
  signalbox_publications_total: { type: 'counter', help: 'Results that a remote has accepted.' },
  signalbox_publish_rejections_total: { type: 'counter', help: 'Results that a remote has refused.' },
  signalbox_publish_doubtful_total: { type: 'counter', help: 'Pushes that ended without an answer.' },
  signalbox_dead_man_firings_total: {
    type: 'counter',
    help: 'Waiting tasks that came back by their far date: a defect.',
  },
  signalbox_leftover_grants_total: { type: 'counter', help: 'Granted tasks that nobody had woken, found and woken.' },
  signalbox_redis_disconnects_total: { type: 'counter', help: 'Connections to Redis that workers lost.' },
  signalbox_queue_errors_total: { type: 'counter', help: 'Errors that BullMQ reported to workers.' },
  signalbox_supervisor_replacements_total: {
    type: 'counter',
    help: 'Supervisors of steps that died or did not answer.',
  },
  signalbox_fork_server_replacements_total: {
    type: 'counter',
    help: 'Processes that start git for a worker and died or did not answer.',
  },
  signalbox_jobs_set_aside_total: { type: 'counter', help: 'Jobs in the queue that are no valid tasks.' },
  signalbox_worker_starts_total: { type: 'counter', help: 'Workers started.' },
  signalbox_webhooks_total: {
    type: 'counter',
    help: 'Attempts to deliver messages to receivers outside; dropped: given up for good.',
    labels: { outcome: ['delivered', 'failed', 'dropped'] },
  },

  signalbox_task_wait_seconds: { type: 'histogram', help: 'From submission to the first start.', buckets: WAITS },
  signalbox_owner_wait_seconds: {
    type: 'histogram',
    help: 'The same by owner: the 20 busiest of late, all others as other.',
    labels: { owner: 'bounded' },
    buckets: WAITS,
  },
  signalbox_blocked_seconds: {
    type: 'histogram',
    help: 'From the moment a task is blocked until it has all that it must hold.',
    buckets: WAITS,
  },
  signalbox_hand_over_seconds: {
    type: 'histogram',
    help: 'From a grant, made when something was given back, until its run holds it.',
    buckets: SHORT,
  },
  signalbox_run_seconds: { type: 'histogram', help: 'From a run’s start until nothing of it is left.', buckets: WORK },
  signalbox_phase_seconds: {
    type: 'histogram',
    help: 'Durations of phases, by phase and whether they succeeded.',
    labels: { phase: PHASES, ok: ['true', 'false'] },
    buckets: WORK,
  },
} as const satisfies Record<string, Definition>;

/** A metric's name. */
export type MetricName = keyof typeof METRICS;

type NameOf<T extends Definition['type']> = {
  [N in MetricName]: (typeof METRICS)[N]['type'] extends T ? N : never;
}[MetricName];

/** The name of a counter, of a histogram, of a gauge. */
export type CounterName = NameOf<'counter'>;
export type HistogramName = NameOf<'histogram'>;
export type GaugeName = NameOf<'gauge'>;

/** What is known about a metric. */
export function definitionOf(name: MetricName): Definition {
  return METRICS[name];
}

/** The histogram by owner, whose series are bounded. */
export const OWNER_METRIC = 'signalbox_owner_wait_seconds' satisfies HistogramName;
/** How many owners have a series of their own. */
export const OWNER_SERIES = 20;
/** The label of all the others together. */
export const OTHER_OWNERS = 'other';
