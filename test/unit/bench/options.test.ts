import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { HELP, type Options, readOptions } from '../../../scripts/bench/options.ts';
import { BY_DEFAULT, ON_REQUEST } from '../../../scripts/bench/questions/all.ts';

const read = (...args: string[]): Options => {
  const options = readOptions(args);
  if (options === 'help') throw new Error('help was not asked for');
  return options;
};

describe('the bench’s options', () => {
  it('ask every question by default, but for those about forecasts', () => {
    expect(read().questions).toEqual(BY_DEFAULT);
    expect(read()).toMatchObject({ runs: undefined, seed: 1, quick: false, html: resolve('bench.html') });
  });

  it('name some questions, in any order, and those that are not asked by default', () => {
    expect(read('--only', 'cost, estimate').questions.map(({ name }) => name)).toEqual(['cost', 'estimate']);
  });

  it('refuse a question that is not there, and name those that are', () => {
    expect(() => read('--only', 'cost,speed')).toThrow(
      /--only speed: there is no such question; there are contention,/,
    );
  });

  it('refuse numbers that are none', () => {
    expect(() => read('--runs', '0')).toThrow('--runs must be a whole number');
    expect(() => read('--seed', 'x')).toThrow('--seed must be a whole number');
  });

  it('are told by --help, with every question', () => {
    expect(readOptions(['--help'])).toBe('help');
    for (const { name, asks } of [...BY_DEFAULT, ...ON_REQUEST]) {
      expect(HELP).toContain(`  ${name} `);
      expect(HELP).toContain(asks);
    }
  });
});
