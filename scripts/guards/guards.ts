/** The guards that the promises rest on, each with the change that takes it out and the test that must then fail. */

/** A guard. */
export interface Guard {
  /** What it is, in the words of docs/guarantees.md. */
  readonly name: string;
  /** Where it stands. */
  readonly file: string;
  /** The text that is it, found there exactly once, and what takes its place. */
  readonly from: string;
  readonly to: string;
  /** The test that goes red without it. */
  readonly test: { readonly file: string; readonly name: string };
}

const FENCE = 'test/integration/git/fence.test.ts';
const RACES = 'test/integration/waiting/races.test.ts';

/** All of them. */
export const GUARDS: readonly Guard[] = [
  {
    name: "a runner's own deadline: it stops whether or not Redis answers",
    file: 'src/claims/claim.ts',
    from: "if (this.leftMs === 0) this.#lose('its deadline passed without a good renewal');",
    to: '',
    test: {
      file: 'test/integration/claims/claim.test.ts',
      name: 'is lost by its own deadline, before the TTL is over, while Redis does not answer',
    },
  },
  {
    name: "a supervisor's deadline: it ends the steps of a worker that stands still",
    file: 'src/runner/supervisor/run-table.ts',
    from: 'if (run.isOpen && hasPassed(run.deadline)) {',
    to: 'if (run.isOpen && hasPassed(run.deadline) && run.deadline.bootMs < 0) {',
    test: {
      file: 'test/integration/supervisor/death.test.ts',
      name: 'everything of a run dies at its deadline while its worker is stopped',
    },
  },
  {
    name: 'a supervisor that does not answer is killed, and its runs with it',
    file: 'src/runner/supervisor/client.ts',
    from: "() => child.kill('SIGKILL')",
    to: '() => false',
    test: {
      file: 'test/integration/supervisor/death.test.ts',
      name: 'a supervisor that hangs is killed, and everything of its runs',
    },
  },
  {
    name: 'a reaper ends what a dead holder left running before it frees what that held',
    file: 'src/runner/worker.ts',
    from: ', events, endLeftovers }',
    to: ', events }',
    test: {
      file: 'test/system/faults/processes.test.ts',
      name: 'that goes down together with its worker leaves nothing behind, whether they are killed or stopped',
    },
  },
  {
    name: 'the token: a push extends the ledger from it',
    file: 'src/git/fence.ts',
    from: '[{ ref, from: token, to: entry }, ...updates]',
    to: 'updates',
    test: { file: FENCE, name: 'publishes nothing, although its branch is where it saw it' },
  },
  {
    name: 'the look-up: a run begins by reading the ledger',
    file: 'src/git/fence.ts',
    from: "if (tip?.kind === 'published') return",
    to: "if (tip?.kind === 'published' && writer.run < 0) return",
    test: { file: FENCE, name: 'tells every later run of the publication, even one that believes to be the first' },
  },
  {
    name: 'doubt is decided by extending the ledger',
    file: 'src/git/fence.ts',
    from: 'return await decide(mirror, { fence, entry, error: answer.error });',
    to: "return { kind: 'undone', fence, error: answer.error };",
    test: {
      file: FENCE,
      name: 'is a publication when it has landed, be its client dead and its branch built upon or gone',
    },
  },
  {
    name: 'the descent check: a branch only goes forward',
    file: 'src/git/publisher.ts',
    from: 'if (!(await isForward(mirror, update))) {',
    to: "if (!(await isForward(mirror, update)) && commit === '') {",
    test: {
      file: 'test/integration/git/publisher.test.ts',
      name: 'refuses a rewritten history although the lease would let it through',
    },
  },
  {
    name: "a branch's lease: it is where the run saw it",
    file: 'src/git/push.ts',
    from: "`--force-with-lease=${ref}:${from ?? ''}`",
    to: "`--force-with-lease=${ref}${from === to ? from : ''}`",
    test: {
      file: 'test/integration/git/publisher.test.ts',
      name: 'leaves a branch alone that a person moved, and tells both tips',
    },
  },
  {
    name: 'a job is parked in the step that files its ticket',
    file: 'src/claims/outcome.lua',
    from: 'park_job(id, run.token, until_ms)',
    to: '',
    test: { file: RACES, name: 'a worker that dies when it has parked a job leaves it to be woken' },
  },
  {
    name: 'whoever is served is woken in the step that serves it',
    file: 'src/waiting/line.lua',
    from: "if ticket.kind == 'task' then promote_job(ticket.id)",
    to: "if ticket.kind == 'task' then ticket.woken = false",
    test: { file: RACES, name: 'a releaser that dies right after its release has woken whoever it served' },
  },
  {
    name: 'only a worker that has the job parks it',
    file: 'src/queue/bull.lua',
    from: 'if not has_job(id, token) or',
    to: 'if token == nil or',
    test: {
      file: 'test/integration/queue/bull-keys.test.ts',
      name: 'a job whose lock another worker has is not parked, and one that does not sleep is not promoted',
    },
  },
  {
    name: 'a reaper counts from the first look since when nothing was renewed',
    file: 'src/claims/silence.ts',
    from: 'sinceMs: isSame ? seen.sinceMs : at',
    to: 'sinceMs: seen?.sinceMs ?? at',
    test: {
      file: 'test/unit/claims/silence.test.ts',
      name: 'not before a live one has stopped itself, whenever Redis’ clock steps and however late the looks are',
    },
  },
  {
    name: 'only release and the reaper free a claim, not the end of its lease',
    file: 'src/claims/nodes.lua',
    from: '  if is_barred(text, node[2]) then\n',
    to: `  local held = is_barred(text, node[2])
  if held then
    held = false
    for _, holder in ipairs(excluding_holders(node[1], node[2])) do
      held = held or redis.call('EXISTS', PREFIX .. 'lease:' .. holder) == 1
    end
  end
  if held then
`,
    test: {
      file: 'test/integration/claims/admission.test.ts',
      name: 'whose lease is gone still blocks until it is reaped, and then the line is served',
    },
  },
  {
    name: 'only the worker that has the job may acquire',
    file: 'src/claims/acquire.lua',
    from: ' or (request.run and not has_job(request.task, request.run.token))',
    to: '',
    test: { file: RACES, name: 'a worker that asks when another has the job by now is refused and files nothing' },
  },
  {
    name: 'only the newest run writes to the record',
    file: 'src/queue/state.lua',
    from: "if guard == 'run' and (t[3] or '') .. ' ' .. (t[6] or '') ~= number then return 'superseded' end",
    to: '',
    test: {
      file: 'test/integration/queue/writers.test.ts',
      name: 'only the newest run writes, told by its number and its runner',
    },
  },
  {
    name: 'the signature: only what somebody with the key submitted runs',
    file: 'src/runner/take.ts',
    from: 'store.signer?.check(record);',
    to: '',
    test: {
      file: 'test/system/security/signing.test.ts',
      name: 'a task that was altered in Redis is set aside before it has done anything',
    },
  },
  {
    name: 'hooks are suppressed: git runs none, wherever it works',
    file: 'src/git/git-env.ts',
    from: "  ['core.hooksPath', '/dev/null'],\n",
    to: '',
    test: { file: 'test/integration/git/git.test.ts', name: 'runs no hook of the repository that it works in' },
  },
  {
    name: "a task's own git folder is never Signalbox's",
    file: 'src/git/control.ts',
    from: 'git(args, { ...options, gitDir: controlDir(dir), cwd: dir,',
    to: "git(args, { ...options, gitDir: join(dir, '.git'), cwd: dir,",
    test: { file: 'test/integration/git/planted.test.ts', name: 'a task cannot make Signalbox run' },
  },
  {
    name: 'the last word: the ledger is asked before a task ends that no run can vouch for',
    file: 'src/runner/last-word.ts',
    from: "if (record.fence !== 'ledger' || record.run === 0) return NOTHING;",
    to: 'if (record.run >= 0) return NOTHING;',
    test: { file: 'test/system/faults/cancel.test.ts', name: 'has succeeded if the push had landed' },
  },
];
