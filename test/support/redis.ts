import { ulid } from 'ulid';
import { inject } from 'vitest';

/** The URL of the Redis that all tests of this run share. */
export function testRedisUrl(): string {
  return inject('redisUrl');
}

/** A queue name that no other test uses, in this run or another: its keys are a world of their own. */
export function freshQueueName(): string {
  return `test-${ulid().toLowerCase()}`;
}
