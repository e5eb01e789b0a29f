/** What counts as the session cookie of a web application: held against express-session's own signatures. */
import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';

import { presentedSession } from '../../../../src/auth/session/express-cookie.js';
import { sign } from '../../../../src/cookie/signature.js';

const SECRET = 'a secret of the web application';
const SHAPE = { cookie: 'connect.sid', secrets: [SECRET, 'an older secret'] };
const SID = 'q3Jk_x-9aZ0q3Jk_x-9aZ0q3Jk_x-9aZ';
const GOOD = sign(SID, SECRET);
const sidIn = (cookie: unknown, shape: Parameters<typeof presentedSession>[1] = SHAPE): string | undefined =>
  presentedSession({ cookie }, shape)?.sid;

describe('the session cookie of a web application', () => {
  it.each([
    ['as Express writes it', `connect.sid=${GOOD}`],
    ['between others', `a=1; connect.sid=${GOOD};b=2`],
    ['not encoded', `connect.sid=${decodeURIComponent(GOOD)}`],
    ['in quotes', `connect.sid="${GOOD}"`],
    ['with a + that is not encoded', `connect.sid=${GOOD.replaceAll('%2B', '+')}`],
    ['signed with another of the secrets', `connect.sid=${sign(SID, 'an older secret')}`],
    [
      'behind one that somebody planted',
      `connect.sid=${sign('planted', 'a secret of a stranger')}; connect.sid=${GOOD}`,
    ],
    ['behind one that is empty', `connect.sid=; connect.sid=${GOOD}`],
  ])('is read: %s', (_what, cookie) => {
    expect(sidIn(cookie)).toBe(SID);
  });

  it.each([
    ['not signed', `connect.sid=${SID}`],
    ['of another name', `Connect.sid=${GOOD}`],
    ['of a name that only ends like it', `xconnect.sid=${GOOD}`],
    ['signed by a stranger', `connect.sid=${sign(SID, 'a secret of a stranger')}`],
    ['with a part of a signature', `connect.sid=${GOOD.slice(0, -1)}`],
    ['signed with padding', `connect.sid=${encodeURIComponent(`s:${SID}.${mac(SID)}=`)}`],
    ['badly encoded', 'connect.sid=s%3A%zz'],
    ['empty', 'connect.sid='],
    ['longer than browsers keep', `connect.sid=${sign('a'.repeat(4100), SECRET)}`],
    ['with an id of a strange length', `connect.sid=${sign('a'.repeat(513), SECRET)}`],
    ['behind more of its name than a browser has', `${'connect.sid=x; '.repeat(16)}connect.sid=${GOOD}`],
    ['no text', ['connect.sid']],
    ['missing', undefined],
  ])('is none: %s', (_what, cookie) => {
    expect(sidIn(cookie)).toBeUndefined();
  });

  it.each(['a.b.c', 'user 42; äöü', 's:x.y', '../../etc/passwd', 'x\ny'])('takes an id of `genid`: %j', (sid) => {
    expect(sidIn(`connect.sid=${sign(sid, SECRET)}`)).toBe(sid);
  });

  it('is handed on as the client sent it', () => {
    expect(presentedSession({ cookie: `connect.sid="${GOOD}"` }, SHAPE)?.cookie).toBe(`connect.sid=${GOOD}`);
  });

  it('is whatever it is where it is not signed', () => {
    const shape = { cookie: 'sessionid' };
    expect(sidIn('sessionid=; sessionid=abc%20d', shape)).toBe('abc%20d');
    expect(sidIn('other=abc', shape)).toBeUndefined();
  });

  it('is not there without headers', () => {
    expect(presentedSession(undefined, SHAPE)).toBeUndefined();
  });
});

function mac(sid: string): string {
  return createHmac('sha256', SECRET).update(sid).digest('base64').replace(/=+$/, '');
}
