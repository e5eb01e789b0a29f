/** `crossbar.ticket.issue` on a realm: who may call it, and what it makes of its arguments. */
import { beforeEach, describe, expect, it } from 'vitest';
import { SharedLogins } from '../../../src/auth/shared-logins.js';
import { Realm } from '../../../src/router/realm.js';
import { loginProcedures } from '../../../src/session/login-procedures.js';
import { CREATED, recordingLog } from '../../support/cookie-store.js';
import { FakeClock, ScriptedSession } from '../../support/realm.js';

const CALL = { call: true, register: true, publish: true, subscribe: true };
const ISSUE = 'crossbar.ticket.issue';
const ROLES = [
  { name: 'backend', permissions: [{ uri: ISSUE, match: 'exact', allow: CALL }] },
  { name: 'everything', permissions: [{ uri: '', match: 'prefix', allow: CALL }] },
  { name: 'open', 'allow-by-default': true },
] as const;

let logins: SharedLogins;
let realm: Realm;
let recorded: ReturnType<typeof recordingLog>;

beforeEach(() => {
  recorded = recordingLog();
  logins = new SharedLogins(() => Date.parse(CREATED));
  let lastId = 0;
  realm = new Realm(
    { name: 'realm1', roles: [...ROLES] },
    {
      randomId: () => ++lastId,
      nextRouterId: () => ++lastId,
      clock: () => Date.parse(CREATED),
      scheduler: new FakeClock(),
      management: loginProcedures({
        logins,
        admits: (name, role) => ['realm1', 'realm2'].includes(name) && role === 'user',
        log: recorded.log,
      }),
    },
  );
});

/** @returns the result; or the URI and the text of the error. */
function issue(args: readonly unknown[], kwargs: object = {}, roleName: (typeof ROLES)[number]['name'] = 'backend') {
  const role = realm.role(roleName);
  if (role === undefined) throw new Error('no such role');
  const session = new ScriptedSession(realm, 1, role);
  const [answer = []] = session.tell(48, 1, {}, ISSUE, args, kwargs).heard();
  session.leave();
  const [type, , , third, fourth, fifth] = answer;
  const result = type === 50 ? (third as unknown[])[0] : { uri: fourth, text: (fifth as unknown[])[0] };
  return result as { ticket: string; expires_in: number; uri?: string; text?: string };
}

const takeTickets = (): (() => void) => logins.tickets.accept({ ttlMs: 30_000, max: 10 });

describe('the procedure', () => {
  it('gives a ticket for a user of the realm of the caller', () => {
    takeTickets();
    const { ticket, expires_in: seconds } = issue(['joe', 'user']);
    expect(seconds).toBe(30);
    expect(logins.tickets.take(ticket)).toEqual({
      user: { realm: 'realm1', authid: 'joe', authrole: 'user' },
      origin: undefined,
      cookie: undefined,
      expiresMs: Date.parse(CREATED) + 30_000,
    });
  });

  it('takes its arguments by position and by name', () => {
    takeTickets();
    const expected = {
      user: { realm: 'realm2', authid: 'joe', authrole: 'user', authextra: { name: 'Joe' } },
      origin: 'https://example.com:8443',
      cookie: undefined,
      expiresMs: Date.parse(CREATED) + 5000,
    };
    const origin = 'https://Example.com:8443/';
    const byPosition = issue(['joe', 'user', 'realm2', { name: 'Joe' }, origin, 5]);
    const byName = issue([], { authid: 'joe', role: 'user', realm: 'realm2', extra: { name: 'Joe' }, origin, ttl: 5 });
    for (const { ticket, expires_in: seconds } of [byPosition, byName]) {
      expect(seconds).toBe(5);
      expect(logins.tickets.take(ticket)).toEqual(expected);
    }
  });

  it.each([
    ['no authid', [], {}, '"authid" is missing'],
    ['an empty authid', ['', 'user'], {}, '"authid" must be a string of 1 to 1024 characters'],
    ['a number for an authid', [42, 'user'], {}, '"authid" must be'],
    ['an authid like a book', ['x'.repeat(1025), 'user'], {}, '"authid" must be'],
    ['no role', ['joe'], {}, '"role" is missing'],
    ['a role that is not there, or built in', ['joe', 'trusted'], {}, 'has no such role for others'],
    ['a realm that is not there', ['joe', 'user', 'realm3'], {}, 'there is no such realm'],
    ['extra that is none', ['joe', 'user'], { extra: 'Joe' }, '"extra" must be a dictionary'],
    ['a page for an origin', ['joe', 'user'], { origin: 'https://example.com/page' }, '"origin" must be an origin'],
    ['null for an origin', ['joe', 'user'], { origin: 'null' }, '"origin" must be an origin'],
    ['a moment', ['joe', 'user'], { ttl: 4 }, '"ttl" must be a number of seconds from 5 to 300'],
    ['for ever', ['joe', 'user'], { ttl: 301 }, '"ttl" must be a number of seconds from 5 to 300'],
    ['half a second', ['joe', 'user'], { ttl: 5.5 }, '"ttl" must be a number of seconds from 5 to 300'],
  ])('refuses %s', (_what, args, kwargs, text) => {
    takeTickets();
    const error = issue(args, kwargs);
    expect(error).toMatchObject({ uri: 'wamp.error.invalid_argument' });
    expect(error.text).toContain(text);
    expect(logins.tickets.size).toBe(0);
  });

  it('says so where no transport takes tickets', () => {
    takeTickets()();
    expect(issue(['joe', 'user'])).toEqual({
      uri: 'wamp.error.unavailable',
      text: 'crossbar.ticket.issue: no transport of this worker has "one_time" in its "auth", so nobody could use a ticket',
    });
  });

  it('is for roles with a rule that names it', () => {
    takeTickets();
    for (const role of ['everything', 'open'] as const) {
      expect(issue(['joe', 'user'], {}, role).uri, role).toBe('wamp.error.not_authorized');
    }
  });

  it('tells the log for whom, and never the ticket', () => {
    takeTickets();
    const { ticket } = issue(['joe', 'user']);
    expect(recorded.entries).toMatchObject([
      { level: 'debug', msg: 'one-time ticket issued', realm: 'realm1', authid: 'joe', authrole: 'user', by: 1 },
    ]);
    expect(JSON.stringify(recorded.entries)).not.toContain(ticket.slice(5));
  });
});
