import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { findCanary, newCanary } from '../../support/system/canary.ts';
import { until } from '../../support/system/until.ts';
import { systemTest } from '../../support/system/world.ts';

/** Says a secret in all the ways in which tools do. */
const TELL = `
printf '%s\\n' "$CANARY"
printf '%s' "$CANARY" | base64
printf 'user:%s' "$CANARY" | base64 -w 20
printf 'x%s' "$CANARY" | base64 -w 0; echo
printf '%s' "$CANARY" | fold -w 7; echo
node -e '
const secret = process.env.CANARY;
console.log(encodeURIComponent(secret), JSON.stringify({ secret }), Buffer.from(secret).toString("base64url"));
for (const letter of secret) require("fs").writeSync(2, letter);
'
printf '\\nFILED=%s\\n' "$FILED" >&2`;

const ASK = `node -e '
const request = require("http").request({ socketPath: process.env.SIGNALBOX_SOCKET, path: "/claim", method: "POST" }, (answer) => {
  answer.pipe(process.stdout);
});
request.end(JSON.stringify({ write: ["src/" + process.env.CANARY] }));
'`;

describe('the value of a secret', () => {
  systemTest(
    'is nowhere, whatever a step does with it, but in what it commits',
    async (world) => {
      const remote = world.remote();
      const { canary = '' } = world;
      const file = join(world.dir, 'filed');
      writeFileSync(file, `${canary} from a file\n`);
      await world.startWorkers(1, { env: { FILED_FILE: file } });
      const secrets = ['CANARY', 'FILED'];
      const running = await world.submit({ secrets, implement: [world.stamps.workUntil(world.gate('go'))] });
      // Before steps have run that put it on command lines of their own.
      await world.working(running);
      expect((await findCanary(world)).filter((place) => place.startsWith('process'))).toEqual([]);
      world.openGate('go');
      const told = await world.submit({ secrets, implement: [TELL, ASK, 'echo done > done.txt'], test: [TELL] });
      const failed = await world.submit({ secrets, implement: [`${TELL}; exit 3`], attempts: 1 });
      const named = await world.submit({ secrets, implement: ['echo x > "$(printf %s "$CANARY" | base64 -w 0)"'] });
      const nested = await world.submit({
        secrets,
        implement: [
          'place=$(printf %s "$CANARY" | base64 -w 0 | tr / _); git init -q "$place"; git -C "$place" commit -q --allow-empty -m x',
        ],
      });
      const kept = await world.submit({ secrets, implement: ['env > env.txt'], publish: 'none' });
      const patched = await world.submit({ secrets, implement: ['echo "key=$FILED" > key.txt'], publish: 'patch' });
      await world.drained();

      expect(await world.ended(told)).toMatchObject({ state: 'succeeded', filesChanged: ['done.txt'] });
      expect(await world.ended(failed)).toMatchObject({ state: 'failed', code: 'implement_failed' });
      const refused = await world.ended(named);
      expect(refused).toMatchObject({ state: 'failed', filesChanged: [] });
      expect(refused.error).toContain('the value of a secret');
      expect((await world.ended(nested)).error).toMatch(/submodules are not supported yet: .*\*\*\*/);
      const { phases, artifacts } = await world.client.get(told);
      const tail = phases.find(({ name }) => name === 'implement')?.steps[0]?.outputTail ?? '';
      expect(tail.match(/\*\*\*/g)?.length).toBeGreaterThanOrEqual(8);
      expect(artifacts.map(({ kind }) => kind).sort()).toEqual(['diff', 'log', 'test-report']);
      const patchOf = async (id: string): Promise<string> => {
        const { path = '' } = (await world.client.get(id)).artifacts.find(({ kind }) => kind !== 'log') ?? {};
        return readFileSync(join(world.dataDir, path), 'utf8');
      };
      expect(await patchOf(kept)).toContain('CANARY=***');
      // It applies, with the value masked.
      const place = join(world.dir, 'applied');
      remote.checkout(place);
      writeFileSync(join(world.dir, 'key.patch'), await patchOf(patched));
      remote.git('-C', place, 'apply', join(world.dir, 'key.patch'));
      expect(readFileSync(join(place, 'key.txt'), 'utf8')).toMatch(/^key=\*\*\*/);
    },
    { canary: newCanary() },
  );

  systemTest(
    'would be found if it were somewhere',
    async (world) => {
      const { canary = '' } = world;
      const { redis, keys } = world.client.queue;
      const remote = world.remote('remote', { 'README.md': 'one\n' });
      expect(await findCanary(world)).toEqual([]);
      const key = `${keys.prefix}planted`;
      await redis.hset(key, 'field', JSON.stringify({ said: [canary] }));
      mkdirSync(join(world.dataDir, 'logs'));
      const file = join(world.dataDir, 'logs', 'log.txt');
      const wrapped =
        Buffer.from(`a ${canary}`)
          .toString('base64')
          .match(/.{1,9}/g) ?? [];
      writeFileSync(file, wrapped.join('\n'));
      remote.push('main', { 'leak.txt': `it is ${encodeURIComponent(canary)}\n` });
      expect((await findCanary(world)).sort()).toEqual([key, file, remote.dir].sort());
      await redis.del(key);
      writeFileSync(file, '');
      world.remotes.splice(0);
    },
    { canary: newCanary() },
  );

  systemTest(
    'is masked in what is saved of a run whose worker was killed',
    async (world) => {
      world.remote();
      const [victim] = await world.startWorkers(1);
      const id = await world.submit({
        secrets: ['CANARY'],
        implement: [`[ "$SIGNALBOX_RUN" = 2 ] || { env > env.txt; ${world.stamps.workUntil(world.gate('never'))}; }`],
      });
      await world.working(id);
      await victim?.kill();
      await world.startWorkers(1);
      expect(await world.ended(id)).toMatchObject({ state: 'succeeded', runs: 2, commit: null });
      const saved = join(world.dataDir, 'artifacts', id, 'run-1', 'unpublished.patch');
      const text = await until('the work is saved', () => existsSync(saved) && readFileSync(saved, 'utf8'));
      expect(text).toContain('+CANARY=***');
      // Nor is it anywhere else: that is one of the invariants.
    },
    { canary: newCanary(), leaseTtl: '2s' },
  );
});
