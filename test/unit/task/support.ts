import { SignalboxError } from '../../../src/errors.ts';

/** The smallest task that is valid. */
export const SMALL_TASK = { title: 'Do it', repo: 'git@git.example.com:acme/app.git', implement: ['npm ci'] };

/** The SignalboxError that `run` throws; anything else fails the test. */
export function refusal(run: () => unknown): SignalboxError {
  try {
    run();
  } catch (error) {
    if (error instanceof SignalboxError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}
