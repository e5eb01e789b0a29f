import { describe, expect, it } from 'vitest';
import { MAX_SESSIONS, SessionPace } from '../../../src/transport/session-pace.js';

describe('sessions on one connection, one after the other', () => {
  it('have to wait when there were ten within a second', () => {
    const pace = new SessionPace();
    const waits = Array.from({ length: MAX_SESSIONS }, (_, i) => pace.ended(i));
    expect(waits.indexOf(true)).toBe(MAX_SESSIONS - 1);
    expect(pace.ended(1000)).toBe(false);
  });

  it('never have to when they come now and then', () => {
    const pace = new SessionPace();
    expect(Array.from({ length: 100 }, (_, i) => pace.ended(i * 200))).not.toContain(true);
  });
});
