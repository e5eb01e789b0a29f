/** What is kept of one-time tickets, and for how long. */
import { beforeEach, describe, expect, it } from 'vitest';

import { OneTimeTickets, isOneTimeTicket } from '../../../../src/auth/one-time/tickets.js';
import type { TicketGrant, TicketUser } from '../../../../src/auth/one-time/tickets.js';

let nowMs: number;
let tickets: OneTimeTickets;

beforeEach(() => {
  nowMs = 1_000_000;
  tickets = new OneTimeTickets({ clock: () => nowMs });
});

const userOf = (authid: string): TicketUser => ({ realm: 'realm1', authid, authrole: 'user' });

function grantTo(authid: string, parts: Partial<TicketGrant> = {}): TicketGrant {
  return { user: userOf(authid), origin: undefined, cookie: undefined, expiresMs: nowMs + 30_000, ...parts };
}

/** @returns the tickets of so many users, one each, in order. */
const issueMany = (count: number): string[] => Array.from({ length: count }, (_, n) => tickets.issue(grantTo(`u${n}`)));

describe('a ticket', () => {
  it('says what it is, and has 256 random bits', () => {
    const all = new Set(issueMany(100));
    expect(all.size).toBe(100);
    for (const ticket of all) expect(ticket).toMatch(/^once-[A-Za-z0-9_-]{43}$/);
    expect([...all].every(isOneTimeTicket)).toBe(true);
    expect(['', 'once-', `x${[...all][0]}`, `${[...all][0]}a`].some(isOneTimeTicket)).toBe(false);
  });

  it('is taken once', () => {
    const grant = grantTo('joe');
    const ticket = tickets.issue(grant);
    expect(tickets.take(ticket)).toEqual(grant);
    expect(tickets.take(ticket)).toBeUndefined();
    expect([tickets.size, tickets.holders]).toEqual([0, 0]);
  });

  it('is gone with its time, to the millisecond', () => {
    const early = tickets.issue(grantTo('joe'));
    const late = tickets.issue(grantTo('joe'));
    nowMs += 29_999;
    expect(tickets.take(early)).toBeDefined();
    nowMs += 1;
    expect(tickets.take(late)).toBeUndefined();
    expect(tickets.size).toBe(0);
  });

  it('is not kept as it is', () => {
    const ticket = tickets.issue(grantTo('joe'));
    expect(JSON.stringify([tickets, [...Object.entries(tickets)]])).not.toContain(ticket.slice(5));
    expect(tickets.take(`${ticket.slice(0, -1)}_`)).toBeUndefined();
  });
});

describe('tickets that nobody uses', () => {
  it('make room, the oldest first, as the largest section says', () => {
    let dropped = 0;
    const onDropped = (): void => void (dropped += 1);
    tickets.accept({ ttlMs: 30_000, max: 2 });
    const leave = tickets.accept({ ttlMs: 30_000, max: 3, onDropped });
    const [first = '', second = '', ...others] = issueMany(4);
    expect([tickets.size, dropped]).toEqual([3, 1]);
    expect(tickets.take(first)).toBeUndefined();
    leave();
    tickets.issue(grantTo('late'));
    expect(tickets.take(second)).toBeUndefined();
    expect(others.map((ticket) => tickets.take(ticket) !== undefined)).toEqual([false, true]);
    expect([tickets.size, dropped]).toEqual([1, 1]);
  });

  it('are at most 20 of one user, who pushes nobody else out', () => {
    const [other = ''] = issueMany(1);
    const own = Array.from({ length: 21 }, () => tickets.issue(grantTo('joe')));
    const elsewhere = tickets.issue(grantTo('joe', { user: { ...userOf('joe'), realm: 'realm2' } }));
    expect(tickets.size).toBe(22);
    expect(own.map((ticket) => tickets.take(ticket) !== undefined)).toEqual(own.map((_, n) => n > 0));
    expect(tickets.take(other)).toBeDefined();
    expect(tickets.take(elsewhere)).toBeDefined();
    expect([tickets.size, tickets.holders]).toEqual([0, 0]);
  });

  it('are bounded in bytes, too', () => {
    const authextra = { text: 'x'.repeat(1_000_000), big: 2n ** 60n };
    const large = Array.from({ length: 10 }, (_, n) =>
      tickets.issue(grantTo(`u${n}`, { user: { ...userOf(`u${n}`), authextra } })),
    );
    expect(tickets.size).toBe(8);
    expect(large.map((ticket) => tickets.take(ticket) !== undefined)).toEqual(large.map((_, n) => n > 1));
  });

  it('do not stay when they have expired, although each step looks at a few only', () => {
    issueMany(1000);
    // One that lasts does not hide those behind it.
    const lasting = tickets.issue(grantTo('joe', { expiresMs: nowMs + 300_000 }));
    issueMany(1000);
    nowMs += 30_000;
    for (let n = 0; n < 1001; n += 1) tickets.take('once-unknown');
    expect(tickets.size).toBe(1);
    expect(tickets.take(lasting)).toBeDefined();
  });
});

describe('issuing to a user', () => {
  it('is impossible where no transport takes tickets', () => {
    expect(tickets.issueFor(userOf('joe'))).toBeUndefined();
    tickets.accept({ ttlMs: 30_000, max: 10 })();
    expect(tickets.issueFor(userOf('joe'))).toBeUndefined();
  });

  it('takes the longest time of the sections, and what it is told before that', () => {
    tickets.accept({ ttlMs: 60_000, max: 10 });
    tickets.accept({ ttlMs: 30_000, max: 10 });
    const usual = tickets.issueFor(userOf('joe'));
    expect(usual?.expires_in).toBe(60);
    expect(tickets.take(usual?.ticket ?? '')).toMatchObject({ expiresMs: nowMs + 60_000, user: userOf('joe') });
    const asked = tickets.issueFor(userOf('joe'), { ttlMs: 5000, origin: 'HTTPS://Example.com:443/', cookie: 'abc' });
    expect(asked?.expires_in).toBe(5);
    expect(tickets.take(asked?.ticket ?? '')).toEqual({
      user: userOf('joe'),
      origin: 'https://example.com',
      cookie: 'abc',
      expiresMs: nowMs + 5000,
    });
  });
});
