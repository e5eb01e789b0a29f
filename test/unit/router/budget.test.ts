import { describe, expect, it } from 'vitest';
import { Budget } from '../../../src/router/budget.js';

const LIMITS = { perSession: 1000, inAll: 2500, reserved: 100 };

describe('the bytes that are kept for a session', () => {
  it('end at its own limit, and what is given back may be taken again', () => {
    const budget = new Budget(LIMITS);
    const session = { keptBytes: 0 };
    expect(budget.take(session, 600)).toBe(true);
    expect(budget.take(session, 401)).toBe(false);
    expect(session.keptBytes).toBe(600);
    expect(budget.take(session, 400)).toBe(true);
    budget.give(session, 600);
    expect(budget.take(session, 600)).toBe(true);
    expect(budget.keptBytes).toBe(1000);
  });

  it('end at the limit of all, but for the little that everybody may have', () => {
    const budget = new Budget(LIMITS);
    const greedy = Array.from({ length: 3 }, () => ({ keptBytes: 0 }));
    const modest = { keptBytes: 0 };
    expect(greedy.map((session) => budget.take(session, 1000))).toEqual([true, true, false]);
    expect(budget.take(modest, 100)).toBe(true);
    expect(budget.take(modest, 401)).toBe(false);
    expect(budget.take(modest, 400)).toBe(true);
    expect(budget.take(modest, 1)).toBe(false);
  });
});
