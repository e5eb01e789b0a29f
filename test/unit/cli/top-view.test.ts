/** What `top` shows of two looks at a node. */
import { describe, expect, it } from 'vitest';

import { ageText, bytesText, topLines } from '../../../src/cli/top-view.js';
import type { Glance } from '../../../src/cli/top-view.js';

function glance(clockMs: number, received: number, authid = 'joe'): Glance {
  const numbers = { sessions: 1, subscriptions: 2, registrations: 3, calls_in_flight: 4 };
  const traffic = { received, sent: 2 * received, unsent_bytes: 2048, slow: 1 };
  return {
    sort: 'messages',
    summary: {
      ...{ now: '2026-01-02T00:00:00.000Z', clock_ms: clockMs, refused: 5 },
      node: {
        ...{ version: '1.2.3', pid: 7, title: 'my node', started: '2026-01-01T00:00:00.000Z' },
        ...{ memory_bytes: 100 * 1024 * 1024, cpu_seconds: clockMs / 4000, transports: [] },
        config: { file: null, loaded: '2026-01-01T00:00:00.000Z', pending: [] },
      },
      realms: [{ worker: 'worker1', realm: 'realm1', ...numbers, ...traffic }],
    },
    page: {
      ...{ total: 1, next: null },
      entries: [
        {
          ...{ worker: 'worker1', realm: 'realm1', session: 99, authid, authrole: 'user', cookie: null },
          ...{ authmethod: 'ticket', authprovider: 'static', joined: '2026-01-01T23:59:00.000Z' },
          transport: { peer: '192.0.2.1:5', channel_framing: 'websocket', channel_type: 'tls' },
          ...{ unsent_bytes: 2048, received, sent: 2 * received, subscriptions: 2, registrations: 3 },
        },
      ],
    },
  };
}

describe('top', () => {
  it('shows the node, and its sessions with what happened since the last look', () => {
    expect(topLines(glance(3000, 50), glance(1000, 10), 'q: end')).toEqual([
      'crossbar-ts 1.2.3   my node   pid 7   up 1d   memory 100M   cpu 25 %',
      '1 session   1 realm   2 subscriptions   3 registrations   4 calls in flight   5 refused logins',
      'messages in 20/s, out 40/s   unsent 2.0K for 1 session',
      '1 session by messages   q: end',
      '',
      'REALM   SESSION  AUTHID  ROLE  TRANSPORT      PEER         AGE  IN  OUT  IN/S  OUT/S  UNSENT  SUBS  REGS',
      'realm1  99       joe     user  websocket tls  192.0.2.1:5   1m  50  100    20     40    2.0K     2     3',
    ]);
  });

  it.each([
    ['member', 'cluster prod as n1   member   with n2, n3   messages lost 0 times   undelivered 7   fenced 1 time'],
    ['joining', 'cluster prod as n1   JOINING   messages lost 0 times   undelivered 7   fenced 1 time'],
    ['fenced', 'cluster prod as n1   FENCED   messages lost 0 times   undelivered 7   fenced 1 time'],
  ] as const)('shows the cluster of a node that is in one: %s', (state, line) => {
    const seen = glance(1000, 10);
    const counts = { fenced: 1, lost: 0, undelivered: 7 };
    const cluster = { name: 'prod', node: 'n1', state, nodes: ['n2', 'n3'], engine: 'nats', ...counts };
    const node = { ...seen.summary.node, cluster };
    expect(topLines({ ...seen, summary: { ...seen.summary, node } }, undefined)[3]).toBe(line);
  });

  it('shows the fronts of a node that has some, with their processor time since the last look', () => {
    const front = { worker: 'proxy1', front: 1, pid: 7, connections: 3, unsent_bytes: 0, memory_bytes: 62_914_560 };
    const at = (ms: number, cpu_seconds: number): Glance => {
      const seen = glance(ms, 10);
      return { ...seen, summary: { ...seen.summary, fronts: [{ ...front, cpu_seconds }] } };
    };
    const line = 'front 1 of proxy1   pid 7   3 connections   unsent 0   memory 60M';
    expect(topLines(at(1000, 1), undefined)[3]).toBe(line);
    expect(topLines(at(3000, 1.5), at(1000, 1))[3]).toBe(`${line}   cpu 25 %`);
  });

  it('has no rates at first', () => {
    const lines = topLines(glance(1000, 10), undefined);
    expect(lines[2]).toBe('messages in -/s, out -/s   unsent 2.0K for 1 session');
    expect(lines.at(-1)).toContain('  -  ');
  });

  it('lets no name move the cursor, or take all of the line', () => {
    expect(topLines(glance(1, 1, '\u001b[2Jevil'), undefined).at(-1)).toContain('\\u{1b}[2Jevil');
    expect(topLines(glance(1, 1, 'a'.repeat(500)), undefined).at(-1)?.length).toBeLessThan(150);
  });

  it.each([
    [0, '0'],
    [999, '999'],
    [1000, '1.0K'],
    [1536, '1.5K'],
    [20 * 1024 * 1024, '20M'],
  ])('%d bytes are %s', (bytes, text) => {
    expect(bytesText(bytes)).toBe(text);
  });

  it.each([
    ['2026-01-01T00:00:12.000Z', '12s'],
    ['2026-01-01T00:05:12.000Z', '5m'],
    ['2026-01-01T17:05:12.000Z', '17h'],
    ['2026-01-04T17:05:12.000Z', '3d'],
    ['2025-01-01T00:00:00.000Z', '0s'],
  ])('at %s the age is %s', (now, text) => {
    expect(ageText('2026-01-01T00:00:00.000Z', now)).toBe(text);
  });
});
