/** Turns whatever was thrown into the one kind of error that is shown. */

import type { Command, CommanderError } from 'commander';
import { SignalboxError } from '../errors.ts';
import { readForbidden, readFull } from '../redis/refusal.ts';
import { wordsOf } from './words.ts';

/** What ioredis says when Redis goes away in the middle of a command. */
const CONNECTION_LOST =
  /^Connection is closed|^Stream isn't writeable|^Reached the max retries per request|ECONNREFUSED|ECONNRESET|ETIMEDOUT/;

/** A SignalboxError as it is, a lost connection as REDIS_UNREACHABLE, a refusal as REDIS_FULL or FORBIDDEN, else INTERNAL. */
export function readError(error: unknown): SignalboxError {
  if (error instanceof SignalboxError) return error;
  const refused = readFull(error) ?? readForbidden(error);
  if (refused !== undefined) return refused;
  const message = error instanceof Error ? error.message : String(error);
  if (CONNECTION_LOST.test(message)) {
    return new SignalboxError('REDIS_UNREACHABLE', `The connection to Redis was lost: ${message}`, {
      next: 'See whether Redis runs (`signalbox doctor`), then try again.',
      cause: error,
    });
  }
  return new SignalboxError('INTERNAL', `Something failed that should not: ${message}`, {
    next: 'Run it again with SIGNALBOX_LOG_LEVEL=debug and report what it prints.',
    cause: error,
  });
}

/** An error for a command that was typed wrongly. */
export function usage(message: string, next: string): SignalboxError {
  return new SignalboxError('USAGE', message, { next });
}

/** What commander objects to, with its near miss as the next step. */
export function usageError(error: CommanderError, program: Command, argv: readonly string[]): SignalboxError {
  const name = wordsOf(program, argv).find((word) => program.commands.some((command) => command.name() === word));
  const help = `signalbox ${name === undefined ? '' : `${name} `}--help`;
  if (error.code === 'commander.help') return usage('No command was given.', `See them with \`${help}\`.`);
  const [what = '', ...hints] = error.message.replace(/^error: /, '').split('\n');
  const near = /Did you mean (.*)\?/i.exec(hints.join(' '))?.[1];
  const next = near === undefined ? `See \`${help}\`.` : `Did you mean \`${near}\`? See \`${help}\`.`;
  return usage(`${what[0]?.toUpperCase() ?? ''}${what.slice(1).replace(/\.$/, '')}.`, next);
}
