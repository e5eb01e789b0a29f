import { describe, expect, it } from 'vitest';

import { asChallenge, testAuth } from '../../support/auth.js';

const config = { ticket: { type: 'static', principals: { joe: { ticket: 'söcret', role: 'user' } } } };

describe('a ticket', () => {
  it('is asked for in an empty CHALLENGE', async () => {
    const auth = await testAuth(config);
    const { authmethod, extra } = asChallenge(await auth.start({ authmethod: 'ticket', authid: 'joe' }));
    expect([authmethod, extra]).toEqual(['ticket', {}]);
  });

  it('is not asked for without an authid', async () => {
    const auth = await testAuth(config);
    expect(await auth.start({ authmethod: 'ticket' })).toMatchObject({
      type: 'deny',
      reason: 'wamp.error.not_authorized',
    });
  });

  it.each(['söcre', 'söcrett', 'SÖCRET', '', 'söcret\n', 'so\u0308cret'])('is not %j', async (signature) => {
    const auth = await testAuth(config);
    const challenge = asChallenge(await auth.start({ authmethod: 'ticket', authid: 'joe' }));
    expect((await challenge.resume(signature, {})).type).toBe('deny');
  });

  it('lets somebody into whatever realm was asked for', async () => {
    const auth = await testAuth(config);
    const challenge = asChallenge(await auth.start({ authmethod: 'ticket', authid: 'joe', realm: 'realm2' }));
    expect(await challenge.resume('söcret', {})).toMatchObject({
      type: 'accept',
      principal: { realm: 'realm2', authid: 'joe', authrole: 'user', authmethod: 'ticket', authprovider: 'static' },
    });
  });
});
