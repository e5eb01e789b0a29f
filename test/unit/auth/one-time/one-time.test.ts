/** Who is let in with a one-time ticket, and by which ways it may come. */
import { beforeEach, describe, expect, it } from 'vitest';

import { DETACHED } from '../../../../src/auth/lease.js';
import { SharedLogins } from '../../../../src/auth/shared-logins.js';
import { cookieDigest } from '../../../../src/cookie/digest.js';
import { sign } from '../../../../src/cookie/signature.js';
import type { AuthRequest, ClientInfo, Pass, Verdict } from '../../../../src/auth/method.js';
import type { TicketRequest } from '../../../../src/auth/one-time/tickets.js';
import { asChallenge, testAuth } from '../../../support/auth.js';
import type { TestAuth } from '../../../support/auth.js';
import { recordingLog } from '../../../support/cookie-store.js';

const SECTION = {
  from: ['challenge', 'authextra', 'query', 'subprotocol'],
  parameter: 'ticket',
  ttl: 30,
  max: 10_000,
  bind_origin: true,
  bind_cookie: true,
} as const;
const JOE = { realm: 'realm1', authid: 'joe', authrole: 'user', authextra: { name: 'Joe' } } as const;
const ORIGIN = 'https://example.com';

let nowMs: number;
let logins: SharedLogins;

beforeEach(() => {
  nowMs = 0;
  logins = new SharedLogins(() => nowMs);
});

const authOf = (section: object = {}, others: object = {}): Promise<TestAuth> =>
  testAuth({ one_time: { ...SECTION, ...section }, ...others }, { logins, clock: () => nowMs });

function ticketFor(request: TicketRequest = {}): string {
  const issued = logins.tickets.issueFor(JOE, request);
  if (issued === undefined) throw new Error('no transport takes tickets');
  return issued.ticket;
}

interface Try {
  readonly hello?: Partial<AuthRequest>;
  readonly client?: Partial<ClientInfo>;
}

const page = (parts: Partial<ClientInfo> = {}): Partial<ClientInfo> => ({
  headers: { origin: ORIGIN },
  query: '',
  ...parts,
});

async function answer(auth: TestAuth, ticket: string, { hello, client = page() }: Try = {}): Promise<Verdict> {
  const challenge = asChallenge(await auth.start({ authmethod: 'ticket', ...hello }, client));
  return challenge.resume(ticket, {});
}

/** The four ways of a ticket. */
const WAYS = {
  challenge: answer,
  authextra: (auth, ticket, { hello, client = page() } = {}) =>
    auth.start({ authmethod: 'ticket', authextra: { ticket }, ...hello }, client),
  query: (auth, ticket, { hello, client = page() } = {}) =>
    auth.start({ authmethod: 'ticket', ...hello }, { ...client, query: `?x=1&ticket=${ticket}` }),
  subprotocol: (auth, ticket, { hello, client = page() } = {}) => {
    const offered = `wamp.2.json, base64url.bearer.wamp.${Buffer.from(ticket).toString('base64url')}`;
    const headers = { ...client.headers, 'sec-websocket-protocol': offered };
    return auth.start({ authmethod: 'ticket', ...hello }, { ...client, headers });
  },
} as const satisfies Record<string, (auth: TestAuth, ticket: string, how?: Try) => Promise<Verdict | Pass>>;
const ALL = Object.entries(WAYS);

const DENIAL = { type: 'deny', reason: 'wamp.error.not_authorized' };

describe.each(ALL)('a ticket by %s', (way, bring) => {
  it('lets its holder in once, as whom it says, and no cookie remembers that', async () => {
    const auth = await authOf();
    const ticket = ticketFor({ origin: ORIGIN });
    expect(await bring(auth, ticket)).toEqual({
      type: 'accept',
      principal: { ...JOE, authmethod: 'one_time', authprovider: 'one_time' },
      lease: DETACHED,
    });
    expect(await bring(auth, ticket)).toMatchObject(DENIAL);
  });

  it('is refused and gone where the config does not name the way', async () => {
    const auth = await authOf({ from: SECTION.from.filter((other) => other !== way) });
    const ticket = ticketFor();
    expect(await bring(auth, ticket)).toMatchObject(DENIAL);
    expect(logins.tickets.size).toBe(0);
  });

  it('is refused in the same words whatever is wrong with it, and gone', async () => {
    const auth = await authOf();
    const unknown = await bring(auth, `once-${'x'.repeat(43)}`);
    expect(unknown).toMatchObject(DENIAL);
    const wrong: readonly (readonly [TicketRequest, Try])[] = [
      [{ origin: ORIGIN }, { client: page({ headers: { origin: 'https://evil.example' } }) }],
      [{ origin: ORIGIN }, { client: page({ headers: { origin: 'null' } }) }],
      [{ origin: ORIGIN }, { client: page({ headers: {} }) }],
      [{ cookie: cookieDigest('mine') }, { client: page() }],
      [{ cookie: cookieDigest('mine') }, { client: page({ headers: { cookie: 'cbtid=other; x=mi' } }) }],
      [{ cookie: cookieDigest('mine') }, { client: page({ headers: {}, heldCookie: 'mine' }) }],
      [{}, { hello: { authid: 'jim' } }],
      [{}, { hello: { authid: '' } }],
      [{}, { hello: { realm: 'realm2' } }],
    ];
    for (const [request, how] of wrong) {
      const ticket = ticketFor(request);
      expect(await bring(auth, ticket, how), JSON.stringify([request, how])).toEqual(unknown);
      expect(logins.tickets.size).toBe(0);
    }
    const late = ticketFor();
    nowMs += 30_000;
    expect(await bring(auth, late)).toEqual(unknown);
  });

  it('may come with what it is bound to, and with what is true', async () => {
    const auth = await authOf();
    const signed = sign('mine', 'a secret of the cookie');
    const right: readonly (readonly [TicketRequest, Try])[] = [
      [{ origin: ORIGIN }, { client: page({ headers: { origin: 'HTTPS://EXAMPLE.com' } }) }],
      [{ cookie: cookieDigest('mine') }, { client: page({ headers: { cookie: 'a=b; cbtid=mine' } }) }],
      [{ cookie: cookieDigest('mine') }, { client: page({ headers: { cookie: `a; id=${signed}` } }) }],
      [{}, { client: page({ headers: { origin: 'https://other.example' } }) }],
      [{}, { hello: { authid: 'joe' } }],
      [{}, { hello: { realm: '' } }],
    ];
    for (const [request, how] of right) {
      expect(await bring(auth, ticketFor(request), how), JSON.stringify([request, how])).toMatchObject({
        type: 'accept',
        principal: { realm: 'realm1', authid: 'joe' },
      });
    }
  });

  it('may come from anywhere where the config binds it to nothing', async () => {
    const auth = await authOf({ bind_origin: false, bind_cookie: false });
    const ticket = ticketFor({ origin: ORIGIN, cookie: cookieDigest('mine') });
    const client = page({ headers: { origin: 'https://evil.example' } });
    expect(await bring(auth, ticket, { client })).toMatchObject({ type: 'accept' });
  });
});

