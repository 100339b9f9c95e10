/**
 * Holds a step to its limits. What its control group limits the kernel refuses, and the group tells of it; everything
 * else is measured now and then: the memory and the number of its processes where there is no such group, and always the
 * disk. (Limits of single processes would not do: those on processes count all of a user's and do not bind root, and
 * those on memory count what is only reserved.) A step can exceed what is measured for as long as a measurement is away.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { diskBytes } from '../../git/workspaces.ts';
import type { Cgroup } from './cgroup.ts';
import type { Controller } from './cgroup-homes.ts';
import type { StepLimits } from './protocol.ts';

/** What there is to watch. */
export interface Watched {
  readonly limits: StepLimits;
  readonly cgroup: Cgroup | undefined;
  /** What the group limits by itself. */
  readonly bound: readonly Controller[];
  /** The step's processes. */
  readonly pids: () => readonly number[];
  /** How many of them are the wall's. */
  readonly wallProcesses: number;
}

const LOOK_MS = 100;
const MEASURE_MS = 500;
/** Measuring takes no more than this part of the time, however much there is to measure. */
const MOST_SHARE = 1 / 20;

/** Watches one step from its start to its end. */
export class LimitWatch {
  readonly #watched: Watched;
  readonly #onExceeded: (error: string) => void;
  readonly #timers = new Set<NodeJS.Timeout>();
  #stopped = false;

  /** `onExceeded` is told what was exceeded, for people; maybe more than once. */
  constructor(watched: Watched, onExceeded: (error: string) => void) {
    this.#watched = watched;
    this.#onExceeded = onExceeded;
    const { limits, cgroup, bound } = watched;
    if (cgroup !== undefined && bound.length > 0) this.#every(LOOK_MS, () => this.#lookAtGroup());
    const isMeasured =
      (limits.memoryBytes !== undefined && !bound.includes('memory')) ||
      (limits.processes !== undefined && !bound.includes('pids'));
    if (isMeasured) this.#every(MEASURE_MS, () => this.#measureProcesses());
    if (limits.diskBytes !== undefined) this.#every(MEASURE_MS, () => this.#measureDisk());
  }

  /** A last look when the step has ended: what it did in its last moments counts too. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#lookAtGroup();
    if (this.#watched.limits.diskBytes !== undefined) await this.#measureDisk();
  }

  #every(leastMs: number, measure: () => void | Promise<void>, pauseMs = leastMs): void {
    const measureAndGoOn = async (): Promise<void> => {
      this.#timers.delete(timer);
      const startMs = performance.now();
      await measure();
      const tookMs = performance.now() - startMs;
      if (!this.#stopped) this.#every(leastMs, measure, Math.max(leastMs, tookMs / MOST_SHARE));
    };
    const timer = setTimeout(() => void measureAndGoOn(), pauseMs);
    this.#timers.add(timer);
  }

  #lookAtGroup(): void {
    const exceeded = this.#watched.cgroup?.exceeded();
    if (exceeded === 'memory') this.#tooMuchMemory();
    if (exceeded === 'pids') this.#tooManyProcesses();
  }

  #measureProcesses(): void {
    const { limits, bound, pids, wallProcesses } = this.#watched;
    const { memoryBytes = Infinity, processes = Infinity } = limits;
    const used = usageOf(pids());
    if (!bound.includes('memory') && used.memoryBytes > memoryBytes) this.#tooMuchMemory();
    if (!bound.includes('pids') && used.processes - wallProcesses > processes) this.#tooManyProcesses();
  }

  async #measureDisk(): Promise<void> {
    const { diskBytes: most = Infinity, folder } = this.#watched.limits;
    if ((await diskBytes(folder)) > most)
      this.#onExceeded(`its run’s folder held more than ${sizeText(most)} (diskLimit)`);
  }

  #tooMuchMemory(): void {
    const { memoryBytes } = this.#watched.limits;
    if (memoryBytes !== undefined)
      this.#onExceeded(`it used more than ${sizeText(memoryBytes)} of memory (memoryLimit)`);
  }

  #tooManyProcesses(): void {
    const { processes } = this.#watched.limits;
    if (processes !== undefined)
      this.#onExceeded(`it had more than ${processes} processes and threads at once (processLimit)`);
  }
}

/** A size as it is written in a configuration: `512MiB`, or `1000 bytes` where no unit fits. */
export function sizeText(bytes: number): string {
  const units = [
    ['GiB', 2 ** 30],
    ['MiB', 2 ** 20],
    ['KiB', 2 ** 10],
  ] as const;
  const [unit, size] = units.find(([, one]) => bytes >= one && bytes % one === 0) ?? [' bytes', 1];
  return `${bytes / size}${unit}`;
}

interface Usage {
  readonly memoryBytes: number;
  readonly processes: number;
}

/** What these use together. Memory is what each has for itself: what they share would be counted once for each. */
function usageOf(pids: readonly number[]): Usage {
  if (process.platform !== 'linux') return { memoryBytes: residentByPs(pids), processes: pids.length };
  let memoryBytes = 0;
  let processes = 0;
  for (const pid of pids) {
    try {
      const status = readFileSync(`/proc/${pid}/status`, 'utf8');
      memoryBytes += numberIn(status, 'RssAnon') * 1024;
      processes += numberIn(status, 'Threads');
    } catch {
      // It has ended meanwhile.
    }
  }
  return { memoryBytes, processes };
}

function numberIn(status: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0);
}

function residentByPs(pids: readonly number[]): number {
  if (pids.length === 0) return 0;
  try {
    const lines = execFileSync('ps', ['-o', 'rss=', '-p', pids.join()], { encoding: 'utf8' }).trim().split('\n');
    return lines.reduce((sum, kilobytes) => sum + Number(kilobytes) * 1024, 0);
  } catch {
    return 0;
  }
}
