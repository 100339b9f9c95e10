/** Steps for tests, and looking for processes by other means than the code under test does. */
import { execFileSync, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { vi } from 'vitest';
import type { StepOptions } from '../../../src/runner/supervisor/client.ts';

/** A name that no other process on the host has in its command line. */
export function makeToken(): string {
  return `token-${randomUUID()}`;
}

/** A step that runs `command`, a script or an argv, with little else. */
export function stepOf(command: string | string[], more: Partial<StepOptions> = {}): StepOptions {
  return {
    name: 'test',
    command: typeof command === 'string' ? { kind: 'shell', script: command } : { kind: 'argv', argv: command },
    cwd: tmpdir(),
    env: { PATH: process.env['PATH'] ?? '' },
    logFile: '/dev/null',
    logLimitBytes: 1_000_000,
    secrets: [],
    ...more,
  };
}

/** Command lines of the living processes that have `token` in them. */
export function livingWith(token: string): string[] {
  const lines = execFileSync('ps', ['-A', '-ww', '-o', 'stat=,args='], { encoding: 'utf8', maxBuffer: 1e8 }).split(
    '\n',
  );
  return lines.filter((line) => line.includes(token) && !line.startsWith('Z'));
}

/** Waits until `condition` holds. */
export async function until(condition: () => boolean, timeoutMs = 15_000): Promise<void> {
  await vi.waitUntil(condition, { timeout: timeoutMs, interval: 20 });
}

/**
 * A script that leaves processes in every way known here, all with `token` in their command line, and goes on itself:
 * in the background, in a session of its own, orphaned, orphaned in a session of its own, deaf to SIGTERM. Five of them
 * and the script itself.
 */
export function spreadingScript(token: string): string {
  const idle = `exec sh -c 'while :; do sleep 1; done' ${token}`;
  return [
    `sh -c "${idle}" &`,
    `setsid sh -c "${idle}" &`,
    `(sh -c "${idle}" &)`,
    `(setsid sh -c "${idle}" >/dev/null 2>&1 </dev/null &)`,
    `sh -c "trap '' TERM HUP INT; ${idle}" &`,
    `echo spread`,
    `while :; do sleep 1; done # ${token}`,
  ].join('\n');
}

/** Whether that script has made all of its five, beside itself and what wraps it. */
export function hasSpread(token: string): boolean {
  return livingWith(token).filter((line) => line.endsWith(`done ${token}`)).length === 5;
}

/** The control groups that a supervisor has made and not removed, wherever they are. */
export function groupsOf(supervisorPid: number): string[] {
  const find = ['/sys/fs/cgroup', '-type', 'd', '-name', `signalbox-${supervisorPid}-*`];
  // Folders come and go meanwhile, and there may be none at all: then it complains.
  return spawnSync('find', find, { encoding: 'utf8' }).stdout.split('\n').filter(Boolean);
}
