import { describe, expect, test } from 'vitest';
import { parseTask, parseTasks } from '../../../src/task/schema.ts';
import { readTaskText } from '../../../src/task/text.ts';
import { refusal, SMALL_TASK } from './support.ts';

const nest = (depth: number): unknown => Array.from({ length: depth }).reduce((inner) => [inner], 1);
const step = (input: unknown) => [{ handler: 'h', input }];

/** What is wrong, the field that must be named, what to put into a valid task. */
const INVALID: [name: string, field: string, change: Record<string, unknown>][] = [
  ['no title', 'title', { title: undefined }],
  ['blank title', 'title', { title: ' ' }],
  ['title of 201 characters', 'title', { title: 'x'.repeat(201) }],
  ['title with a line break', 'title', { title: 'a\nb' }],
  ['title with an escape character', 'title', { title: 'a\u001b[31m' }],
  ['no repository', 'repo', { repo: undefined }],
  ['repository of a foreign transport', 'repo', { repo: 'ext::sh -c id' }],
  ['repository with a password', 'repo', { repo: 'https://me:hunter2@git.example.com/a/b' }],
  ['repository with CR and LF', 'repo', { repo: 'https://git.example.com/a\r\nb' }],
  ['repository that looks like an option', 'repo', { repo: '--upload-pack=id' }],
  ['branch that looks like an option', 'branch', { branch: '-x' }],
  ['branch --upload-pack', 'branch', { branch: '--upload-pack=touch x' }],
  ['branch a..b', 'branch', { branch: 'a..b' }],
  ['branch x.lock', 'branch', { branch: 'x.lock' }],
  ['branch @{', 'branch', { branch: 'a@{1}' }],
  ['base that looks like an option', 'base', { base: '-x' }],
  ['base `task:` without a task', 'base', { base: 'task:' }],
  ['base `task:` with a blank', 'base', { base: 'task: login' }],
  ['base `task:` with a line break', 'base', { base: 'task:a\nb' }],
  ['base `task:` with 201 characters', 'base', { base: `task:${'x'.repeat(201)}` }],
  ['path above the repository', 'claims.write[1]', { claims: { write: ['ok', '../x'] } }],
  ['absolute path', 'claims.read[0]', { claims: { read: ['/etc/passwd'] } }],
  ['path into .git', 'claims.write[0]', { claims: { write: ['.git/config'] } }],
  ['path into .GIT', 'claims.write[0]', { claims: { write: ['sub/.GIT'] } }],
  ['path with NUL', 'claims.write[0]', { claims: { write: ['a\0b'] } }],
  ['path with a backslash', 'claims.write[0]', { claims: { write: ['a\\b'] } }],
  ['name of 4 kB', 'claims.write[0]', { claims: { write: ['x'.repeat(4096)] } }],
  ['path of 4 kB', 'claims.write[0]', { claims: { write: ['x/'.repeat(2048)] } }],
  ['included path above the repository', 'include[0]', { include: ['a/../..'] }],
  ['more than 10,000 paths', 'claims.write', { claims: { write: Array.from({ length: 10_001 }, (_, i) => `${i}`) } }],
  [
    'more than 10,000 paths in all',
    'claims',
    { claims: { write: Array(6000).fill('a') as string[], read: Array(6000).fill('b') as string[] } },
  ],
  ['claims that are a list', 'claims', { claims: ['a'] }],
  ['resource that is no name', 'claims.resources[1]', { claims: { resources: ['db', 'staging db'] } }],
  ['resource with its kind', 'claims.resources[0]', { claims: { resources: ['resource:db'] } }],
  ['empty resource', 'claims.resources[0]', { claims: { resources: [''] } }],
  ['resource of 101 characters', 'claims.resources[0]', { claims: { resources: ['x'.repeat(101)] } }],
  ['resource with a number of slots', 'claims.resources', { claims: { resources: { db: 2 } } }],
  ['resource that is named twice', 'claims.resources[1]', { claims: { resources: ['db', 'db'] } }],
  ['resources with one variable', 'claims.resources[2]', { claims: { resources: ['a-b', 'a', 'A.b'] } }],
  [
    'more than 100 resources',
    'claims.resources',
    { claims: { resources: Array.from({ length: 101 }, (_, i) => `r${i}`) } },
  ],
  ['wrong end of the claims', 'claims.until', { claims: { until: 'megred' } }],
  ['wrong word for undeclared files', 'claims.undeclared', { claims: { undeclared: true } }],
  ['unknown field', 'clams', { clams: {} }],
  ['unknown field of the claims', 'claims.wirte', { claims: { wirte: [] } }],
  ['unknown field of a step', 'implement[0].comand', { implement: [{ comand: 'x' }] }],
  ['no step', 'implement', { implement: [] }],
  ['step with nothing to run', 'implement[0]', { implement: [{ name: 'x' }] }],
  ['step with both run and handler', 'implement[0]', { implement: [{ run: 'x', handler: 'y' }] }],
  ['input without a handler', 'implement[0]', { implement: [{ run: 'x', input: 1 }] }],
  ['empty command', 'implement[0]', { implement: [''] }],
  ['empty argv', 'implement[0]', { implement: [[]] }],
  ['argv without a program', 'implement[0][0]', { implement: [['', 'x']] }],
  ['argv with a number', 'implement[0][1]', { implement: [['sleep', 5]] }],
  ['more than 100 steps', 'implement', { implement: Array(101).fill('true') as string[] }],
  ['too many retries', 'test[0].retries', { test: [{ run: 'x', retries: 21 }] }],
  ['test that is a word', 'test', { test: 'npm test' }],
  ['wrong policy', 'onConflict', { onConflict: 'wiat' }],
  ['wrong priority', 'priority', { priority: 'asap' }],
  ['priority that is no text, nor can be made one', 'priority', { priority: { toString: 0 } }],
  ['wrong way to publish', 'publish', { publish: 'merge' }],
  ['preemptible that is a boolean', 'preemptible', { preemptible: true }],
  ['duration that is none', 'timeout', { timeout: 'soon' }],
  ['negative duration', 'timeout', { timeout: -1 }],
  ['duration of zero', 'stallTimeout', { stallTimeout: 0 }],
  ['duration beyond 30 days', 'waitTimeout', { waitTimeout: '31d' }],
  ['no attempts', 'attempts', { attempts: 0 }],
  ['half an attempt', 'attempts', { attempts: 1.5 }],
  ['variable name with a space', 'env["A B"]', { env: { 'A B': '1' } }],
  ['variable of Signalbox', 'env.SIGNALBOX_TOKEN', { env: { SIGNALBOX_TOKEN: '1' } }],
  ['variable that is a number', 'env.A', { env: { A: 1 } }],
  ['secret with a wrong name', 'secrets[0]', { secrets: ['a-b'] }],
  ['secret that is the queue’s own', 'secrets[0]', { secrets: ['REDIS_URL'] }],
  ['secret that is also in env', 'secrets[0]', { env: { A: '1' }, secrets: ['A'] }],
  ['owner with a colon', 'owner', { owner: 'a:b' }],
  ['spec with a parenthesis', 'spec', { spec: 'a)b' }],
  ['empty key', 'idempotencyKey', { idempotencyKey: '' }],
  ['payload of 10 MB', 'message', { message: 'x'.repeat(10_000_000) }],
  ['payload of 10 MB where no bound of its own is', 'env.A', { env: { A: 'x'.repeat(10_000_000) } }],
  [
    'payload of 10 MB in many pieces',
    'env.A11',
    { env: Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`A${i}`, 'x'.repeat(90_000)])) },
  ],
  ['list of a hundred million', 'implement', { implement: Array(1e8) }],
  ['deep nesting', `implement[0].input${'[0]'.repeat(30)}`, { implement: step(nest(10_000)) }],
  ['__proto__', 'env.__proto__', JSON.parse('{"env": {"__proto__": "x"}}') as Record<string, unknown>],
  ['constructor', 'implement[0].input.constructor', { implement: step({ constructor: 1 }) }],
  ['half of a surrogate pair', 'message', { message: 'a\ud800b' }],
  ['date object', 'title', { title: new Date() }],
  ['not a number', 'implement[0].input', { implement: step(Number.NaN) }],
  ['function', 'implement[0].input', { implement: step(() => 1) }],
];

