/** Whatever a stranger brings as a one-time ticket, by all ways at once. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { SharedLogins } from '../../../../src/auth/shared-logins.js';
import type { ClientInfo } from '../../../../src/auth/method.js';
import { testAuth } from '../../../support/auth.js';

const SECTION = {
  from: ['challenge', 'authextra', 'query', 'subprotocol'],
  parameter: 'ticket',
  ttl: 30,
  max: 10_000,
  bind_origin: true,
  bind_cookie: true,
} as const;
const DENIAL = { type: 'deny', reason: 'wamp.error.not_authorized' };

/** Lone surrogates cannot be encoded. */
const percentEncoded = (text: string): string => encodeURIComponent(Buffer.from(text).toString());

describe('a stranger', () => {
  it('gets nowhere, and breaks nothing, with whatever it brings', async () => {
    const auth = await testAuth({ one_time: SECTION }, { logins: new SharedLogins(() => 0), clock: () => 0 });
    const method = auth.method('ticket');
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.base64String(), fc.constant(`once-${'A'.repeat(43)}`));
    const junk = fc.record({
      search: fc.oneof(text, text.map(percentEncoded), fc.constant('%')),
      protocol: fc.array(
        fc.oneof(
          text,
          text.map((end) => `base64url.bearer.wamp.${end}`),
        ),
        { maxLength: 4 },
      ),
      authextra: fc.option(fc.dictionary(fc.constantFrom('ticket', 'token'), fc.oneof(text, fc.anything())), {
        nil: undefined,
      }),
      cookie: text,
    });
    await fc.assert(
      fc.asyncProperty(junk, text, async ({ search, protocol, authextra, cookie }, answered) => {
        const headers = { origin: 'https://example.com', cookie, 'sec-websocket-protocol': protocol.join(', ') };
        const client: Partial<ClientInfo> = { headers, query: `?ticket=${search}` };
        method.isPresented?.(client as ClientInfo);
        const verdict = await auth.start({ authmethod: 'ticket', authextra }, client);
        const last = verdict.type === 'challenge' ? await verdict.resume(answered, {}) : verdict;
        expect(last).toMatchObject(DENIAL);
      }),
      { numRuns: 300 },
    );
  });
});
