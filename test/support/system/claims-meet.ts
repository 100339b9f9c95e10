/** Whether two tasks may not run together, told from what was submitted; on purpose without the code under test. */

import { repositoryOf } from './remote.ts';
import type { TestTask } from './world-core.ts';

/** Same repository, and either one branch or a written path that the other one claims too. */
export function claimsMeet(a: TestTask | undefined, b: TestTask | undefined): boolean {
  if (a?.repo === undefined || b?.repo === undefined) return false;
  if (repositoryOf(a.repo) !== repositoryOf(b.repo)) return false;
  if (a.branch !== undefined && a.branch === b.branch) return true;
  return writesWhatOtherHas(a, b) || writesWhatOtherHas(b, a);
}

function writesWhatOtherHas(writer: TestTask, other: TestTask): boolean {
  const theirs = [...(other.claims?.write ?? []), ...(other.claims?.read ?? [])].map(partsOf);
  return (writer.claims?.write ?? []).map(partsOf).some((mine) => theirs.some((path) => nested(mine, path)));
}

/** One is the other, or a folder that holds it. */
function nested(a: readonly string[], b: readonly string[]): boolean {
  return a.every((part, i) => b[i] === undefined || b[i] === part);
}

/** The folder or file that a path or glob is sure to stay in, in one spelling. */
function partsOf(path: string): string[] {
  const parts = path.normalize('NFC').toLowerCase().split('/');
  const wild = parts.findIndex((part) => /[*?{]/.test(part));
  return (wild < 0 ? parts : parts.slice(0, wild)).filter((part) => part !== '' && part !== '.');
}
