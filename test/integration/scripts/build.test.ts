import { spawnSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const BUILD = fileURLToPath(new URL('../../../scripts/build.ts', import.meta.url));
const TSX = import.meta.resolve('tsx');

let project: string;

beforeEach(async () => {
  project = await mkdtemp(join(tmpdir(), 'signalbox-build-'));
  await file('src/claims/acquire.lua', 'return 1');
  await file('src/cli/main.ts', '');
  await file('tsc', '#!/bin/sh\nexit 0');
  await chmod(join(project, 'tsc'), 0o755);
});

afterEach(async () => {
  await rm(project, { recursive: true, force: true });
});

async function file(path: string, text: string): Promise<void> {
  await mkdir(dirname(join(project, path)), { recursive: true });
  await writeFile(join(project, path), text);
}

/** Builds with a compiler that does nothing: what it would have written is there already. */
function build(): number | null {
  const env = { ...process.env, PATH: `${project}:${process.env['PATH']}` };
  return spawnSync(process.execPath, ['--import', TSX, BUILD], { cwd: project, env, timeout: 20_000 }).status;
}

function exists(path: string): Promise<boolean> {
  return stat(join(project, path)).then(
    () => true,
    () => false,
  );
}

describe('scripts/build.ts', () => {
  it('puts Lua scripts beside the compiled code and makes the program executable', async () => {
    await file('dist/src/cli/main.js', '');
    expect(build()).toBe(0);
    expect(await readFile(join(project, 'dist/src/claims/acquire.lua'), 'utf8')).toBe('return 1');
    expect((await stat(join(project, 'dist/src/cli/main.js'))).mode & 0o111).toBe(0o111);
  });

  it('takes away what no longer has a source, and only that', async () => {
    for (const name of ['main.js', 'main.d.ts', 'main.js.map', 'gone.js', 'gone.d.ts', 'gone.js.map', 'gone.lua']) {
      await file(`dist/src/cli/${name}`, '');
    }
    expect(build()).toBe(0);
    expect(await exists('dist/src/cli/main.js.map')).toBe(true);
    for (const name of ['gone.js', 'gone.d.ts', 'gone.js.map', 'gone.lua']) {
      expect(await exists(`dist/src/cli/${name}`)).toBe(false);
    }
  });

  it('writes the published JSON Schema', async () => {
    await file('src/task/json-schema.ts', '');
    await file('dist/package.json', '{ "type": "module" }');
    await file('dist/src/task/json-schema.js', `export const taskJsonSchema = () => ({ type: 'object' });`);
    expect(build()).toBe(0);
    expect(JSON.parse(await readFile(join(project, 'dist/task.schema.json'), 'utf8'))).toEqual({ type: 'object' });
  });

  it('does not count as built when the compiler finds an error', async () => {
    await file('tsc', '#!/bin/sh\nexit 2');
    expect(build()).toBe(1);
    expect(await exists('dist/.built')).toBe(false);
  });
});
