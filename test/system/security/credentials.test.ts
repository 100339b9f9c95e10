import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { systemTest, type World } from '../../support/system/world.ts';

const KEY = 'the-key-that-pushes';
const SIGNING_KEY = 'the-key-that-signs';
const TOKEN = 'the-token-of-the-api';

/** Stands for ssh: opens the repositories of this machine to whoever has the key in the environment. */
function forge({ dir }: World): string {
  const program = join(dir, 'forge-ssh');
  writeFileSync(
    program,
    `#!/bin/sh
[ "$SSH_FORGE_KEY" = '${KEY}' ] || { echo 'forge: Permission denied (publickey).' >&2; exit 255; }
for last; do :; done
exec sh -c "$last"
`,
  );
  chmodSync(program, 0o755);
  return program;
}

/** What a step tries that wants to push by itself. */
const STEAL = `
env
cat ~/.ssh/* ~/.netrc ~/.gitconfig ~/.git-credentials
git push "$REMOTE" HEAD:refs/heads/stolen && touch pushed
GIT_SSH_COMMAND="$FORGE" git push "$REMOTE" HEAD:refs/heads/stolen && touch pushed
printf 'protocol=ssh\\nhost=forge.test\\n' | git credential fill
tr '\\0' '\\n' < /proc/$PPID/environ
cat /proc/[0-9]*/environ | tr '\\0' '\\n'
echo tried > tried.txt`;

describe('the credentials for git', () => {
  systemTest(
    'push what a task has made, and are nowhere that its steps can see',
    async (world) => {
      const remote = world.remote();
      const repo = `ssh://git@forge.test${remote.dir}`;
      const program = forge(world);
      const env = { GIT_SSH_COMMAND: program, SSH_FORGE_KEY: KEY, SIGNALBOX_TOKEN: TOKEN };
      await world.startWorkers(1, { env });
      const id = await world.submit({ repo, env: { REMOTE: repo, FORGE: program }, implement: [STEAL] });
      const { state, error, artifacts, filesChanged, branch, isolation } = await world.ended(id);
      const log = artifacts.find(({ kind }) => kind === 'log')?.path ?? '';
      const said = readFileSync(join(world.dataDir, log), 'utf8');

      expect({ state, error }).toEqual({ state: 'succeeded', error: null });
      expect(remote.show(branch, 'tried.txt')).toBe('tried\n');
      expect(remote.tip('stolen')).toBeUndefined();
      expect(said).toContain('SIGNALBOX_TASK_ID=');
      expect(said).toContain('forge: Permission denied');
      expect(filesChanged).toEqual(['tried.txt']);
      // Beside the worker as the same user, nothing keeps a process from reading another one's environment.
      if (isolation === 'pidns') for (const secret of [KEY, SIGNING_KEY, TOKEN]) expect(said).not.toContain(secret);
    },
    { signingKey: SIGNING_KEY },
  );
});
