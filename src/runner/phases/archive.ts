/** Archive: what is kept of a run on the worker's disk: its diff, its log, its test report, and unpublished work. */

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { savePatch, writePatch } from '../../git/changes.ts';
import type { Artifact } from '../../queue/record.ts';
import type { Phase, Run } from '../run.ts';
import { scrubFile } from '../scrub-file.ts';

/** Writes the artifacts and their checksums. Work that was not published is saved as a patch. */
export const archive: Phase = async (run) => {
  const made = await run.madeCheckout();
  const log = join(run.paths.artifacts, 'log.txt');
  const hasLog = run.ranCommands && (await exists(log));
  if (made === undefined && !hasLog) return 'skipped';
  await mkdir(run.paths.artifacts, { recursive: true });
  if (made !== undefined) await keepWork(run, made);
  await keepTestReport(run);
  if (hasLog) await keep(run, 'log', log);
  return undefined;
};

async function keepWork(
  run: Run,
  { start, workspace }: NonNullable<Awaited<ReturnType<Run['madeCheckout']>>>,
): Promise<void> {
  const { services, result, published, task, paths } = run;
  const asked = published !== null || task.publish === 'patch' || task.publish === 'none';
  if (result.commit !== null && asked) {
    const kind = task.publish === 'patch' ? 'patch' : 'diff';
    const file = join(paths.artifacts, `${kind}.patch`);
    await writePatch(services.git, { dir: workspace.dir, from: start.startOid, to: result.commit, file });
    await scrubFile(file, Object.values(run.secrets));
    await keep(run, kind, file);
    return;
  }
  // The snapshot of all that the steps left found nothing, and none has run since: there is nothing to look for.
  const tested = run.progress.phases.some(({ name, steps }) => name === 'test' && steps.length > 0);
  if (result.commit === null && run.isImplemented && !tested) return;
  const file = join(paths.artifacts, 'unpublished.patch');
  if ((await savePatch(services.git, { dir: workspace.dir, file })) === 0) {
    await rm(file, { force: true });
    return;
  }
  // With something masked it is not the work any more: the next run must do that again.
  if (await scrubFile(file, Object.values(run.secrets))) run.isImplemented = false;
  await keep(run, 'patch', file);
}

async function keepTestReport(run: Run): Promise<void> {
  const steps = run.progress.phases.find(({ name }) => name === 'test')?.steps ?? [];
  if (steps.length === 0) return;
  const file = join(run.paths.artifacts, 'test-report.json');
  await writeFile(file, `${JSON.stringify({ taskId: run.record.id, run: run.number, steps }, null, 2)}\n`);
  await keep(run, 'test-report', file);
}

async function keep(run: Run, kind: Artifact['kind'], file: string): Promise<void> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  const { size } = await stat(file);
  run.artifacts.push({
    kind,
    path: relative(run.services.config.dataDir, file),
    bytes: size,
    sha256: hash.digest('hex'),
  });
}

async function exists(file: string): Promise<boolean> {
  return await stat(file).then(
    () => true,
    () => false,
  );
}
