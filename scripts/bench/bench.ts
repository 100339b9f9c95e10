/** What a question is given to answer itself with. */

import type { Redis } from 'ioredis';
import type { Sandbox } from '../sandbox/sandbox.ts';
import { Fleet } from './fleet.ts';
import type { SystemName } from './systems/all.ts';
import { contended, disjoint } from './workload.ts';

/** What the bench was told, and where it runs. */
export interface BenchParts {
  readonly sandbox: Sandbox;
  /** A connection to the sandbox's Redis. */
  readonly redis: Redis;
  readonly seed: number;
  /** How often each measurement is repeated; undefined: as often as the question has time for. */
  readonly runs: number | undefined;
  /** Everything once, and little of it: to see that the bench works. */
  readonly quick: boolean;
  /** Where profiles go. */
  readonly profileDir: string | undefined;
  readonly say: (line: string) => void;
  /** Ends waits. */
  readonly signal: AbortSignal;
}

/** The place and the means of one question. */
export class Bench {
  readonly parts: BenchParts;
  readonly #question: string;

  constructor(question: string, parts: BenchParts) {
    this.#question = question;
    this.parts = parts;
  }

  get seed(): number {
    return this.parts.seed;
  }

  /** How often to repeat what is repeated so often by default. */
  repeats(byDefault: number): number {
    return this.parts.runs ?? (this.parts.quick ? 1 : byDefault);
  }

  /** As much as that, or less when it must be quick. */
  amount(normal: number, quick: number): number {
    return this.parts.quick ? quick : normal;
  }

  /** Tells how it goes. */
  say(line: string): void {
    this.parts.say(`${this.#question}: ${line}`);
  }

  /** New worker processes, which have been running each of these systems for a while. */
  async fleet(
    systems: readonly SystemName[],
    { workers, postgresUrl }: { readonly workers?: number; readonly postgresUrl?: string | undefined } = {},
  ): Promise<Fleet> {
    const { sandbox, redis, profileDir, signal } = this.parts;
    const fleet = new Fleet({
      sandbox,
      redis,
      ...(workers === undefined ? {} : { workers }),
      profile: profileDir === undefined ? undefined : { dir: profileDir, name: this.#question },
      signal,
      postgresUrl,
    });
    try {
      for (const system of systems) await warmUp(fleet, system, this.amount(1, 0.1));
    } catch (error) {
      await fleet[Symbol.asyncDispose]();
      throw error;
    }
    return fleet;
  }
}

/** How many tasks each process runs before anything is measured: with fewer its code is not compiled yet. */
const WARM_UP = { tasks: 2_000, perProcess: 400 };

/** A fleet has been running for a while: its code is compiled and Redis knows the scripts. */
async function warmUp(fleet: Fleet, system: SystemName, share: number): Promise<void> {
  await fleet.run(system, disjoint(share * Math.max(WARM_UP.tasks, WARM_UP.perProcess * fleet.size)));
  await fleet.run(system, contended({ tasks: 200, branches: 100, files: 400, meanMs: 20, zipf: 0.8, seed: 0 }));
}
