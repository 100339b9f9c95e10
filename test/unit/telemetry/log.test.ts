import { describe, expect, test } from 'vitest';
import { SignalboxError } from '../../../src/errors.ts';
import { createEvents } from '../../../src/telemetry/events.ts';
import { createLogger, logEvents } from '../../../src/telemetry/log.ts';

/** A logger and the lines it wrote, parsed. */
function record(level: 'debug' | 'info' | 'silent' = 'debug') {
  const lines: Record<string, unknown>[] = [];
  const write = (line: string): void => void lines.push(JSON.parse(line) as Record<string, unknown>);
  return { lines, logger: createLogger({ level, name: 'worker', stream: { write } }) };
}

describe('the log', () => {
  test('has a line for each event, at its level, with its fields', () => {
    const { lines, logger } = record();
    const events = createEvents();
    logEvents(events, logger);
    events.emit({ type: 'lease.lost', runnerId: 'r-1', reason: 'deadline' });
    events.emit({ type: 'worker.stopped', workerId: 'w-1' });
    expect(lines).toMatchObject([
      { level: 'error', name: 'worker', event: 'lease.lost', runnerId: 'r-1', reason: 'deadline', msg: 'lease.lost' },
      { level: 'info', event: 'worker.stopped', workerId: 'w-1' },
    ]);
  });

  test('leaves out what is below its level, and ends when it is told to', () => {
    const { lines, logger } = record('info');
    const events = createEvents();
    const end = logEvents(events, logger);
    events.emit({ type: 'claim.acquired', taskId: 't', runnerId: 'r', run: 1, resources: 3, handOverMs: null });
    end();
    events.emit({ type: 'worker.stopped', workerId: 'w' });
    expect(lines).toEqual([]);
  });

  test('never holds a secret', () => {
    const { lines, logger } = record();
    const secret = 'hunter2';
    logger.info({
      token: secret,
      config: { token: secret, redisUrl: `redis://:${secret}@h:1`, urls: [`https://me:${secret}@h/a`] },
      headers: { authorization: `Bearer ${secret}` },
      task: { env: { A: secret } },
      a: { b: { password: secret } },
    });
    logger.error({ err: new Error(`cannot reach redis://u:${secret}@h`) });
    const cause = new Error('why');
    logger.error({
      err: new SignalboxError('GIT', `https://u:${secret}@h refused`, { next: 'Look.', field: 'repo', cause }),
    });
    expect(lines).toHaveLength(3);
    expect(JSON.stringify(lines)).not.toContain(secret);
    expect(lines[0]).toMatchObject({ config: { redisUrl: 'redis://[redacted]@h:1' } });
    expect(lines[2]).toMatchObject({ err: { code: 'GIT', next: 'Look.', field: 'repo' } });
  });
});
