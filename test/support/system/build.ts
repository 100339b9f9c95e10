import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** The compiled worker program that system tests start. */
    workerProgram: string;
    /** The compiled program that `signalbox up` starts its workers by. */
    productWorker: string;
  }
}

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const PROGRAM = 'test/support/system/programs/worker';
const PRODUCT = 'workers/worker';

/** Lets the system tests know the compiled programs; they go when the run ends. */
export default function setup(project: TestProject): () => void {
  const { workerProgram, productWorker, clean } = compilePrograms();
  project.provide('workerProgram', workerProgram);
  project.provide('productWorker', productWorker);
  return clean;
}

/** The compiled programs, and how to take them away. */
export interface Programs {
  readonly workerProgram: string;
  readonly productWorker: string;
  readonly clean: () => void;
}

/**
 * Compiles the worker programs once for a whole run: they are started some hundred times, and compiling them at each
 * start would take longer than the tests. The folder lies below `node_modules`, so that packages are found.
 */
export function compilePrograms(): Programs {
  const cache = join(ROOT, 'node_modules/.cache');
  mkdirSync(cache, { recursive: true });
  const out = mkdtempSync(join(cache, 'system-tests-'));
  const clean = (): void => rmSync(out, { recursive: true, force: true });
  try {
    compile(out);
    copyScripts(join(ROOT, 'src'), join(out, 'src'));
  } catch (error) {
    clean();
    throw error;
  }
  return { workerProgram: join(out, `${PROGRAM}.js`), productWorker: join(out, `${PRODUCT}.js`), clean };
}

function compile(out: string): void {
  const config = join(out, 'tsconfig.json');
  const compilerOptions = { outDir: out, rootDir: ROOT, declaration: false, sourceMap: false, noCheck: true };
  const started = ['workers/git-fork-server.ts', 'workers/supervisor.ts'];
  const files = [`${PROGRAM}.ts`, `${PRODUCT}.ts`, ...started].map((file) => join(ROOT, file));
  writeFileSync(config, JSON.stringify({ extends: join(ROOT, 'tsconfig.json'), compilerOptions, include: [], files }));
  writeFileSync(join(out, 'package.json'), JSON.stringify({ type: 'module' }));
  const { status, stdout } = spawnSync('tsc', ['--project', config], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`the worker program does not compile: ${stdout}`);
}

/** `tsc` copies no Lua. */
function copyScripts(from: string, to: string): void {
  for (const path of readdirSync(from, { recursive: true, encoding: 'utf8' })) {
    if (path.endsWith('.lua')) cpSync(join(from, path), join(to, path));
  }
}
