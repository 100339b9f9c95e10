/**
 * Every Redis key of Signalbox, in one place. A queue's keys share one hash tag, so that all of them live on one node
 * of a Redis Cluster and a script may touch any of them.
 *
 * | key                | type   | owner   | TTL      | holds |
 * | ------------------ | ------ | ------- | -------- | ----- |
 * | `held`             | hash   | claims  | none     | `<node>` → eight numbers: how many hold it in which mode, keep it, or hold it for a merge, see `counts.lua` |
 * | `holding`          | zset   | claims  | none     | `<node>\0<holder>\0<mode>`: who holds what |
 * | `node:<node>`      | hash   | claims  | none     | per holder of a named resource its slot (`s:<holder>`), per keep its mode and rank (`k:<ticket>`); its name is what redlock locks |
 * | `record:<holder>`  | hash   | claims  | none     | what a holder holds: value, kind, task, worker, since, nodes |
 * | `lease:<holder>`   | string | claims  | leaseTtl | the heartbeat of a holder |
 * | `holders`          | zset   | claims  | none     | holders with a lease, by the time they acquired it |
 * | `overdue`          | string | claims  | reapEvery / 2 | which leases a look has found overdue a moment ago, in a queue with many holders |
 * | `merged`           | zset   | claims  | none     | holders that keep paths until their branch is merged, by since when |
 * | `growing`          | zset   | claims  | none     | holders whose growth waits, in the order in which they asked |
 * | `lock:<node>`      | hash   | claims  | leaseTtl | on lock servers: per holder its mode |
 * | `lock-lease:<holder>` | string | claims | leaseTtl | on lock servers: the holder's entries count |
 * | `lock-start`       | string | claims  | none     | on lock servers: the run id of the server when it was last asked |
 * | `lock-recovering`  | string | claims  | leaseTtl | on lock servers: it was started or emptied a moment ago and does not vote |
 * | `ticket:<ticket>`  | hash   | waiting | none     | a blocked claim: its rank, since, obstacle, state |
 * | `wanted:<ticket>`  | string | waiting | none     | its nodes, see `claims/node-list.ts` |
 * | `line:<node>`      | zset   | waiting | none     | tickets filed under this node, by rank |
 * | `tickets`          | zset   | waiting | none     | all tickets, by rank |
 * | `granted`          | zset   | waiting | none     | tickets with a reservation, by the time of the grant |
 * | `waiter:<ticket>`  | string | waiting | leaseTtl | heartbeat of a waiter that has no job in the queue (`hold`) |
 * | `limits`           | hash   | waiting | none     | `owner:`, `spec:`, `resource:<name>` → how many; `weight:<owner>` → share |
 * | `waiting:<class>`  | zset   | waiting | none     | waiting tasks of a priority class, by start in virtual time |
 * | `fair`             | hash   | waiting | none     | virtual time by class (`v:`), per owner how many wait (`n:`) and where the last ends (`f:`) |
 * | `task:<id>`        | hash   | queue   | none     | the task's record but for its envelope: state, counters, results |
 * | `envelope:<id>`    | string | queue   | none     | the task as it was submitted, as JSON |
 * | `history:<id>`     | list   | queue   | none     | the task's state changes, bounded |
 * | `dependents:<id>`  | set    | queue   | none     | tasks that wait for this one |
 * | `branches`         | zset   | queue   | none     | `<node>\0<id>`: tasks that chose a branch and have not ended |
 * | `watching:<holder>` | string | runner | 3 leases | some worker has just looked whether this holder's branch is merged |
 * | `state:<state>`    | zset   | queue   | none     | task ids in this state, by sequence |
 * | `tasks`            | zset   | queue   | none     | all kept task ids, by sequence |
 * | `finished`         | zset   | queue   | none     | terminal tasks, by end time; the oldest are trimmed |
 * | `unqueued`         | zset   | queue   | none     | tasks that must get a BullMQ job, by since when |
 * | `idempotency`      | hash   | queue   | none     | idempotency key → task id and hash of the body |
 * | `meta`             | hash   | queue   | none     | incarnation, sequence, rank base, growths, caps, `paused`, `webhooks` if there are any |
 * | `worker:<id>`      | string | runner  | leaseTtl | a worker's registration |
 * | `workers`          | set    | runner  | none     | ids of workers; those without a key are dropped by readers |
 * | `file:<question>`  | hash   | runner  | 10 s     | a part of a log or an artifact that somebody on another machine asked for |
 * | `probe:<id>`       | string | server  | 10 s     | whether Redis takes a write and answers a read |
 * | `tending`          | string | runner  | 2 s      | some worker has looked for leftovers a moment ago |
 * | `metrics`          | hash   | telemetry | none   | counters and histograms, see `metrics/tally.ts`; the scripts of `queue` and `claims` count here too |
 * | `metric-owners`    | zset   | telemetry | none   | owners by how many of their tasks have started of late, bounded |
 * | `metric-series`    | set    | telemetry | none   | the owners that have a series of their own, bounded |
 * | `untold`           | zset   | queue   | none     | ended tasks of which webhooks have not been told yet, by end time; trimmed with the history |
 * | `told:<message>`   | string | queue   | 7 d      | webhooks have been told that a task is blocked |
 * | `notifying`        | string | runner  | 1 s      | some worker has looked for what webhooks are to be told a moment ago |
 *
 * Channels: `events` (state changes), `control` (cancels, preemptions, drains, questions for files), `wake` (grants for waiters without a job, and
 * holders whose growth waits when something was given back).
 * BullMQ's own keys are `<prefix>tasks:*`, and `<prefix>webhooks:*` for messages to receivers outside.
 */
export interface Keys {
  /** The prefix with its trailing colon: `{signalbox:<queue>}:`. */
  readonly prefix: string;
  /** BullMQ's `prefix` option, and the name of its queue. */
  readonly bull: { readonly prefix: string; readonly name: string };
  /** The key of a family's member, such as `key('ticket', id)`. */
  key(family: KeyFamily, member: string): string;
  /** The key of a family without members, such as `all('granted')`. */
  all(family: SingleKey): string;
  /** A pub/sub channel. */
  channel(name: 'events' | 'control' | 'wake'): string;
}

type KeyFamily =
  | 'node'
  | 'record'
  | 'lease'
  | 'lock-lease'
  | 'ticket'
  | 'wanted'
  | 'line'
  | 'waiter'
  | 'waiting'
  | 'watching'
  | 'task'
  | 'envelope'
  | 'history'
  | 'dependents'
  | 'state'
  | 'told'
  | 'worker'
  | 'file'
  | 'probe';

type SingleKey =
  | 'held'
  | 'holding'
  | 'holders'
  | 'overdue'
  | 'merged'
  | 'growing'
  | 'limits'
  | 'fair'
  | 'tickets'
  | 'granted'
  | 'tasks'
  | 'finished'
  | 'unqueued'
  | 'idempotency'
  | 'meta'
  | 'workers'
  | 'tending'
  | 'metrics'
  | 'metric-owners'
  | 'metric-series'
  | 'untold'
  | 'branches'
  | 'notifying';

/** The keys of one queue. */
export function queueKeys(queue: string): Keys {
  const tag = `{signalbox:${queue}}`;
  const prefix = `${tag}:`;
  return {
    prefix,
    bull: { prefix: tag, name: 'tasks' },
    key: (family, member) => `${prefix}${family}:${member}`,
    all: (family) => `${prefix}${family}`,
    channel: (name) => `${prefix}${name}`,
  };
}
