import { describe, expect, it } from 'vitest';
import { gitError, scrub, secretsOf } from '../../../src/git/git-errors.ts';

const failure = (stderr: string, remote = true) =>
  gitError({
    args: ['fetch', '--quiet'],
    answer: { exitCode: 128, stdout: '', stderr },
    failure: undefined,
    secrets: [],
    remote,
    timedOut: false,
  });

describe('an error of git', () => {
  it.each([
    "fatal: '/x' does not appear to be a git repository",
    "fatal: unable to access 'https://h/x/': Could not resolve host: h",
    'ssh: connect to host h port 22: Connection refused\nfatal: Could not read from remote repository.',
    "remote: Repository not found.\nfatal: repository 'https://h/x/' not found",
    "fatal: could not read Username for 'https://h': terminal prompts disabled",
  ])('is a remote out of reach: %s', (stderr) => {
    expect(failure(stderr).code).toBe('REMOTE_UNREACHABLE');
    expect(failure(stderr, false).code).toBe('GIT');
  });

  it('shows the line that tells, not the advice after it', () => {
    const stderr = 'fatal: bad object abc\n\nPlease make sure you have the correct access rights\n';
    expect(failure(stderr).message).toBe('git fetch failed: bad object abc');
    expect(failure('').message).toBe('git fetch failed: exit code 128');
  });

  it('shows no passwords: in addresses, and values that are known', () => {
    expect(scrub("at 'https://ada:pw@h/x' and https://token@h/y", [])).toBe("at 'https://***@h/x' and https://***@h/y");
    expect(scrub('ssh://git@h/x, a@b', [])).toBe('ssh://git@h/x, a@b');
    const env = {
      GIT_CONFIG_KEY_0: 'http.https://h/.extraHeader',
      GIT_CONFIG_VALUE_0: 'Authorization: Bearer 0123456789abcdef',
      GIT_CONFIG_KEY_1: 'url.x.insteadOf',
      GIT_CONFIG_VALUE_1: 'shown',
      GITHUB_TOKEN: 'ghx_secret',
    };
    expect(scrub('sent 0123456789abcdef with ghx_secret, shown', secretsOf(env))).toBe('sent *** with ***, shown');
  });
});
