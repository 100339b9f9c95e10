/** What git processes see: an environment built from nothing, and the configuration that keeps planted code asleep. */

/** The environment of the user, as the configuration read it. */
export type UserEnv = Readonly<Record<string, string | undefined>>;

/** A configuration key and its value. */
export type ConfigEntry = readonly [key: string, value: string];

/**
 * Switches off whatever a repository could bring along. Filters, external diffs and aliases cannot be switched off
 * by name: they are kept out by never letting git read the configuration of a repository that a task can write.
 */
const HARDENING: readonly ConfigEntry[] = [
  ['core.hooksPath', '/dev/null'],
  ['core.fsmonitor', 'false'],
  ['core.untrackedCache', 'false'],
  ['core.splitIndex', 'false'],
  ['core.quotePath', 'false'],
  // Empty, so that no window of SSH_ASKPASS opens; GIT_ASKPASS, which is made for programs, comes before it.
  ['core.askPass', ''],
  ['gc.auto', '0'],
  ['maintenance.auto', 'false'],
  ['safe.bareRepository', 'explicit'],
  ['submodule.recurse', 'false'],
  ['fetch.recurseSubmodules', 'false'],
  ['protocol.allow', 'never'],
  ['protocol.https.allow', 'always'],
  ['protocol.http.allow', 'always'],
  ['protocol.ssh.allow', 'always'],
  ['protocol.file.allow', 'always'],
  // Many runs share a mirror: wait for one another's short locks instead of failing.
  ['core.filesRefLockTimeout', '10000'],
  ['core.packedRefsTimeout', '10000'],
];

/** A connection that has died ends by itself; the user's own settings come later and win. */
const PATIENCE: readonly ConfigEntry[] = [
  ['http.lowSpeedLimit', '1'],
  ['http.lowSpeedTime', '120'],
  // Stands back for GIT_SSH_COMMAND by git's own order, and for GIT_SSH below.
  ['core.sshCommand', 'ssh -o BatchMode=yes -o ConnectTimeout=30 -o ServerAliveInterval=30 -o ServerAliveCountMax=4'],
];

const ALWAYS = /^(PATH|TMPDIR|TZ)$/;

/** What a remote needs: the user's home, keys, agents, proxies and what credential helpers of forges read. */
const FOR_REMOTES =
  /^(HOME|USER|LOGNAME|XDG_\w+|SSH_\w+|GIT_SSH\w*|GIT_ASKPASS|GIT_SSL_\w+|SSL_CERT_\w+|CURL_CA_BUNDLE|\w+_proxy|\w+_PROXY|DBUS_SESSION_BUS_ADDRESS|GNUPGHOME|PASSWORD_STORE_\w+|GCM_\w+|GH_\w+|GITHUB_TOKEN|GITLAB_TOKEN|AWS_\w+)$/;

const FIXED: Readonly<Record<string, string>> = {
  LC_ALL: 'C',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_ATTR_NOSYSTEM: '1',
  GIT_TERMINAL_PROMPT: '0',
  GIT_OPTIONAL_LOCKS: '0',
  GIT_LITERAL_PATHSPECS: '1',
  GIT_PAGER: 'cat',
  // Refs are read from files, whatever a later git makes of new repositories.
  GIT_DEFAULT_REF_FORMAT: 'files',
  GIT_EDITOR: 'true',
};

/** What a user's environment makes of the environments of git. */
export interface GitEnvs {
  /** Of a git that stays on this machine. */
  readonly local: (config: readonly ConfigEntry[]) => Record<string, string>;
  /** Of a git that talks to a remote; `settings` are the user's; what comes later wins. */
  readonly remote: (settings: readonly ConfigEntry[], config: readonly ConfigEntry[]) => Record<string, string>;
}

/** Reads the user's environment once. */
export function gitEnvs(user: UserEnv): GitEnvs {
  const always = { ...pick(user, ALWAYS), ...FIXED };
  const forRemotes = { ...pick(user, FOR_REMOTES), ...always };
  const patience = PATIENCE.filter(([key]) => key !== 'core.sshCommand' || forRemotes['GIT_SSH'] === undefined);
  return {
    local: (config) => ({ ...always, ...configEnv([...HARDENING, ...config]) }),
    remote: (settings, config) => ({
      ...forRemotes,
      ...configEnv([...patience, ...settings, ...HARDENING, ...config]),
    }),
  };
}

function configEnv(entries: readonly ConfigEntry[]): Record<string, string> {
  const env: Record<string, string> = { GIT_CONFIG_COUNT: String(entries.length) };
  for (const [index, [key, value]] of entries.entries()) {
    env[`GIT_CONFIG_KEY_${index}`] = key;
    env[`GIT_CONFIG_VALUE_${index}`] = value;
  }
  return env;
}

function pick(env: UserEnv, wanted: RegExp): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined && wanted.test(entry[0])),
  );
}
