/** The compose files: they name options and commands that exist, and their times fit each other. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { REDIS_IMAGE } from '../../../src/redis/redis-program.ts';
import { parseDuration } from '../../../src/task/duration.ts';
import { composeFile, type Data, HURRY_S, namesIn, textOf, unknownVariables } from '../../support/deployment.ts';
import { codeBlocks, ROOT } from '../../support/documents.ts';

const FILES = ['docker-compose.yml', 'deploy/demo/compose.yml'];
const compose = composeFile('docker-compose.yml');
const services = Object.entries(compose.services as Record<string, Data>);

/** The default of `${NAME:-default}`. */
function defaultOf(text: string): string {
  return /^\$\{\w+:-(.*)\}$/.exec(text)?.[1] ?? text;
}

/** Names and defaults of all `${…}` of the files; `$$` is a dollar for the container. */
function interpolated(path: string): Map<string, string> {
  const found = textOf(path)
    .replaceAll('$$', '')
    .matchAll(/\$\{(\w+)(?::?[-?]([^}]*))?\}/g);
  return new Map([...found].map(([, name = '', rest = '']) => [name, rest]));
}

describe('the compose files', () => {
  it.each(FILES)('%s sets no variable of Signalbox that does not exist', (path) => {
    const names = Object.values(composeFile(path).services as Record<string, Data>).flatMap(({ environment = {} }) =>
      Object.keys(environment as object),
    );
    expect(names.length).toBeGreaterThan(0);
    expect(unknownVariables(names)).toEqual([]);
  });

  it('notice a variable that does not exist', () => {
    const names = ['SIGNALBOX_LEASE', 'REDIS_URL', 'REDIS_PORT', 'SIGNALBOX_TOKEN_FILE', 'SIGNALBOX_QUEUE_FILE'];
    expect(unknownVariables(names)).toEqual(['SIGNALBOX_LEASE', 'SIGNALBOX_QUEUE_FILE']);
  });

  it('take what can be set from .env, and .env.example lists exactly that', () => {
    const used = interpolated('docker-compose.yml');
    expect(namesIn('.env.example').sort()).toEqual([...used.keys()].sort());
  });

  it('have the defaults that .env.example tells', () => {
    const told = [...textOf('.env.example').matchAll(/^#([A-Z_]+)=(.+)$/gm)];
    expect(told.length).toBeGreaterThan(5);
    const used = interpolated('docker-compose.yml');
    expect(told.map(([, name = '', value]) => [name, value])).toEqual(
      told.map(([, name = '']) => [name, used.get(name)]),
    );
  });

  it('give a stopped worker more time than its drain takes', () => {
    const { environment, stop_grace_period: grace } = compose.services.worker;
    const drainMs = parseDuration(defaultOf(environment.SIGNALBOX_DRAIN_TIMEOUT)) ?? Number.NaN;
    const graceMs = parseDuration(defaultOf(grace)) ?? Number.NaN;
    expect(graceMs).toBeGreaterThan(drainMs + HURRY_S * 1_000);
  });

  it('mount only what is there', () => {
    const mounts = services.flatMap(([, { volumes = [] }]) =>
      (volumes as string[]).filter((one) => one.startsWith('./')),
    );
    const paths = mounts.map((mount) => mount.split(':')[0] ?? '');
    expect(paths.length).toBeGreaterThan(2);
    expect(paths.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });

  it('publish nothing beyond this machine', () => {
    const ports = services.flatMap(([, { ports: own = [] }]) => own as string[]);
    expect(ports.length).toBeGreaterThan(1);
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/);
  });

  it('run the same Redis as `signalbox up` in Docker would', () => {
    expect(defaultOf(compose.services.redis.image)).toBe(REDIS_IMAGE);
  });

  it('run workers and dashboard without root, capabilities, or a way to get some', () => {
    for (const name of ['worker', 'dashboard']) {
      const { read_only, cap_drop, security_opt } = compose.services[name];
      expect({ read_only, cap_drop, security_opt }).toEqual({
        read_only: true,
        cap_drop: ['ALL'],
        security_opt: ['no-new-privileges:true'],
      });
    }
    expect(textOf('Dockerfile')).toMatch(/^USER (?!0)\d+:\d+$/m);
  });
});

describe('the users of Redis', () => {
  it('are those of docs/security.md, to the letter', () => {
    const [documented = ''] = codeBlocks(textOf('docs/security.md'), 'acl');
    expect(documented).not.toBe('');
    expect(textOf('deploy/redis/users.acl')).toBe(documented);
  });
});
