import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { importsOf, violationsOf } from '../support/architecture.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

function sourceFiles(): string[] {
  return readdirSync(ROOT, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && ['src', 'workers'].includes(entry.name))
    .flatMap((folder) => readdirSync(join(ROOT, folder.name), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)));
}

function problems(file: string, source: string): string[] {
  return violationsOf(file, source).map(({ problem }) => problem);
}

describe('the architecture', () => {
  it('is kept by every source file', () => {
    const files = sourceFiles();
    expect(files).toContain('src/errors.ts');
    expect(files.flatMap((file) => violationsOf(file, readFileSync(join(ROOT, file), 'utf8')))).toEqual([]);
  });
});

describe('the architecture rules', () => {
  it.each([
    ['src/task/schema.ts', '../claims/locker.ts'],
    ['src/task/schema.ts', '../config/config.ts'],
    ['src/claims/locker.ts', '../waiting/line.ts'],
    ['src/claims/locker.ts', '../queue/submit.ts'],
    ['src/waiting/line.ts', '../queue/submit.ts'],
    ['src/git/git.ts', '../runner/run-task.ts'],
    ['src/queue/submit.ts', '../runner/run-task.ts'],
    ['src/queue/submit.ts', '../telemetry/log.ts'],
    ['src/runner/phases/test.ts', '../../server/api.ts'],
    ['src/runner/run-task.ts', '../client/signalbox.ts'],
    ['src/client/signalbox.ts', '../server/api.ts'],
    ['src/redis/connect.ts', '../claims/locker.ts'],
    ['src/errors.ts', './task/task.ts'],
    ['src/server/api.ts', '../cli/main.ts'],
    ['src/index.ts', './cli/main.ts'],
    ['src/runner/run-task.ts', '../../workers/worker.ts'],
    ['src/runner/run-task.ts', '../index.ts'],
    ['src/runner/run-task.ts', '../../test/support/redis.ts'],
  ])('refuse that %s imports %s', (file, specifier) => {
    expect(problems(file, `import { x } from '${specifier}';`)).toHaveLength(1);
    expect(problems(file, `import type { X } from '${specifier}';`)).toHaveLength(1);
    expect(problems(file, `export * from '${specifier}';`)).toHaveLength(1);
    expect(problems(file, `const { x } = await import('${specifier}');`)).toHaveLength(1);
  });

  it.each([
    ['src/cli/main.ts', '../server/api.ts'],
    ['workers/worker.ts', '../src/runner/run-task.ts'],
    ['src/runner/phases/test.ts', '../../queue/submit.ts'],
    ['src/queue/submit.ts', '../waiting/rank.ts'],
    ['src/waiting/line.ts', '../claims/modes.ts'],
    ['src/claims/locker.ts', '../telemetry/events.ts'],
    ['src/claims/locker.ts', '../redis/keys.ts'],
    ['src/claims/locker.ts', '../errors.ts'],
    ['src/cli/main.ts', '../../package.json'],
  ])('allow that %s imports %s', (file, specifier) => {
    expect(problems(file, `import { x } from '${specifier}';`)).toEqual([]);
  });

  it.each([
    ['src/queue/submit.ts', 'const url = process.env.REDIS_URL;'],
    ['src/queue/submit.ts', "import { env } from 'node:process';"],
    ['src/runner/run-task.ts', "spawn('git', ['status']);"],
    ['src/runner/run-task.ts', "await execa(\n  'git', ['status']);"],
    ['src/runner/run-task.ts', 'await $`git status`;'],
    ['src/runner/run-task.ts', "import type { Job } from 'bullmq';"],
    ['src/runner/tracing.ts', "import { BullMQOtel } from 'bullmq-otel';"],
    ['src/queue/submit.ts', "import Redlock from 'redlock';"],
    ['src/claims/locker.ts', "const script = `return redis.call('GET', KEYS[1])`;"],
    ['src/helpers/strings.ts', 'export const x = 1;'],
  ])('refuse that %s holds %s', (file, source) => {
    expect(problems(file, source)).toHaveLength(1);
  });

  it('let each owner do what it owns', () => {
    expect(problems('src/config/config.ts', 'load(process.env);')).toEqual([]);
    expect(problems('src/cli/main.ts', 'load(process.env);')).toEqual([]);
    expect(problems('src/git/git.ts', "spawn('git', ['status']);")).toEqual([]);
    expect(problems('src/queue/submit.ts', "import { Queue } from 'bullmq';")).toEqual([]);
    expect(problems('src/claims/locker.ts', "import Redlock from 'redlock';")).toEqual([]);
  });

  it('let the page name types of the rest, and nothing else of it', () => {
    const page = 'src/server/page/api/shapes.ts';
    expect(problems(page, "import type { A } from '../../../client/views.ts';")).toEqual([]);
    expect(problems(page, "export type {\n  A,\n} from '../../../client/views.ts';")).toEqual([]);
    expect(problems(page, "import { b } from '../words/time.ts';")).toEqual([]);
    expect(problems(page, "import { A } from '../../../client/views.ts';")).toHaveLength(1);
    expect(problems(page, "import { type A } from '../../../client/views.ts';")).toHaveLength(1);
    expect(problems(page, "import type { A } from '../../../cli/main.ts';")).toHaveLength(1);
    const both = "import type { A } from '../../../errors.ts';\nimport { b } from '../../../errors.ts';";
    expect(problems(page, both)).not.toEqual([]);
    expect(problems('src/server/app.ts', "import { x } from './page/words/time.ts';")).toHaveLength(1);
  });

  it('look at code, not at comments', () => {
    const source = "/* import x from 'bullmq' */\n// process.env\nconst url = 'redis://host'; // spawn('git')";
    expect(problems('src/task/schema.ts', source)).toEqual([]);
  });

  it('see imports that span lines and those without names', () => {
    const source = "import {\n  a,\n  b,\n} from './a.ts';\nimport './b.ts';\nexport { c } from './c.ts';";
    expect(importsOf(source)).toEqual(['./a.ts', './b.ts', './c.ts']);
  });
});