describe('a ticket of the handshake', () => {
  it('comes before all that the client offers, also where the config has no such way', async () => {
    for (const from of [SECTION.from, ['challenge']] as const) {
      const method = (await authOf({ from })).method('ticket');
      const isPresented = (client: Partial<ClientInfo>) => method.isPresented?.(client as ClientInfo);
      const ticket = ticketFor();
      const encoded = Buffer.from(ticket).toString('base64url');
      expect(isPresented(page({ query: `?ticket=${ticket}` }))).toBe(true);
      expect(isPresented(page({ headers: { 'sec-websocket-protocol': `base64url.bearer.wamp.${encoded}` } }))).toBe(
        true,
      );
      expect(isPresented(page())).toBe(false);
      expect(isPresented(page({ query: `?token=${ticket}` }))).toBe(false);
      expect(logins.tickets.size).toBe(from.length === 1 ? 2 : 1);
    }
  });

  it('is any text where it may come, so that a wrong ticket is not let in as anybody; elsewhere it is somebody else’s business', async () => {
    for (const query of ['?ticket=', '?ticket=a%20b', '?ticket=once-short']) {
      const taking = await authOf();
      expect(taking.method('ticket').isPresented?.(page({ query }) as ClientInfo), query).toBe(true);
      expect(await taking.start({ authmethod: 'ticket' }, page({ query }))).toMatchObject(DENIAL);
      const other = await authOf({ from: ['challenge'] });
      expect(other.method('ticket').isPresented?.(page({ query }) as ClientInfo), query).toBe(false);
    }
  });

  it('stands in the parameter that the config names', async () => {
    const auth = await authOf({ parameter: 't' });
    const ticket = ticketFor();
    expect(await auth.start({ authmethod: 'ticket' }, page({ query: `?t=${ticket}` }))).toMatchObject({
      type: 'accept',
    });
  });

  it('is not found on a connection without HTTP', async () => {
    const auth = await authOf();
    const client = { headers: undefined, query: undefined };
    expect(await answer(auth, ticketFor(), { client })).toMatchObject({ type: 'accept' });
    expect(await answer(auth, ticketFor({ origin: ORIGIN }), { client })).toMatchObject(DENIAL);
  });
});

describe('beside passwords', () => {
  const others = { ticket: { type: 'static', principals: { joe: { ticket: 'x'.repeat(48), role: 'user' } } } };

  it('a password is none, also one as long as a ticket', async () => {
    const auth = await authOf({}, others);
    const hello = { authid: 'joe' };
    expect(await answer(auth, 'x'.repeat(48), { hello })).toMatchObject({
      type: 'accept',
      principal: { authmethod: 'ticket', authprovider: 'static' },
    });
    expect(await answer(auth, ticketFor(), { hello })).toMatchObject({ principal: { authmethod: 'one_time' } });
    expect(await answer(auth, 'wrong', { hello })).toMatchObject(DENIAL);
  });
});

describe('failures', () => {
  it('are counted by address, whatever HELLO says', async () => {
    const { log, entries } = recordingLog();
    const options = { max_auth_failures_per_address: 3 };
    const auth = await testAuth({ one_time: SECTION }, { logins, log, options });
    const tickets = [ticketFor({ origin: ORIGIN }), `once-${'x'.repeat(43)}`];
    const client = page({ headers: {} });
    for (const ticket of tickets) expect(await WAYS.query(auth, ticket, { client })).toMatchObject(DENIAL);
    expect(entries.filter(({ msg }) => msg === 'authentication failed')).toHaveLength(2);
    expect(JSON.stringify(entries)).not.toMatch(/once-/);
  });
});

describe('a transport that stops', () => {
  it('takes no tickets any more', async () => {
    const auth = await authOf();
    await auth.method('ticket').stop?.();
    expect(logins.tickets.issueFor(JOE)).toBeUndefined();
  });
});

describe('too many tickets', () => {
  it('are told, because somebody is refused without a fault', async () => {
    const { log, entries } = recordingLog();
    await testAuth({ one_time: { ...SECTION, max: 1 } }, { logins, log });
    ticketFor();
    ticketFor();
    expect(entries.map(({ level, msg }) => [level, msg])).toEqual([
      ['warn', 'one-time tickets were dropped unused, there are too many'],
    ]);
  });
});
