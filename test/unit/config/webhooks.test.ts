import { describe, expect, it } from 'vitest';
import { defineConfig, loadConfig } from '../../../src/config/config.ts';
import { SignalboxError } from '../../../src/errors.ts';

function errorOf(load: () => unknown): SignalboxError {
  try {
    load();
  } catch (error) {
    if (error instanceof SignalboxError) return error;
  }
  throw new Error('it was accepted');
}

describe('webhooks in the configuration', () => {
  it('are told what needs somebody unless they say otherwise, and join those of notify', () => {
    const { webhooks, notifyBlockedAfterMs } = defineConfig({
      webhooks: [{ url: 'https://a.example.com/1', secret: 'HOOK_SECRET', on: ['succeeded'] }, { url: 'http://b/2' }],
      notify: ['https://c.example.com/3'],
    });
    expect(webhooks).toEqual([
      { url: 'https://a.example.com/1', secret: 'HOOK_SECRET', on: ['succeeded'] },
      { url: 'http://b/2', secret: undefined, on: ['failed', 'set_aside', 'blocked'] },
      { url: 'https://c.example.com/3', secret: undefined, on: ['failed', 'set_aside', 'blocked'] },
    ]);
    expect(notifyBlockedAfterMs).toBe(900_000);
  });

  it('come from variables as JSON and as a list with commas', () => {
    const env = { SIGNALBOX_WEBHOOKS: '[{"url":"https://a/1"}]', SIGNALBOX_NOTIFY: 'https://b/2, https://c/3' };
    expect(loadConfig({ env, cwd: '/', findUp: false }).webhooks.map(({ url }) => url)).toEqual([
      'https://a/1',
      'https://b/2',
      'https://c/3',
    ]);
  });

  it.each([
    [[{ url: 'ftp://a/1' }], 'webhooks[0].url', 'must be an address like https://'],
    [[{ url: 'https://me:pass@a/1' }], 'webhooks[0].url', 'must hold no user and no password'],
    [[{ url: 'file:///etc/passwd' }], 'webhooks[0].url', 'must be an address'],
    [[{ url: 'https://a/1' }, { url: 'https://a/2', on: ['faild'] }], 'webhooks[1].on[0]', 'did you mean `failed`'],
    [[{ url: 'https://a/1', secret: 'not a name!' }], 'webhooks[0].secret', 'must be the name of a variable'],
    [[{ url: 'https://a/1', key: 'x' }], 'webhooks[0].key', 'unknown field'],
    [[{ secret: 'A' }], 'webhooks[0].url', 'is missing'],
    ['{', 'webhooks', 'must be a list'],
  ])('are refused by the name of the field: %j', (webhooks, field, message) => {
    const error = errorOf(() => defineConfig({ webhooks } as Parameters<typeof defineConfig>[0]));
    expect(error).toMatchObject({ code: 'INVALID', field });
    expect(error.message).toContain(message);
  });

  it('never show an address in an error, since it may be all that it takes to write there', () => {
    const given = [
      () => defineConfig({ webhooks: [{ url: 'gopher://a/T0K3N' }] }),
      () => defineConfig({ notify: ['gopher://a/T0K3N'] }),
      () => loadConfig({ env: { SIGNALBOX_NOTIFY: 'T0K3N' }, cwd: '/', findUp: false }),
      () => loadConfig({ env: { SIGNALBOX_WEBHOOKS: '{"url":"T0K3N"}' }, cwd: '/', findUp: false }),
      () => loadConfig({ env: { SIGNALBOX_WEBHOOKS: '"https://a/T0K3N"' }, cwd: '/', findUp: false }),
      () => loadConfig({ env: { SIGNALBOX_WEBHOOKS: 'https://a/T0K3N' }, cwd: '/', findUp: false }),
      () => loadConfig({ env: { SIGNALBOX_WEBHOOKS: '["https://a/T0K3N"]' }, cwd: '/', findUp: false }),
    ];
    for (const load of given) expect(JSON.stringify(errorOf(load))).not.toContain('T0K3N');
  });
});
