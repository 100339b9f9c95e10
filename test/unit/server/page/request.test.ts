import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { getJson, getText, RequestError } from '../../../../src/server/page/api/request.ts';

/** An answer of which some has come, and the rest comes when it is told to. */
function answerInParts() {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  vi.stubGlobal('fetch', async (_address: string, { signal }: { readonly signal: AbortSignal }) => {
    const stop = (): void => void writer.abort(signal.reason).catch(() => {});
    signal.addEventListener('abort', stop);
    return new Response(readable);
  });
  return writer;
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

describe('an answer that has begun', () => {
  it('may take its time if it is text, as a long log does', async () => {
    const writer = answerInParts();
    const asked = getText('/api/v1/tasks/x/logs');
    await vi.advanceTimersByTimeAsync(60_000);
    void writer.write(new TextEncoder().encode('all of it'));
    void writer.close();
    expect(await asked).toBe('all of it');
  });

  it('is no answer if its end does not come', async () => {
    const writer = answerInParts();
    const asked = expect(getText('/api/v1/tasks/x/logs')).rejects.toMatchObject({ code: 'unreachable' });
    await vi.advanceTimersByTimeAsync(10);
    void writer.abort(new TypeError('network error'));
    await asked;
  });

  it('is no answer if it is JSON that does not come in time', async () => {
    answerInParts();
    const asked = getJson('/api/v1/status').catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(60_000);
    const error = await asked;
    expect(error).toBeInstanceOf(RequestError);
    expect(error).toMatchObject({ code: 'timeout' });
  });

  it('says nothing if whoever asked has left', async () => {
    answerInParts();
    const left = new AbortController();
    const asked = getText('/api/v1/tasks/x/logs', left.signal).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(10);
    left.abort();
    expect(await asked).not.toBeInstanceOf(RequestError);
  });
});
