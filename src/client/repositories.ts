/** The repositories that users name, each as what it is whatever its spelling; relative paths count from a folder. */

import { SignalboxError } from '../errors.ts';
import type { Git } from '../git/git.ts';
import { checkRemote, resolveRepository } from '../git/identity.ts';
import type { PreparedTask } from '../queue/submit.ts';
import type { Task } from '../task/task.ts';

type Repo = PreparedTask['repo'];
type Named = Pick<Task, 'repo'>;

/** What each named repository is, with the place of the first task that names it. */
type Found = Map<string, { readonly repo: Repo; readonly place: string }>;

/** Finds out what names stand for. */
export class Repositories {
  readonly git: Git;
  readonly cwd: string;

  constructor(git: Git, cwd: string) {
    this.git = git;
    this.cwd = cwd;
  }

  /** What one stands for; `place` stands before the field `repo` in an error. Throws INVALID. */
  async resolve(repo: string, place = ''): Promise<Repo> {
    try {
      const { key, url, host } = await resolveRepository(this.git, repo, this.cwd);
      return { key, url, ...(host === undefined ? {} : { host }) };
    } catch (error) {
      throw place === '' ? error : atField(error, `${place}repo`);
    }
  }

  /** Those of a list of tasks, in its order; each is looked at once. Throws INVALID naming the task's field. */
  async ofTasks(tasks: readonly Named[]): Promise<Repo[]> {
    const found = await this.#find(tasks);
    return tasks.map(({ repo }) => found.get(repo)?.repo as Repo);
  }

  /** Asks each distinct remote once. Throws REMOTE_UNREACHABLE naming the field of the first task whose remote is away. */
  async check(tasks: readonly Named[]): Promise<void> {
    const remotes = new Map([...(await this.#find(tasks)).values()].map(({ repo, place }) => [repo.url, place]));
    const asked = [...remotes].map(async ([url, place]) => {
      await checkRemote(this.git, url).catch((error: unknown) => {
        throw atField(error, `${place}repo`);
      });
    });
    await Promise.all(asked);
  }

  async #find(tasks: readonly Named[]): Promise<Found> {
    const found: Found = new Map();
    for (const [index, { repo }] of tasks.entries()) {
      const place = tasks.length === 1 ? '' : `[${index}].`;
      if (!found.has(repo)) found.set(repo, { repo: await this.resolve(repo, place), place });
    }
    return found;
  }
}

function atField(error: unknown, field: string): unknown {
  if (!(error instanceof SignalboxError)) return error;
  return new SignalboxError(error.code, error.message, { field, next: error.next, cause: error });
}
