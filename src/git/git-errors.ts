/** What git's complaints mean, and what of them may be shown. */

import { SignalboxError } from '../errors.ts';
import type { GitResult } from './git.ts';

const TAIL_CHARS = 2_000;

const UNREACHABLE = [
  /Could not read from remote repository/i,
  /does not appear to be a git repository/i,
  /unable to access '/i,
  /repository .*not found/i,
  /repository '.*' does not exist/i,
  /Could not resolve host/i,
  /Connection (refused|timed out|reset|closed)/i,
  /Authentication failed/i,
  /could not read (Username|Password)/i,
  /Permission denied \(/i,
  /remote end hung up unexpectedly/i,
  /early EOF/i,
  /unable to connect to/i,
  /No route to host/i,
];

/** Everything that is known about a git that failed. */
export interface GitFailure {
  readonly args: readonly string[];
  readonly answer: GitResult;
  /** Why it was ended before it had said all. */
  readonly failure: string | undefined;
  readonly secrets: readonly string[];
  readonly remote: boolean;
  readonly timedOut: boolean;
}

/** The error for a git that failed: `REMOTE_UNREACHABLE` or `GIT`. `details.stderr` is the scrubbed tail. */
export function gitError({ args, answer, failure, secrets, remote, timedOut }: GitFailure): SignalboxError {
  const stderr = answer.stderr.trim().slice(-TAIL_CHARS);
  const command = scrub(args.find((arg) => !arg.startsWith('-')) ?? '', secrets);
  const details = { command, exitCode: answer.exitCode, stderr };
  if (remote && (timedOut || UNREACHABLE.some((pattern) => pattern.test(stderr)))) {
    const why = timedOut ? 'it did not answer in time' : tellingLine(stderr);
    return new SignalboxError('REMOTE_UNREACHABLE', `the git remote cannot be reached: ${why}`, {
      next: 'Check the address, the network and your git credentials (`git ls-remote` must work without asking).',
      details,
    });
  }
  const why = timedOut
    ? 'it did not end in time'
    : (failure ?? (stderr === '' ? `exit code ${answer.exitCode}` : tellingLine(stderr)));
  return new SignalboxError('GIT', `git ${command} failed: ${why}`, {
    next: 'Look at the end of its output in the details; if the repository is sound, report it.',
    details,
  });
}

/** Takes passwords in URLs and the given values out of a text. */
export function scrub(text: string, secrets: readonly string[]): string {
  const known = secrets.reduce((rest, secret) => rest.replaceAll(secret, '***'), text);
  return known.replace(/(\w:\/\/)[^\s/@]+@/g, (whole, scheme: string) =>
    /^\w:\/\/git@$/.test(whole) ? whole : `${scheme}***@`,
  );
}

/** The values in an environment that must not be shown: http headers, and passwords in rewritten URLs. */
export function secretsOf(env: Readonly<Record<string, string>>): string[] {
  return Object.entries(env).flatMap(([name, value]) => {
    const index = /^GIT_CONFIG_KEY_(\d+)$/.exec(name)?.[1];
    if (index === undefined) return /(TOKEN|PASSWORD|SECRET)/.test(name) && value.length > 5 ? [value] : [];
    const setting = env[`GIT_CONFIG_VALUE_${index}`] ?? '';
    if (/^http\..*extraheader$/i.test(value) && setting !== '') return [setting, ...setting.split(/\s+/).filter(long)];
    return [];
  });
}

function long(word: string): boolean {
  return word.length > 11;
}

/** The line that says what went wrong: git's own `fatal:` or `error:` before the hints that follow it. */
function tellingLine(stderr: string): string {
  const lines = stderr
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const telling = lines.find((line) => /^(fatal|error|remote|ssh):/i.test(line)) ?? lines.at(-1) ?? 'no reason given';
  return telling.replace(/^(fatal|error):\s*/i, '');
}
