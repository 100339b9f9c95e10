/** A made-up fleet: tasks drawn one by one as they arrive, so that any number of them takes no room. */

import type { NodeMode } from '../../src/claims/modes.ts';
import type { Priority } from '../../src/waiting/rank.ts';
import type { Arrival } from '../../src/waiting/simulation.ts';
import { type Random, seeded, zipf } from '../bench/random.ts';

/** How durations are spread about their mean. */
export const SPREADS = ['exponential', 'lognormal', 'fixed'] as const;

/** What the fleet is like. */
export interface FleetOptions {
  readonly tasks: number;
  readonly runners: number;
  readonly owners: number;
  readonly repos: number;
  /** In each repository. */
  readonly files: number;
  /** How unevenly owners and files are chosen. */
  readonly zipf: number;
  /** The share of tasks that want their whole repository. */
  readonly whole: number;
  readonly meanMs: number;
  readonly spread: (typeof SPREADS)[number];
  /** Work that arrives in a time over what the runners could do in it; 0: all is there at the start. */
  readonly load: number;
  readonly seed: number;
}

/** An arrival, and the numbers of the things that it must have for itself. */
export interface Drawn extends Arrival {
  readonly alone: readonly number[];
}

/** How many of a hundred tasks have which priority. */
const MIX: readonly (readonly [Priority, number])[] = [
  ['urgent', 1],
  ['high', 10],
  ['normal', 80],
  ['low', 100],
];
const FOLDERS = 20;
const LOGNORMAL_SIGMA = 1;

/** The tasks of a fleet, in order of arrival. A task writes one to three files of one repository, on its own branch. */
export function* generate(options: FleetOptions): Generator<Drawn, void> {
  const random = seeded(options.seed);
  const owner = zipf(random, options.owners, options.zipf);
  const file = zipf(random, options.files, options.zipf);
  const gapMs = options.load === 0 ? 0 : options.meanMs / (options.runners * options.load);
  let atMs = 0;
  for (let id = 0; id < options.tasks; id += 1) {
    atMs += -Math.log(1 - random()) * gapMs;
    const repo = Math.floor(random() * options.repos);
    const isWhole = random() < options.whole;
    const count = 1 + Math.floor(random() * 3);
    const chosen = isWhole ? [] : [...new Set(Array.from({ length: count }, file))];
    const name = `owner-${owner()}`;
    yield {
      atMs,
      task: {
        id,
        owner: name,
        priority: priorityOf(random() * 100),
        nodes: nodesOf({ id, repo, owner: name, files: chosen }),
        durationMs: durationOf(random, options),
      },
      alone: isWhole ? [repo * (options.files + 1)] : chosen.map((at) => repo * (options.files + 1) + 1 + at),
    };
  }
}

/** The nodes that `claimSet` would make of the same claim, without its checks of names. */
function nodesOf({
  id,
  repo,
  owner,
  files,
}: {
  readonly id: number;
  readonly repo: number;
  readonly owner: string;
  readonly files: readonly number[];
}): { readonly name: string; readonly mode: NodeMode }[] {
  const root = `git.example.com/acme/app-${repo}#path:`;
  const own = [
    { name: `git.example.com/acme/app-${repo}#branch:signalbox/${id}`, mode: 'X' as const },
    { name: root, mode: files.length === 0 ? ('X' as const) : ('IX' as const) },
  ];
  const folders = [...new Set(files.map((file) => file % FOLDERS))];
  return [
    ...own,
    ...(files.length === 0 ? [] : [{ name: `${root}src`, mode: 'IX' as const }]),
    ...folders.map((folder) => ({ name: `${root}src/part-${folder}`, mode: 'IX' as const })),
    ...files.map((file) => ({ name: `${root}src/part-${file % FOLDERS}/file-${file}.ts`, mode: 'X' as const })),
    { name: `#owner:${owner}`, mode: 'slot' as const },
  ];
}

function priorityOf(drawn: number): Priority {
  return MIX.find(([, upTo]) => drawn < upTo)?.[0] ?? 'normal';
}

/** How long one runs, in ms. */
export function durationOf(random: Random, { meanMs, spread }: Pick<FleetOptions, 'meanMs' | 'spread'>): number {
  if (spread === 'fixed') return meanMs;
  if (spread === 'exponential') return -Math.log(1 - random()) * meanMs;
  // Box and Muller's normal; the factor keeps the mean.
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return meanMs * Math.exp(LOGNORMAL_SIGMA * normal - LOGNORMAL_SIGMA ** 2 / 2);
}
