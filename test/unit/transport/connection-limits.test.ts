import { describe, expect, it } from 'vitest';
import { createLogger } from '../../../src/log/logger.js';
import { RepeatedLog } from '../../../src/log/repeated.js';
import { ConnectionLimits, countedAddress } from '../../../src/transport/connection-limits.js';
import type { ConnectionOwner } from '../../../src/transport/connection-limits.js';

const OFF = { max_connections: 0, max_unauthenticated: 0, max_unauthenticated_per_address: 0 };
const HERE = '192.0.2.1';

function limits(options: Partial<typeof OFF>) {
  const warnings: Record<string, unknown>[] = [];
  const destination = {
    write: (line: string) => void warnings.push(JSON.parse(line) as Record<string, unknown>),
  };
  const clock = { now: 0 };
  const log = new RepeatedLog(createLogger({ level: 'warn', destination }), () => clock.now);
  const evicted: object[] = [];
  const evict = (connection: object): void => void evicted.push(connection);
  return { limits: accountOf(new ConnectionLimits({ ...OFF, ...options }, log), { evict }), evicted, warnings, clock };
}

/** As its only owner sees it. */
function accountOf(limits: ConnectionLimits, owner: ConnectionOwner) {
  return {
    admit: (connection: object, address: string | undefined) => limits.admit(connection, address, owner),
    establish: (connection: object) => limits.establish(connection),
    wait: (connection: object) => limits.wait(connection),
    leave: (connection: object) => limits.leave(connection),
  };
}

const connections = (count: number): object[] => Array.from({ length: count }, () => ({}));

describe('the limits of a transport', () => {
  it('are none at 0', () => {
    const { limits: open } = limits({});
    expect(connections(5000).every((connection) => open.admit(connection, HERE))).toBe(true);
  });

  it('max_connections counts all, until they leave', () => {
    const { limits: two, evicted } = limits({ max_connections: 2 });
    const [a = {}, b = {}, c = {}] = connections(3);
    for (const connection of [a, b]) {
      expect(two.admit(connection, undefined)).toBe(true);
      two.establish(connection);
    }
    expect(two.admit(c, undefined)).toBe(false);
    two.leave(a);
    expect(two.admit(c, undefined)).toBe(true);
    two.establish(c);
    expect(two.admit({}, undefined)).toBe(false);
    // Who has no session makes room for somebody who may want one.
    two.wait(b);
    expect(two.admit({}, undefined)).toBe(true);
    expect(evicted).toEqual([b]);
  });

  it('clients that mean it get in while others keep a thousand connections open and say nothing', () => {
    const { limits: thousand, evicted } = limits({ max_unauthenticated: 1000 });
    const silent = connections(1000);
    for (const connection of silent) expect(thousand.admit(connection, undefined)).toBe(true);
    for (let i = 0; i < 5; i++) {
      const honest = {};
      expect(thousand.admit(honest, undefined)).toBe(true);
      expect(thousand.admit({}, undefined)).toBe(true);
      thousand.establish(honest);
    }
    // Whoever has waited longest, and those of them who are many.
    expect(evicted).toHaveLength(6);
    expect(evicted).toEqual(silent.slice(0, 6));
  });

  it('max_unauthenticated counts those without a session, also after one', () => {
    const { limits: one, evicted } = limits({ max_unauthenticated: 1 });
    const [a = {}, b = {}, c = {}] = connections(3);
    expect(one.admit(a, HERE)).toBe(true);
    one.establish(a);
    one.establish(a);
    expect(one.admit(b, HERE)).toBe(true);
    expect(evicted).toEqual([]);
    // It had its place before; now it waits behind the other one.
    one.wait(a);
    expect(one.admit(c, HERE)).toBe(true);
    expect(evicted).toEqual([b]);
    one.leave(c);
    one.leave(a);
    one.leave(b);
    expect(one.admit({}, HERE)).toBe(true);
    expect(evicted).toEqual([b]);
  });

  it('max_unauthenticated_per_address counts each address by itself, and this machine not at all', () => {
    const { limits: one, evicted } = limits({ max_unauthenticated_per_address: 1, max_unauthenticated: 20 });
    const [a = {}, b = {}] = connections(2);
    expect(one.admit(a, HERE)).toBe(true);
    expect(one.admit({}, '192.0.2.2')).toBe(true);
    for (const near of [undefined, undefined, '127.0.0.1', '127.0.0.1', '::1', '::1']) {
      expect(one.admit({}, near), near).toBe(true);
    }
    expect(evicted).toEqual([]);
    // It makes room for its like.
    expect(one.admit(b, HERE)).toBe(true);
    expect(evicted).toEqual([a]);
    one.establish(b);
    expect(one.admit({}, HERE)).toBe(true);
    expect(evicted).toEqual([a]);
  });

  it('do not count what was refused', () => {
    const { limits: one } = limits({ max_connections: 1 });
    const [a = {}, b = {}] = connections(2);
    one.admit(a, HERE);
    one.establish(a);
    one.admit(b, HERE);
    one.establish(b);
    one.wait(b);
    one.leave(b);
    expect(one.admit({}, HERE)).toBe(false);
  });

  it('warn at the first one, then once a minute with how many there were', () => {
    const { limits: one, warnings, clock } = limits({ max_unauthenticated: 1, max_connections: 2 });
    one.admit({}, HERE);
    for (let i = 0; i < 10; i++) one.admit({}, HERE);
    clock.now = 59_999;
    one.admit({}, HERE);
    clock.now = 60_000;
    one.admit({}, undefined);
    const msg = 'too many connections without a session, the oldest ones closed';
    expect(warnings).toMatchObject([
      { msg, limit: 'max_unauthenticated', allowed: 1, address: HERE },
      { msg, limit: 'max_unauthenticated', address: 'unix', omitted: 10 },
    ]);
    const { limits: full, warnings: refusals } = limits({ max_connections: 1 });
    const [a = {}] = connections(1);
    full.admit(a, HERE);
    full.establish(a);
    full.admit({}, HERE);
    expect(refusals).toMatchObject([{ msg: 'too many connections, some refused', limit: 'max_connections' }]);
  });
});

describe('an address', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['2001:db8:0:0:1:2:3:4', '2001:db8:0:0::/64'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2:3::', '2001:db8:1:2::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::2', '0:0:0:0::/64'],
    ['::1', undefined],
    ['127.0.0.1', undefined],
    ['127.8.9.10', undefined],
    ['::ffff:127.0.0.1', undefined],
    [undefined, undefined],
  ])('%s counts as %s', (address, expected) => {
    expect(countedAddress(address)).toBe(expected);
  });
});
