import { describe, expect, it } from 'vitest';
import { ancestors, conePatterns } from '../../../src/git/sparse.ts';

const lines = (folders: string[], parents: string[] = []) => conePatterns({ folders, parents }).trim().split('\n');

describe('the patterns of a sparse checkout', () => {
  it('are the top alone when nothing is claimed', () => {
    expect(lines([])).toEqual(['/*', '!/*/']);
  });

  it('lead down to a folder and take all below it', () => {
    expect(lines(['src/auth'])).toEqual(['/*', '!/*/', '/src/', '!/src/*/', '/src/auth/']);
  });

  it('take only the files directly inside a parent', () => {
    expect(lines([], ['src/db'])).toEqual(['/*', '!/*/', '/src/', '!/src/*/', '/src/db/', '!/src/db/*/']);
  });

  it('leave out what a claimed folder already covers', () => {
    expect(lines(['src', 'src/auth'], ['src/db', 'src'])).toEqual(['/*', '!/*/', '/src/']);
  });

  it('put each folder after those above it, whatever sorts between them', () => {
    const order = lines(['a/b', 'a-x', 'a.y/z']);
    for (const path of ['a/b', 'a.y/z']) {
      for (const above of ancestors(path)) expect(order.indexOf(`/${above}/`)).toBeLessThan(order.indexOf(`/${path}/`));
    }
  });

  it('escape what git would read as a pattern', () => {
    expect(lines(['a*b?[c]\\d'])).toContain('/a\\*b\\?\\[c]\\\\d/');
  });
});
