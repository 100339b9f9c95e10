import { describe, expect, it } from 'vitest';
import {
  bytesWords,
  countWords,
  numberWords,
  resourceParts,
  shortId,
  shortRepo,
} from '../../../../src/server/page/words/amount.ts';
import { hasEnded, STATES } from '../../../../src/server/page/words/state.ts';
import { agoWords, dateWords, durationWords } from '../../../../src/server/page/words/time.ts';
import { STATES as ALL_STATES, TERMINAL_STATES } from '../../../../src/task/states.ts';

describe('a duration', () => {
  it.each([
    [0, '0 ms'],
    [840, '840 ms'],
    [4_240, '4.2 s'],
    [9_960, '10 s'],
    [59_499, '59 s'],
    [192_000, '3 m 12 s'],
    [3_600_000, '1 h'],
    [7_500_000, '2 h 5 m'],
    [273_600_000, '3 d 4 h'],
    [-5, '0 ms'],
  ])('of %d ms reads %s', (ms, words) => {
    expect(durationWords(ms)).toBe(words);
  });

  it('that is not known is a dash', () => {
    expect([durationWords(null), durationWords(undefined), durationWords(Number.NaN)]).toEqual(['–', '–', '–']);
  });

  it('never says 60 of a unit', () => {
    const edges = [999.7, 59_600, 3_599_700, 86_399_800].flatMap((ms) => [ms - 1_000, ms, ms + 1_000]);
    for (const ms of edges) expect(durationWords(ms)).not.toMatch(/\b(?:60 [ms]|1000 ms|24 h)\b/);
  });
});

describe('a time', () => {
  it('is told by how long ago it was, or will be', () => {
    const now = 1_000_000_000;
    const told = [now - 2_000, now - 42_000, now - 180_000, now + 7_200_000].map((at) => agoWords(at, now));
    expect(told).toEqual(['just now', '42 s ago', '3 m ago', 'in 2 h']);
  });

  it('is told as the clock on the wall shows it', () => {
    expect(dateWords(new Date(2026, 2, 9, 4, 3, 9).getTime())).toBe('2026-03-09 04:03:09');
  });
});

describe('an amount', () => {
  it('has commas, units and the right number', () => {
    expect([countWords(1, 'task'), countWords(12_000, 'task'), numberWords(1_234_567)]).toEqual([
      '1 task',
      '12,000 tasks',
      '1,234,567',
    ]);
    expect([512, 3_440, 999_600, 12_000_000].map(bytesWords)).toEqual(['512 B', '3.4 kB', '1.0 MB', '12 MB']);
  });
});

describe('a name', () => {
  it.each([
    ['git@git.example.com:acme/app.git', 'acme/app'],
    ['https://git.example.com/acme/app/', 'acme/app'],
    ['/srv/git/acme/app.git', 'acme/app'],
    ['app', 'app'],
  ])('of the repository %s is short as %s', (repo, short) => {
    expect(shortRepo(repo)).toBe(short);
  });

  it('of a task is told by its end, where ids differ', () => {
    expect(shortId('tx9n4t3-0000000g-j78psg')).toBe('…j78psg');
  });

  it('of a resource keeps what follows the first colon, and the root of a repository has one', () => {
    expect(resourceParts('path:src/a:b.ts')).toEqual(['path', 'src/a:b.ts']);
    expect(resourceParts('path:')).toEqual(['path', 'the whole repository']);
  });
});

describe('the states that the page knows', () => {
  it('are those of tasks, and final ones end', () => {
    expect(STATES).toEqual(ALL_STATES);
    expect(STATES.filter(hasEnded)).toEqual(TERMINAL_STATES);
  });
});
