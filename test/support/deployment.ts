/** The files of the deployments, as data. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { SECRET_VARIABLES, VARIABLES } from '../../src/config/options.ts';
import { ROOT } from './documents.ts';

/** What a YAML file holds: each test looks at what it is about. */
// oxlint-disable-next-line typescript/no-explicit-any -- asserted by each test
export type Data = any;

/** How long a worker may take beyond its drain timeout to give its runs back, in s: HURRY_MS of its process. */
export const HURRY_S = 15;

/** A file of the project as text. */
export function textOf(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

/** A compose file, its anchors resolved. */
export function composeFile(path: string): Data {
  return parse(textOf(path), { merge: true });
}

/** All files of Kubernetes objects, without kustomize's own. */
export function manifestFiles(): string[] {
  const below = readdirSync(join(ROOT, 'deploy/kubernetes'), { recursive: true, encoding: 'utf8' });
  return below
    .filter((name) => name.endsWith('.yaml') && name !== 'kustomization.yaml')
    .map((name) => `deploy/kubernetes/${name}`)
    .sort();
}

/** All Kubernetes objects of a file. */
export function manifests(path: string): Data[] {
  return parseAllDocuments(textOf(path)).map((document) => {
    if (document.errors.length > 0) throw document.errors[0] as Error;
    return document.toJS();
  });
}

/** The names of a `NAME=value` file, those that are commented out too. */
export function namesIn(path: string): string[] {
  return [...textOf(path).matchAll(/^#?([A-Z][A-Z0-9_]*)=/gm)].map(([, name = '']) => name);
}

/** Variables that begin as Signalbox's own do and are none: they would be passed over in silence. */
export function unknownVariables(names: Iterable<string>): string[] {
  const known = new Set([...Object.values(VARIABLES), ...SECRET_VARIABLES.map((name) => `${name}_FILE`)]);
  return [...names].filter((name) => /^(SIGNALBOX_|REDIS_URL$)/.test(name) && !known.has(name));
}
