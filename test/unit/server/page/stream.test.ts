import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Stream } from '../../../../src/server/page/api/stream.ts';

/** A connection that a test opens, refuses and looks at. */
class FakeSource extends EventTarget {
  static readonly CLOSED = 2;
  static all: FakeSource[] = [];
  readyState = 0;

  constructor() {
    super();
    FakeSource.all.push(this);
  }

  close(): void {
    this.readyState = FakeSource.CLOSED;
  }

  /** As the browser does when the server answers something else than events. */
  refuse(): void {
    this.close();
    this.dispatchEvent(new Event('error'));
  }
}

class FakePage extends EventTarget {
  hidden = false;

  become(hidden: boolean): void {
    this.hidden = hidden;
    this.dispatchEvent(new Event('visibilitychange'));
  }
}

let seen: FakePage;
let listen: ReturnType<typeof vi.fn<(source: EventSource) => void>>;

beforeEach(() => {
  vi.useFakeTimers();
  FakeSource.all = [];
  seen = new FakePage();
  listen = vi.fn();
  vi.stubGlobal('EventSource', FakeSource);
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

const connected = (): number => FakeSource.all.filter(({ readyState }) => readyState !== FakeSource.CLOSED).length;

describe('a stream of events', () => {
  it('keeps no connection in a tab that nobody sees, and connects again when it is seen', () => {
    const stream = new Stream('/events', seen, listen);
    expect(connected()).toBe(1);
    seen.become(true);
    vi.advanceTimersByTime(60_000);
    expect(connected()).toBe(0);
    seen.become(false);
    expect(connected()).toBe(1);
    expect(listen).toHaveBeenCalledTimes(2);
    stream.close();
    expect(connected()).toBe(0);
  });

  it('makes none in a tab that was opened behind another', () => {
    seen.hidden = true;
    const stream = new Stream('/events', seen, listen);
    expect(FakeSource.all).toHaveLength(0);
    seen.become(false);
    expect(connected()).toBe(1);
    stream.close();
  });

  it('stays through a moment in another tab', () => {
    const stream = new Stream('/events', seen, listen);
    seen.become(true);
    vi.advanceTimersByTime(500);
    seen.become(false);
    vi.advanceTimersByTime(60_000);
    expect(FakeSource.all).toHaveLength(1);
    expect(connected()).toBe(1);
    stream.close();
  });

  it('comes back after a refusal, more and more slowly, and not once it is closed', () => {
    const stream = new Stream('/events', seen, listen);
    FakeSource.all.at(-1)?.refuse();
    vi.advanceTimersByTime(1_000);
    expect(FakeSource.all).toHaveLength(2);
    FakeSource.all.at(-1)?.refuse();
    vi.advanceTimersByTime(1_000);
    expect(FakeSource.all).toHaveLength(2);
    vi.advanceTimersByTime(1_000);
    expect(FakeSource.all).toHaveLength(3);
    FakeSource.all.at(-1)?.refuse();
    stream.close();
    seen.become(true);
    seen.become(false);
    vi.advanceTimersByTime(60_000);
    expect(FakeSource.all).toHaveLength(3);
    expect(connected()).toBe(0);
  });
});
