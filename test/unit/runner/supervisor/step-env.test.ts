import { describe, expect, it } from 'vitest';
import { type StepEnvInput, stepEnv } from '../../../../src/runner/supervisor/step-env.ts';
import { slotVariable } from '../../../../src/task/slots.ts';

const input: StepEnvInput = {
  base: { PATH: '/bin' },
  taskEnv: {},
  secrets: {},
  runner: { taskId: 't1', runnerId: 'r1', run: 2, workspace: '/w', branch: 'task/x' },
  home: '/home-of-run',
};

describe('the environment of a step', () => {
  it('takes over what is on the allow list and nothing else', () => {
    const base = {
      PATH: '/bin',
      LANG: 'de_DE.UTF-8',
      LC_ALL: 'C',
      TZ: 'UTC',
      CI: '1',
      HOME: '/root',
      SSH_AUTH_SOCK: '/s',
      AWS_SECRET_ACCESS_KEY: 'k',
      REDIS_URL: 'redis://:pw@host',
      SIGNALBOX_TOKEN: 't',
      SIGNALBOX_QUEUE: 'q',
      NODE_OPTIONS: '--inspect',
      EDITOR: 'vi',
      UNSET: undefined,
    };
    const env = stepEnv({ ...input, base, allow: ['EDITOR', 'UNSET', 'SIGNALBOX_TOKEN'] });
    expect(Object.keys(env).sort()).toEqual(
      [
        'EDITOR',
        'GIT_AUTHOR_EMAIL',
        'GIT_AUTHOR_NAME',
        'GIT_COMMITTER_EMAIL',
        'GIT_COMMITTER_NAME',
        'GIT_CONFIG_NOSYSTEM',
        'GIT_SSH_COMMAND',
        'GIT_TERMINAL_PROMPT',
        'HOME',
        'LANG',
        'LC_ALL',
        'PATH',
        'SIGNALBOX_BRANCH',
        'SIGNALBOX_RUN',
        'SIGNALBOX_RUNNER_ID',
        'SIGNALBOX_TASK_ID',
        'SIGNALBOX_WORKSPACE',
        'TERM',
        'TMPDIR',
        'TZ',
      ].sort(),
    );
    expect(env).toMatchObject({
      HOME: '/home-of-run',
      TMPDIR: '/home-of-run/tmp',
      TERM: 'dumb',
      GIT_TERMINAL_PROMPT: '0',
    });
  });

  it('tells the step its run, and nobody else can', () => {
    const forged = { SIGNALBOX_RUN: '99', SIGNALBOX_ANYTHING: 'x' };
    const runner = { ...input.runner, socket: '/s', slots: { 'staging-db': 1 } };
    const env = stepEnv({ ...input, base: forged, taskEnv: forged, secrets: forged, runner });
    expect(Object.fromEntries(Object.entries(env).filter(([name]) => name.startsWith('SIGNALBOX_')))).toEqual({
      SIGNALBOX_TASK_ID: 't1',
      SIGNALBOX_RUNNER_ID: 'r1',
      SIGNALBOX_RUN: '2',
      SIGNALBOX_WORKSPACE: '/w',
      SIGNALBOX_BRANCH: 'task/x',
      SIGNALBOX_SOCKET: '/s',
      SIGNALBOX_SLOT_STAGING_DB: '1',
    });
  });

  it('lets the task set variables, a git identity too, and its secrets win over them', () => {
    const env = stepEnv({
      ...input,
      taskEnv: { CI: '1', GIT_AUTHOR_NAME: 'Ada', TOKEN: 'plain' },
      secrets: { TOKEN: 's' },
    });
    expect(env).toMatchObject({ CI: '1', GIT_AUTHOR_NAME: 'Ada', GIT_COMMITTER_NAME: 'Signalbox', TOKEN: 's' });
  });

  it('has a PATH even if the worker has none', () => {
    expect(stepEnv({ ...input, base: {} })['PATH']).toContain('/usr/bin');
  });

  it('names a slot by its resource', () => {
    expect(slotVariable('staging-db.2')).toBe('SIGNALBOX_SLOT_STAGING_DB_2');
  });
});
