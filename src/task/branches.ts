/** Branch names: git's own rules (`git check-ref-format`), and stricter where a name could pass for an option. */

import { SignalboxError } from '../errors.ts';
import { shown } from '../invalid.ts';

/** The longest branch name, in UTF-8 bytes: a part of it becomes a file name with `.lock` added. */
const MAX_BRANCH_BYTES = 250;

/** Gives `name` back when it is a branch name. Throws `INVALID` with the field `branch`. */
export function checkBranch(name: string): string {
  const problem = branchProblem(name);
  if (problem === undefined) return name;
  throw new SignalboxError('INVALID', `\`branch\` ${problem}; given ${shown(name)}`, {
    field: 'branch',
    next: 'Choose another branch name.',
  });
}

/** What is wrong with a branch name, as a clause; undefined when nothing is. */
export function branchProblem(name: string): string | undefined {
  if (name === '') return 'must not be empty';
  if (Buffer.byteLength(name) > MAX_BRANCH_BYTES) return `must be at most ${MAX_BRANCH_BYTES} bytes`;
  if (!/^[\p{L}\p{N}]/u.test(name)) return 'must begin with a letter or a digit';
  if (/[\u0000-\u0020\u007f~^:?*[\\]/.test(name))
    return 'must not contain spaces, control characters or any of ~ ^ : ? * [ \\';
  if (/\p{Surrogate}/u.test(name)) return 'must be well-formed Unicode';
  if (name.includes('..')) return 'must not contain `..`';
  if (name.includes('@{')) return 'must not contain `@{`';
  if (/(^|\/)(\/|$)/.test(name)) return 'must not contain `//` or end with `/`';
  if (/\/\./.test(name)) return 'must not have a part that begins with a dot';
  if (/\.lock(\/|$)/.test(name)) return 'must not have a part that ends with `.lock`';
  if (name.endsWith('.')) return 'must not end with a dot';
  if (name === 'HEAD') return 'must be a branch name, not HEAD';
  if (name.startsWith('refs/')) return 'must be the short name, without `refs/heads/`';
  return undefined;
}

/** The branch of a task that names none. */
export function defaultBranch(taskId: string): string {
  return `signalbox/${taskId.toLowerCase()}`;
}
