/** The tasks of a soak: everything that a task may ask for and that can end by itself, drawn at random. */

import type { TaskState } from '../../../../src/index.ts';
import type { Random } from '../random.ts';
import type { Stamps } from '../stamps.ts';
import type { TestTask } from '../world-core.ts';

const FOLDERS = ['a', 'b', 'src/c', 'src/d', 'src'];
const OWNERS = ['ann', 'bob', 'eve'];
const PRIORITIES = ['urgent', 'high', 'normal', 'normal', 'normal', 'low'] as const;
const POLICIES = ['wait', 'wait', 'wait', 'wait', 'wait', 'fail', 'skip', 'preempt', 'supersede'] as const;
const BRANCHES = 4;
/** Deaths of a worker are counted against all that it runs; no task of a soak is to blame. */
const ATTEMPTS = 100;

/** A task, and the states that it may end in when nobody cancels it. */
export interface SoakTask {
  readonly task: TestTask;
  readonly ends: readonly TaskState[];
}

/** Draws one. `n` tells it from all others of its world. */
export function drawTask(random: Random, stamps: Stamps, n: number): SoakTask {
  const chance = (percent: number): boolean => random.below(100) < percent;
  const one = <T>(list: readonly T[]): T => list[random.below(list.length)] as T;
  const folders = random.some(FOLDERS, 1 + random.below(2));
  const onConflict = one(POLICIES);
  const fails = chance(5);
  const grows = chance(15);
  const branch = chance(60) || onConflict === 'supersede' ? `task/${random.below(BRANCHES)}` : `own/${n}`;
  const edit = [
    stamps.workFor(30 + random.below(400)),
    `mkdir -p ${folders.join(' ')}`,
    ...folders.map((folder) => `echo "$SIGNALBOX_RUN" > ${folder}/${n}.txt`),
    ...(grows ? [`mkdir -p more && echo "$SIGNALBOX_RUN" > more/${n}.txt`] : []),
  ].join(' && ');
  const ends: TaskState[] = [fails ? 'failed' : 'succeeded'];
  if (onConflict === 'fail') ends.push('failed');
  if (onConflict === 'skip') ends.push('skipped');
  return {
    task: {
      branch,
      owner: one(OWNERS),
      priority: one(PRIORITIES),
      onConflict,
      preemptible: one(['steps', 'anytime', 'never'] as const),
      // Landing from a branch that others have published to replays their commits under new names.
      publish: branch.startsWith('own/') && chance(50) ? 'land' : 'push',
      attempts: fails ? 1 : ATTEMPTS,
      claims: {
        write: folders.map((folder) => `${folder}/**`),
        ...(chance(20) ? { read: ['README.md'] } : {}),
        undeclared: 'claim',
      },
      implement: [{ name: 'edit', run: fails ? `${edit} && exit 1` : edit }],
      test: ['true'],
    },
    ends,
  };
}
