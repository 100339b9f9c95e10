import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Replies } from '../../../../src/runner/supervisor/replies.ts';

describe('requests to the supervisor', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('are matched with their replies by number', async () => {
    const replies = new Replies(1_000, vi.fn());
    const ids: number[] = [];
    const [first, second] = [replies.expect((id) => ids.push(id)), replies.expect((id) => ids.push(id))];
    replies.done(ids[1]!);
    expect(await second).toEqual({});
    replies.abandon('it was killed');
    expect(await first).toEqual({ gone: 'it was killed' });
    expect(await replies.expect(() => expect.unreachable('nobody is there to be asked'))).toEqual({
      gone: 'it was killed',
    });
  });

  it('find out a supervisor that reads nothing', () => {
    const onHang = vi.fn();
    void new Replies(1_000, onHang).expect(() => {});
    vi.advanceTimersByTime(900);
    expect(onHang).not.toHaveBeenCalled();
    vi.advanceTimersByTime(600);
    expect(onHang).toHaveBeenCalled();
  });

  it('may take as long as they need once they are seen', () => {
    const onHang = vi.fn();
    const replies = new Replies(1_000, onHang);
    void replies.expect((id) => replies.seen(id));
    vi.advanceTimersByTime(60_000);
    expect(onHang).not.toHaveBeenCalled();
  });

  it('do not blame the supervisor for a pause of the worker itself', () => {
    const onHang = vi.fn();
    const replies = new Replies(1_000, onHang);
    let lastId = 0;
    void replies.expect((id) => {
      lastId = id;
    });
    // A process that was stopped fires a timer once, however long it lasted, before it reads what has come meanwhile.
    vi.setSystemTime(Date.now() + 60_000);
    vi.advanceTimersByTime(250);
    replies.seen(lastId);
    vi.advanceTimersByTime(5_000);
    expect(onHang).not.toHaveBeenCalled();
  });
});
