/** The flags of `submit` that describe a task, and the task they make. */

import type { Command } from 'commander';
import { collect } from '../command.ts';
import { usage } from '../errors.ts';
import { clip } from '../format.ts';

/** The flags as commander gives them. */
export interface TaskFlags {
  readonly repo?: string;
  readonly base?: string;
  readonly branch?: string;
  readonly write?: readonly string[];
  readonly read?: readonly string[];
  readonly resource?: readonly string[];
  readonly until?: string;
  readonly undeclared?: string;
  readonly run?: readonly string[];
  readonly agent?: string;
  readonly prompt?: string;
  readonly test?: readonly string[];
  readonly title?: string;
  readonly publish?: string;
  readonly message?: string;
  readonly priority?: string;
  readonly owner?: string;
  readonly spec?: string;
  readonly dependsOn?: readonly string[];
  readonly onConflict?: string;
  readonly waitTimeout?: string;
  readonly preemptible?: string;
  readonly timeout?: string;
  readonly stallTimeout?: string;
  readonly attempts?: string;
  readonly env?: readonly string[];
  readonly secret?: readonly string[];
  readonly checkout?: string;
  readonly include?: readonly string[];
  readonly idempotencyKey?: string;
}

/** The flags whose value is the field of the same name. */
const PLAIN = [
  ...(['title', 'base', 'branch', 'publish', 'message', 'priority', 'owner', 'spec', 'onConflict'] as const),
  ...(['waitTimeout', 'preemptible', 'timeout', 'stallTimeout', 'checkout', 'include'] as const),
  ...(['idempotencyKey', 'dependsOn'] as const),
];
/** The flags whose value is a field of the claims. */
const CLAIMS = ['write', 'read', 'until', 'undeclared'] as const;
const OTHER = ['repo', 'resource', 'run', 'agent', 'prompt', 'test', 'attempts', 'env', 'secret'] as const;

const TITLE_LENGTH = 80;

/** Adds the flags. Their values are checked as a task's fields are, by the one schema. */
export function taskFlags(command: Command): Command {
  return command
    .option('--repo <repo>', 'the repository: an address or a path (default: the current folder)')
    .option('--base <ref>', 'a branch, tag, commit or task:ID (default: the remote’s HEAD)')
    .option('--branch <name>', 'where the work is pushed (default: signalbox/ID)')
    .option('--write <path>', 'a path or glob nobody else may touch meanwhile; repeatable', collect)
    .option('--read <path>', 'a path or glob nobody may write meanwhile; repeatable', collect)
    .option('--resource <name>', 'a counted thing it needs one of; repeatable', collect)
    .option('--until <when>', 'published, or merged: how long its paths are kept (default: published)')
    .option('--undeclared <how>', 'files changed outside its paths: claim, fail or warn (default: claim)')
    .option('--run <command>', 'a shell command that does the work; repeatable, in order', collect)
    .option(
      '--agent <preset>',
      'a coding agent that does the work, after --run: claude, codex, … or one of your presets',
    )
    .option('--prompt <text>', 'what the agent is told')
    .option('--test <command>', 'a shell command that checks it, or `auto`; repeatable', collect)
    .option('--title <text>', 'what it does (default: the prompt or the first command)')
    .option('--publish <how>', 'push, land, patch or none (default: push)')
    .option('--message <text>', 'the commit message')
    .option('--priority <class>', 'urgent, high, normal or low (default: normal)')
    .option('--owner <name>', 'whom it counts for (default: you)')
    .option('--spec <name>', 'the plan that it belongs to')
    .option('--depends-on <id>', 'a task that must succeed first; repeatable', collect)
    .option('--on-conflict <policy>', 'wait, fail, skip, proceed, supersede or preempt (default: wait)')
    .option('--wait-timeout <duration>', 'how long to wait once it is blocked')
    .option('--preemptible <when>', 'steps, anytime or never: when it may be preempted (default: steps)')
    .option('--timeout <duration>', 'the most that one run may take (default: 30m)')
    .option('--stall-timeout <duration>', 'how long a step may be without output (default: 10m)')
    .option('--attempts <n>', 'how many failures end it (default: 3)')
    .option('--env <name=value>', 'a variable for its steps; repeatable', collect)
    .option('--secret <name>', 'a secret that the worker gives its steps; repeatable', collect)
    .option('--checkout <what>', 'full, or claimed: only what it claims (default: full)')
    .option('--include <path>', 'a further path to check out with --checkout claimed; repeatable', collect)
    .option('--idempotency-key <key>', 'the same key and body is the same task');
}

/** The flags that were given, by their names. */
export function givenFlags(flags: TaskFlags): string[] {
  return [...PLAIN, ...CLAIMS, ...OTHER].filter((name) => flags[name] !== undefined).map((name) => `--${kebab(name)}`);
}

/** The task that the flags describe, as a task file would hold it. Throws USAGE when they cannot be one. */
export function taskOf(flags: TaskFlags): Record<string, unknown> {
  const { run, test, resource, attempts } = flags;
  const agent = agentStep(flags);
  const implement = [...(run ?? []), ...agent];
  if (implement.length === 0) {
    throw usage('There is nothing to run.', 'Give a command with `--run`, an agent with `--agent`, or a task file.');
  }
  return {
    title: clip(flags.prompt ?? run?.[0] ?? '', TITLE_LENGTH),
    ...pick(flags, PLAIN),
    repo: flags.repo ?? '.',
    claims: { ...pick(flags, CLAIMS), ...(resource === undefined ? {} : { resources: resource }) },
    implement,
    ...(test === undefined ? {} : { test: test.length === 1 && test[0] === 'auto' ? 'auto' : test }),
    ...(attempts === undefined ? {} : { attempts: /^\d+$/.test(attempts) ? Number(attempts) : attempts }),
    ...surroundings(flags),
  };
}

function surroundings({ env, secret }: TaskFlags): Record<string, unknown> {
  return {
    ...(env === undefined ? {} : { env: Object.fromEntries(env.map(variable)) }),
    ...(secret === undefined ? {} : { secrets: secret }),
  };
}

function agentStep({ agent, prompt }: TaskFlags): { readonly agent: string; readonly prompt: string }[] {
  if (agent === undefined && prompt === undefined) return [];
  if (agent === undefined)
    throw usage('--prompt says what an agent is told, and no agent is named.', 'Name one: `--agent claude`.');
  if (prompt === undefined)
    throw usage('--agent needs to be told what to do.', "Say it with `--prompt 'Add rate limiting to the login'`.");
  return [{ agent, prompt }];
}

function pick(flags: TaskFlags, names: readonly (keyof TaskFlags)[]): Record<string, unknown> {
  return Object.fromEntries(names.flatMap((name) => (flags[name] === undefined ? [] : [[name, flags[name]]])));
}

function variable(text: string): readonly [string, string] {
  const equals = text.indexOf('=');
  if (equals > 0) return [text.slice(0, equals), text.slice(equals + 1)];
  throw usage('--env must be given as NAME=VALUE.', 'Write it as `--env CI=1`; for secret values use `--secret NAME`.');
}

function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
