/** The HELLO name `ticket` where several methods take tickets. */
import { describe, expect, it } from 'vitest';
import { SharedTicket } from '../../../src/auth/shared-ticket.js';
import { AUTH_URIS, accept, deny } from '../../../src/auth/verdict.js';
import type { AuthContext, AuthMethod, AuthRequest, TicketReader, Verdict } from '../../../src/auth/method.js';
import { clientInfo } from '../../support/client.js';
import { testAuth } from '../../support/auth.js';

const context: AuthContext = { sessionId: 7, client: clientInfo(), facts: () => ({}) };
const REQUEST: AuthRequest = { authmethod: 'ticket', realm: 'realm1', authid: undefined, authextra: undefined };

function accepted(authid: string): Verdict {
  return accept({ realm: 'realm1', authid, authrole: 'user', authmethod: 'test', authprovider: 'test' });
}

/** Takes what begins with a letter, and lets in what has an exclamation mark. */
function readerOf(letter: string, presented?: string): TicketReader {
  return {
    ...(presented !== undefined && { presented: () => presented }),
    read: (ticket) => {
      if (!ticket.startsWith(letter)) return { type: 'pass' };
      return ticket.endsWith('!') ? accepted(ticket) : deny('com.no', ticket);
    },
  };
}

function sharedBy(...readers: readonly TicketReader[]): SharedTicket {
  const shared = new SharedTicket(AUTH_URIS.wamp);
  for (const reader of readers) shared.add(reader, { start: () => ({ type: 'pass' }) });
  return shared;
}

const WAMP_URIS = { options: { auth_error_uris: 'wamp' } } as const;
const DENIED = { type: 'deny', reason: 'wamp.error.authentication_denied' };

async function answer(shared: SharedTicket, ticket: string, request = REQUEST): Promise<Verdict> {
  const challenge = await shared.start(request, context);
  if (challenge.type !== 'challenge') throw new Error(`expected a challenge, got ${challenge.type}`);
  expect([challenge.authmethod, challenge.extra]).toEqual(['ticket', {}]);
  return challenge.resume(ticket, {});
}

describe('the method `ticket` of several', () => {
  it('gives a ticket to the first reader whose kind it is', async () => {
    const shared = sharedBy(readerOf('a'), readerOf('b'));
    expect(await answer(shared, 'a!')).toEqual(accepted('a!'));
    expect(await answer(shared, 'b!')).toEqual(accepted('b!'));
    expect(await answer(shared, 'b?')).toMatchObject({ type: 'deny', reason: 'com.no' });
  });

  it('denies what nobody takes', async () => {
    expect(await answer(sharedBy(readerOf('a')), 'password')).toMatchObject(DENIED);
  });

  it.each(['ticket', 'token'])('takes one in authextra.%s without a challenge', async (key) => {
    const request = { ...REQUEST, authextra: { [key]: 'a!' } };
    expect(await sharedBy(readerOf('a')).start(request, context)).toEqual(accepted('a!'));
  });

  it.each([17, null, {}, ['a!'], true])('asks for one where authextra has something else: %j', async (ticket) => {
    const verdict = await sharedBy(readerOf('a')).start({ ...REQUEST, authextra: { ticket } }, context);
    expect(verdict.type).toBe('challenge');
  });

  it('takes one that came with the handshake before all others, and denies it where it is of no kind', async () => {
    const request = { ...REQUEST, authextra: { ticket: 'b!' } };
    expect(await sharedBy(readerOf('b'), readerOf('a', 'a!')).start(request, context)).toEqual(accepted('a!'));
    expect(await sharedBy(readerOf('b'), readerOf('a', 'x')).start(request, context)).toMatchObject(DENIED);
  });

  it('leaves the rest to the section `ticket`, which decides alone about the HELLO', async () => {
    const principals = { joe: { ticket: 'secret', role: 'user' } };
    const rest = (await testAuth({ ticket: { type: 'static', principals } }, WAMP_URIS)).method('ticket');
    const shared = sharedBy(readerOf('a'));
    shared.rest = rest;
    const joe = { ...REQUEST, authid: 'joe' };
    expect(await answer(shared, 'secret', joe)).toMatchObject({ type: 'accept', principal: { authid: 'joe' } });
    expect(await answer(shared, 'wrong', joe)).toMatchObject(DENIED);
    expect(await answer(shared, 'secret')).toMatchObject(DENIED);
    expect(await answer(shared, 'a!', joe)).toEqual(accepted('a!'));
    const login = { authid: 'jim', authrole: 'user', authmethod: 'ticket', authrealm: 'realm1', authextra: null };
    expect(shared.faultOf(login)).toBe('no such principal');
  });

  it.each<[string, Verdict]>([
    ['unavailable', { type: 'unavailable', message: 'later' }],
    ['accept', accepted('anybody')],
  ])('hands on what the section says at once: %s', async (_type, verdict) => {
    const shared = sharedBy(readerOf('a'));
    shared.rest = { start: () => verdict } satisfies AuthMethod;
    expect(await answer(shared, 'password')).toEqual(verdict);
  });
});
