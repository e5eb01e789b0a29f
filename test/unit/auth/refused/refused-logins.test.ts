/** What is kept of logins that were refused. */
import { describe, expect, it } from 'vitest';

import { RefusedLogins } from '../../../../src/auth/refused/refused-logins.js';

const client = { peer: '192.0.2.1:5', liveCookie: undefined };
const denial = { reason: 'wamp.error.authentication_failed' };

describe('refused logins', () => {
  it('are the last hundred, the newest first, and all are counted', () => {
    let now = 0;
    const refused = new RefusedLogins(() => ++now);
    for (let n = 1; n <= 250; n++) refused.add({ realm: 'realm1', authid: `joe${n}` }, client, denial);
    expect(refused.count).toBe(250);
    expect(refused.list().map(({ atMs }) => atMs)).toEqual(Array.from({ length: 100 }, (_, index) => 250 - index));
    expect(refused.list()[0]).toEqual({
      ...{ atMs: 250, realm: 'realm1', authid: 'joe250', authmethods: [], peer: '192.0.2.1:5' },
      reason: 'wamp.error.authentication_failed',
    });
  });

  it('keep little of what strangers say', () => {
    const refused = new RefusedLogins(() => 0);
    const authmethods = Array.from({ length: 1000 }, () => 'm'.repeat(1000));
    refused.add({ realm: 'r'.repeat(1000), authid: 'a'.repeat(10_000), authmethods }, client, denial);
    refused.add({ realm: 7, authid: {}, authmethods: 'all' }, client, denial);
    const [odd, long] = refused.list();
    expect(odd).toMatchObject({ realm: null, authid: null, authmethods: [] });
    expect([long?.realm?.length, long?.authid?.length, long?.authmethods.length]).toEqual([128, 128, 8]);
    expect(long?.authmethods.every((method) => method.length === 128)).toBe(true);
  });

  it('have no cookie id, also where the client tells it as its authid', () => {
    const refused = new RefusedLogins(() => 0);
    const cbtid = 'abcdefghijklmnopqrstuvwx';
    refused.add({ authid: cbtid }, { ...client, liveCookie: { cbtid } }, denial);
    refused.add({ authid: cbtid }, { ...client, heldCookie: cbtid }, denial);
    expect(JSON.stringify(refused.list())).not.toContain(cbtid);
    expect(refused.list()[0]?.authid).toBe('abcdef…');
  });
});
