import { expect, test } from 'vitest';
import { webhookHeaders } from '../../../../src/runner/notify/sign.ts';

test('a message is signed as the specification’s own example is', () => {
  // From the reference libraries' tests.
  const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
  const id = 'msg_p5jXN8AQM9LWM0D4loKWxJek';
  const headers = webhookHeaders({ id, atMs: 1_614_265_330_000, body: '{"test": 2432232314}' }, secret);
  expect(headers).toEqual({
    'webhook-id': id,
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  });
});

test('the signature changes with the id, the time, the body and the secret; without a secret there is none', () => {
  const message = { id: 'a', atMs: 1_000, body: '{}' };
  const signatureOf = (changed: Partial<typeof message>, secret: string | undefined = 'plain text') =>
    webhookHeaders({ ...message, ...changed }, secret)['webhook-signature'];
  const all = [
    signatureOf({}),
    signatureOf({ id: 'b' }),
    signatureOf({ atMs: 2_000 }),
    signatureOf({ body: '{ }' }),
    signatureOf({}, 'another'),
  ];
  expect(new Set(all).size).toBe(5);
  expect(webhookHeaders(message, undefined)).toEqual({ 'webhook-id': 'a', 'webhook-timestamp': '1' });
});