describe('a task is refused, and the field named, for', () => {
  test.each(INVALID)('%s: %s', (_name, field, change) => {
    const error = refusal(() => parseTask({ ...SMALL_TASK, ...change }));
    expect(error).toMatchObject({ code: 'INVALID', field });
    expect(error.message).toContain(field.split(/[.[]/)[0]);
    expect(error.message.length).toBeLessThan(500);
    expect(error.message).not.toContain('hunter2');
  });
});

describe('a file', () => {
  test.each([
    ['JSON', `{"title":"x","repo":"/srv/a","implement":["true"],"env":{"__proto__":"x"}}`, 'env.__proto__'],
    ['YAML', 'title: x\nrepo: /srv/a\nimplement: [true]\n__proto__: { priority: urgent }\n', '__proto__'],
    [
      'YAML, in a list',
      '- title: x\n  repo: /srv/a\n  implement: ["true"]\n  env: { __proto__: x }\n',
      '[0].env.__proto__',
    ],
  ])('with a prototype in it is refused by its place: %s', (_form, text, field) => {
    expect(refusal(() => parseTasks(readTaskText(text)))).toMatchObject({ code: 'INVALID', field });
    expect(Object.hasOwn({}, 'priority') || 'priority' in {}).toBe(false);
  });

  test('of 10 MB is refused before it is read', () => {
    expect(refusal(() => readTaskText(' '.repeat(10_000_000))).message).toContain('larger than 8 MiB');
  });

  test('nested deeply is refused', () => {
    const text = `${'['.repeat(200)}${']'.repeat(200)}`;
    const input = `{"title":"x","repo":"/srv/a","implement":[{"handler":"h","input":${text}}]}`;
    expect(refusal(() => parseTasks(readTaskText(input)))).toMatchObject({ code: 'INVALID' });
  });
});

describe('the message', () => {
  test.each([
    [{ clams: {} }, 'unknown field `clams`: did you mean `claims`?'],
    [{ title: undefined, titel: 'x' }, 'unknown field `titel`: did you mean `title`?'],
    [{ title: undefined, color: 'x' }, '`title` is missing: it must be a string'],
    [{ priority: 'hihg' }, '`priority` must be one of urgent, high, normal, low; given "hihg": did you mean `high`?'],
    [
      { onConflict: 'superseed' },
      '`onConflict` must be one of wait, fail, skip, proceed, supersede, preempt; given "superseed": did you mean `supersede`?',
    ],
    [{ base: 'task:' }, '`base` must name a task after `task:`; given "task:"'],
    [
      { claims: { resources: ['staging-db', 'staging.DB'] } },
      '`claims.resources[1]` must differ from the others in more than case and punctuation: it is SIGNALBOX_SLOT_STAGING_DB in a step; given "staging.DB"',
    ],
    [{ attempts: 'three' }, '`attempts` must be a number; given "three"'],
    [{ title: undefined }, '`title` is missing: it must be a string'],
    [{ claims: { write: ['../x'] } }, '`claims.write[0]` must not contain `..`; given "../x"'],
    [{ env: { KEY: 12345 } }, '`env.KEY` must be a string; given a number'],
    [{ repo: 'https://u:p@h/x' }, '`repo` must not contain a password; given "https://…@h/x"'],
    [{ implement: [{ run: 5 }] }, '`implement[0].run` must be a string or a list; given 5'],
    [{ implement: [] }, '`implement` must have at least 1 entry; given a list of 0'],
  ])('for %j says what was expected and given', (change, message) => {
    expect(refusal(() => parseTask({ ...SMALL_TASK, ...change })).message).toBe(message);
  });

  test.each([
    'https://me:hunter2@h/a',
    'https://me:hun/ter2@h/a',
    'me:hunter2@h:a',
    `https://me:${'x'.repeat(90)}@h/a`,
  ])('does not repeat a password: %s', (repo) => {
    expect(refusal(() => parseTask({ ...SMALL_TASK, repo })).message).not.toMatch(/hunter2|ter2|xxx/);
  });

  test('comes with all problems as details', () => {
    const error = refusal(() => parseTask({ ...SMALL_TASK, title: '', attempts: 0 }));
    expect(error.details['problems']).toMatchObject([{ field: 'title' }, { field: 'attempts' }]);
  });
});

describe('a list of tasks', () => {
  test('names the entry in front of the field', () => {
    const list = [SMALL_TASK, SMALL_TASK, { ...SMALL_TASK, branch: 'a..b' }];
    expect(refusal(() => parseTasks(list))).toMatchObject({ field: '[2].branch' });
    expect(refusal(() => parseTasks([SMALL_TASK, { ...SMALL_TASK, clams: 1 }]))).toMatchObject({
      field: '[1].clams',
      message: '`[1]`: unknown field `clams`: did you mean `claims`?',
    });
    expect(refusal(() => parseTasks([SMALL_TASK, 'x']))).toMatchObject({ field: '[1]' });
  });

  test('must not be empty', () => {
    expect(refusal(() => parseTasks([]))).toMatchObject({ code: 'INVALID' });
  });

  test.each([null, undefined, 'x', 5, true, new Map()])('is not %j', (input) => {
    expect(refusal(() => parseTasks(input))).toMatchObject({ code: 'INVALID', field: '' });
  });
});
