/** A git remote in a temporary folder, and the person who works on it beside Signalbox. */

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** One commit with the trailers by which Signalbox marks its own. */
export interface PublishedCommit {
  readonly oid: string;
  readonly taskId: string;
  readonly run: string;
}

/** A bare repository that was pushed to. */
export class Remote {
  /** Its path. */
  readonly dir: string;
  readonly #person: string;

  /** Makes `<parent>/<name>.git` with one commit of `files` on `main`. */
  constructor(parent: string, name: string, files: Readonly<Record<string, string>> = { 'README.md': `${name}\n` }) {
    this.dir = join(parent, `${name}.git`);
    this.#person = join(parent, `${name}-person`);
    git(parent, 'init', '--quiet', '--bare', '--initial-branch=main', this.dir);
    // Where each ref has been is what tells that a ledger has only grown.
    git(this.dir, 'config', 'core.logAllRefUpdates', 'always');
    git(parent, 'clone', '--quiet', this.dir, this.#person);
    git(this.#person, 'checkout', '--quiet', '-B', 'main');
    this.push('main', files);
  }

  /** A person commits files to a branch and pushes it. Answers the commit. */
  push(branch: string, files: Readonly<Record<string, string>>): string {
    if (branch !== 'main') {
      git(this.#person, 'fetch', '--quiet', 'origin');
      git(this.#person, 'checkout', '--quiet', '-B', branch, this.tip(branch) ?? 'main');
    }
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(this.#person, path)), { recursive: true });
      writeFileSync(join(this.#person, path), text);
    }
    git(this.#person, 'add', '--all');
    git(this.#person, 'commit', '--quiet', '--message', `by a person on ${branch}`);
    git(this.#person, 'push', '--quiet', 'origin', branch);
    return git(this.#person, 'rev-parse', 'HEAD').trim();
  }

  /** A checkout whose origin this is. */
  checkout(dir: string): string {
    git(dirname(dir), 'clone', '--quiet', this.dir, dir);
    return dir;
  }

  /** The commit a branch is at, if it exists. */
  tip(branch: string): string | undefined {
    return this.git('for-each-ref', '--format=%(objectname)', `refs/heads/${branch}`).trim() || undefined;
  }

  /** A file at the tip of a branch. */
  show(branch: string, path: string): string {
    return this.git('show', `${branch}:${path}`);
  }

  /** The parents of a branch's tip. */
  parents(branch: string): string[] {
    return this.git('log', '-1', '--format=%P', branch).trim().split(' ').filter(Boolean);
  }

  /** All commits on any branch that a run has published. */
  published(): PublishedCommit[] {
    const trailer = (name: string): string => `%(trailers:key=${name},valueonly,separator=%x20)`;
    const format = `--format=%H,${trailer('Signalbox-Task')},${trailer('Signalbox-Run')}`;
    return this.git('log', '--branches', format)
      .split('\n')
      .map((line) => line.split(','))
      .flatMap(([oid = '', taskId = '', run = '']) => (taskId === '' ? [] : [{ oid, taskId, run }]));
  }

  /** Runs git in the bare repository. */
  git(...args: string[]): string {
    return git(this.dir, ...args);
  }
}

/** The bare repository that a path or an address stands for: a checkout stands for its origin, ssh for this machine. */
export function repositoryOf(spelling: string): string {
  const path = spelling.replace(/^(file:\/\/|ssh:\/\/[^/]+)/, '').replace(/\/+$/, '');
  return existsSync(join(path, '.git')) ? repositoryOf(git(path, 'config', 'remote.origin.url').trim()) : path;
}

/** Runs git as a person without any configuration of their own would. */
export function git(cwd: string, ...args: string[]): string {
  const person = { name: 'A Person', email: 'person@example.com' };
  return execFileSync('git', args, {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'] ?? '',
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_AUTHOR_NAME: person.name,
      GIT_AUTHOR_EMAIL: person.email,
      GIT_COMMITTER_NAME: person.name,
      GIT_COMMITTER_EMAIL: person.email,
    },
  });
}
