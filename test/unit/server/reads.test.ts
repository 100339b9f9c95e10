import { expect, test } from 'vitest';
import { Reads } from '../../../src/server/reads.ts';

/** A read whose answers are given by hand: the number of the read. */
function source() {
  let count = 0;
  const open: (() => void)[] = [];
  const read = async (): Promise<number> => {
    count += 1;
    const number = count;
    await new Promise<void>((resolve) => open.push(resolve));
    return number;
  };
  const answer = (): void => open.shift()?.();
  return { read, answer, count: () => count };
}

const settled = async (): Promise<void> => await new Promise((resolve) => setImmediate(resolve));

test('who asks while a read is under way gets the next one, shared with all who come meanwhile', async () => {
  const reads = new Reads();
  const { read, answer, count } = source();
  const first = reads.share('k', read);
  const [second, third] = [reads.share('k', read), reads.share('k', read)];
  expect(count()).toBe(1);
  answer();
  expect(await first).toBe(1);
  await settled();
  expect(count()).toBe(2);
  const fourth = reads.share('k', read);
  answer();
  expect(await Promise.all([second, third])).toEqual([2, 2]);
  await settled();
  answer();
  expect(await fourth).toBe(3);
});

test('other keys are other reads, and one that fails does not fail the next', async () => {
  const reads = new Reads();
  const fails = reads.share('k', async () => await Promise.reject(new Error('no')));
  const next = reads.share('k', async () => 'yes');
  expect(await reads.share('other', async () => 'other')).toBe('other');
  await expect(fails).rejects.toThrow('no');
  expect(await next).toBe('yes');
});

test('what may be kept is read once for a while, and not kept if it failed', async () => {
  const reads = new Reads();
  let count = 0;
  const read = async (): Promise<number> => (count += 1);
  expect(await reads.keep('k', 60_000, read)).toBe(1);
  expect(await reads.keep('k', 60_000, read)).toBe(1);
  await expect(reads.keep('f', 60_000, async () => await Promise.reject(new Error('no')))).rejects.toThrow('no');
  await settled();
  expect(await reads.keep('f', 60_000, read)).toBe(2);
});
