/** Every field of the Kubernetes example exists, and has the type that it must have: by the API's own description. */

import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Data, manifestFiles, manifests } from '../../support/deployment.ts';
import { ROOT } from '../../support/documents.ts';

const run = promisify(execFile);

let dir: string;
beforeAll(async () => {
  // Below node_modules, so that packages are found.
  const cache = join(ROOT, 'node_modules/.cache');
  await mkdir(cache, { recursive: true });
  dir = await mkdtemp(join(cache, 'kubernetes-'));
});
afterAll(async () => {
  await rm(dir, { recursive: true, force: true });
});

/** A line of TypeScript that compiles if the object is one of its kind: literals may have no other fields. */
function declaration(object: Data, name: string): string {
  const version = object.apiVersion as string;
  const [group, at] = version.includes('/') ? version.split('/') : ['', version];
  const models = group === 'keda.sh' ? '@kubernetes-models/keda' : 'kubernetes-models';
  const module = [models, group, at, object.kind].filter((part) => part !== '').join('/');
  return [
    `import type { I${object.kind} as ${name}Kind } from '${module}';`,
    `export const ${name}: ${name}Kind = ${JSON.stringify(object)};`,
  ].join('\n');
}

/** What the compiler finds wrong. */
async function problems(objects: readonly Data[], file: string): Promise<string> {
  await writeFile(join(dir, file), objects.map((object, i) => declaration(object, `_${i}`)).join('\n'));
  const flags = ['--noEmit', '--strict', '--skipLibCheck', '--module', 'esnext', '--moduleResolution', 'bundler'];
  const tsc = join(ROOT, 'node_modules/.bin/tsc');
  return await run(tsc, [...flags, '--types', '', '--ignoreConfig', file], { cwd: dir }).then(
    () => '',
    (error: unknown) => (error as { readonly stdout: string }).stdout,
  );
}

test('every manifest has only fields that the API knows, of the types that it wants', async () => {
  const objects = manifestFiles().flatMap(manifests);
  expect(objects.length).toBeGreaterThan(6);
  expect(await problems(objects, 'manifests.ts')).toBe('');
});

test('a mistyped field, a wrong type and a missing field are noticed', async () => {
  const [deployment] = manifests('deploy/kubernetes/worker.yaml');
  const changed = (change: (spec: Data) => void): Data => {
    const copy = structuredClone(deployment);
    change(copy.spec);
    return copy;
  };
  const wrong = await problems(
    [
      changed((spec) => Object.assign(spec.template.spec, { terminationGracePeriod: 30 })),
      changed((spec) => Object.assign(spec, { replicas: '3' })),
      changed((spec) => delete spec.selector),
    ],
    'wrong.ts',
  );
  for (const word of ['terminationGracePeriod', 'replicas', 'selector']) expect(wrong).toContain(word);
});
