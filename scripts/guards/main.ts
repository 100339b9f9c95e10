/** Takes each guard out of a copy of the project and runs the test that must fail without it. */

import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { GUARDS, type Guard } from './guards.ts';

const HELP = `usage: npm run test:guards -- [options]

Takes each guard of docs/guarantees.md out, one after the other, in a copy of the project, and runs the test that is
there for it: first as it is, which must pass, then without the guard, which must fail.

  --only TEXT   only guards whose name contains this
  --list        only say which there are
  --help        shows this

Exit codes: 0 every guard has a test that fails without it, 1 one has not, 2 wrong usage.
`;

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** What a copy does without: rebuilt, linked in, or somebody's data. */
const LEFT_OUT = /^(node_modules|dist|\.git|\.signalbox)$/;

/** What a test came to: `none` was found by that name, or the run itself broke. */
type Verdict = 'passed' | 'failed' | 'none';

function copyProject(): string {
  const dir = mkdtempSync(join(tmpdir(), 'signalbox-guards-'));
  cpSync(ROOT, dir, { recursive: true, filter: (from) => from === ROOT || !LEFT_OUT.test(basename(from)) });
  symlinkSync(join(ROOT, 'node_modules'), join(dir, 'node_modules'));
  return dir;
}

/** Runs one test by its name and reads the reporter's JSON: an exit code alone would not tell a failure from a fault. */
function runTest(dir: string, { file, name }: Guard['test']): Verdict {
  const report = join(dir, 'guards-report.json');
  rmSync(report, { force: true });
  const pattern = name.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const args = ['vitest', 'run', file, '--testNamePattern', pattern, '--reporter', 'json', '--outputFile', report];
  spawnSync('npx', args, { cwd: dir, stdio: 'ignore' });
  try {
    const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(report, 'utf8')) as Record<string, number>;
    if ((numFailedTests ?? 0) > 0) return 'failed';
    return (numPassedTests ?? 0) > 0 ? 'passed' : 'none';
  } catch {
    return 'none';
  }
}

/** Answers what is wrong, or undefined if the test passes with the guard and fails without it. */
function check(dir: string, guard: Guard): string | undefined {
  const path = join(dir, guard.file);
  const text = readFileSync(path, 'utf8');
  if (text.split(guard.from).length !== 2) return `its text is not found exactly once in ${guard.file}`;
  const before = runTest(dir, guard.test);
  if (before !== 'passed')
    return before === 'none' ? 'its test was not found' : 'its test fails with the guard in place';
  writeFileSync(
    path,
    text.replace(guard.from, () => guard.to),
  );
  try {
    const after = runTest(dir, guard.test);
    if (after === 'failed') return undefined;
    return after === 'passed' ? 'its test passes without the guard' : 'without it nothing runs at all';
  } finally {
    writeFileSync(path, text);
  }
}

function main(): number {
  const { values } = parseArgs({
    options: { only: { type: 'string' }, list: { type: 'boolean' }, help: { type: 'boolean' } },
  });
  const guards = GUARDS.filter(({ name }) => values.only === undefined || name.includes(values.only));
  if (values.help === true || values.list === true || guards.length === 0) {
    const list = guards.map(({ name, test }) => `${name}\n    ${test.file}: ${test.name}\n`).join('');
    process.stdout.write(values.list === true ? list : HELP);
    return guards.length === 0 ? 2 : 0;
  }
  const dir = copyProject();
  process.once('SIGINT', () => {
    rmSync(dir, { recursive: true, force: true });
    process.exit(130);
  });
  let bad = 0;
  try {
    for (const guard of guards) {
      const problem = check(dir, guard);
      if (problem !== undefined) bad += 1;
      process.stdout.write(`${problem === undefined ? 'red without it' : `PROBLEM: ${problem}`}  ${guard.name}\n`);
    }
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
  process.stdout.write(`${guards.length - bad} of ${guards.length} guards have a test that fails without them\n`);
  return bad === 0 ? 0 : 1;
}

process.exitCode = main();
