import { describe, expect, test, vi } from 'vitest';
import { EVENTS } from '../../../src/telemetry/catalogue.ts';
import { createEvents, type StampedEvent } from '../../../src/telemetry/events.ts';

const started = { type: 'worker.stopped', workerId: 'w-1' } as const;

describe('events', () => {
  test('reach those who subscribed to their type and to all, with the time', () => {
    const events = createEvents({ now: () => 0 });
    const seen: string[] = [];
    events.on('worker.stopped', (event) => seen.push(`one ${event.workerId} ${event.at}`));
    events.on('*', (event) => seen.push(`all ${event.type}`));
    events.on('lease.lost', () => seen.push('never'));
    events.emit(started);
    expect(seen).toEqual(['one w-1 1970-01-01T00:00:00.000Z', 'all worker.stopped']);
  });

  test('no longer reach who has left, even when the same function came twice', () => {
    const events = createEvents();
    const subscriber = vi.fn();
    const leave = events.on('*', subscriber);
    events.on('*', subscriber);
    leave();
    leave();
    events.emit(started);
    expect(subscriber).toHaveBeenCalledTimes(1);
  });

  test('harm nobody when a subscriber throws or rejects', async () => {
    const failures: [unknown, string][] = [];
    const events = createEvents({ onSubscriberError: (error, event) => failures.push([error, event.type]) });
    const last = vi.fn();
    events.on('*', () => {
      throw new Error('thrown');
    });
    events.on('*', () => Promise.reject(new Error('rejected')));
    events.on('*', last);
    expect(() => events.emit(started)).not.toThrow();
    expect(last).toHaveBeenCalledOnce();
    await vi.waitFor(() => expect(failures).toHaveLength(2));
    expect(failures.map(([error]) => (error as Error).message)).toEqual(['thrown', 'rejected']);
  });

  test('harm nobody even when who is told of failures fails', () => {
    const events = createEvents({
      onSubscriberError: () => {
        throw new Error('again');
      },
    });
    events.on('*', () => {
      throw new Error('thrown');
    });
    expect(() => events.emit(started)).not.toThrow();
  });

  test('cannot be changed by a subscriber, and one that subscribes meanwhile hears the next', () => {
    const events = createEvents();
    const late = vi.fn();
    events.on('*', (event) => {
      expect(Object.isFrozen(event)).toBe(true);
      events.on('*', late);
    });
    events.emit(started);
    expect(late).not.toHaveBeenCalled();
    events.emit(started);
    expect(late).toHaveBeenCalledOnce();
  });
});

test('the catalogue says of every event when it comes', () => {
  for (const [type, { description }] of Object.entries(EVENTS)) {
    expect(type).toMatch(/^[a-z]+\.[a-z_]+$/);
    expect(description).toMatch(/^[A-Z].*[.]$/);
  }
  const typed: StampedEvent['type'][] = ['task.started', 'worker.supervisor_replaced', 'undeclared.changed'];
  for (const type of typed) expect(EVENTS).toHaveProperty([type]);
});
