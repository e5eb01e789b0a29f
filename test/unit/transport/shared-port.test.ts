/** Which router a client gets to where transports of several workers have one port. */
import { describe, expect, it } from 'vitest';

import { silentLogger } from '../../../src/log/logger.js';
import { Router } from '../../../src/router/router.js';
import { Session } from '../../../src/session/session.js';
import type { SessionDeps } from '../../../src/session/deps.js';
import { SharedPorts } from '../../../src/transport/shared-port.js';
import { parseMessage } from '../../../src/wamp/parse.js';
import { NO_PAYLOAD } from '../../../src/wamp/payload.js';
import { clientInfo, everybody } from '../../support/client.js';
import { FakeTransport } from '../../support/fake-transport.js';
import { ALLOW_ALL, FakeClock } from '../../support/realm.js';

const ENDPOINT = { type: 'tcp', port: 8080, backlog: 10, shared: true } as const;

function worker(...realms: readonly string[]): SessionDeps & { readonly router: Router } {
  let lastId = 0;
  const options = { randomId: () => ++lastId, clock: Date.now, scheduler: new FakeClock() };
  const router = new Router(
    realms.map((name) => ({ name, roles: [ALLOW_ALL] })),
    options,
  );
  return { router, log: silentLogger(), authMethods: everybody() };
}

/** @returns what a client hears who asks for a realm, and why the connection is closed. */
function answerTo(realm: string, deps: SessionDeps): { readonly type: unknown; readonly closed: unknown } {
  const transport = new FakeTransport(clientInfo());
  const fields = [1, realm, { roles: { caller: {} } }];
  new Session(transport, deps).receive(parseMessage(fields, fields.length, NO_PAYLOAD));
  return { type: transport.sent[0]?.[0], closed: transport.closed?.cause };
}

describe('SharedPorts', () => {
  it.each([
    ['nobody shares', { ...ENDPOINT, shared: false }],
    ['takes any free port', { ...ENDPOINT, port: 0 }],
    ['is chosen from a range', { ...ENDPOINT, portrange: [8080, 8090] }],
  ])('has nothing for a port that %s', (_what, endpoint) => {
    expect(new SharedPorts().of(endpoint)).toBeUndefined();
  });

  it('tells ports and addresses apart', () => {
    const ports = new SharedPorts();
    expect(ports.of(ENDPOINT)).toBe(ports.of({ ...ENDPOINT }));
    expect(ports.of({ ...ENDPOINT, port: 8081 })).not.toBe(ports.of(ENDPOINT));
    expect(ports.of({ ...ENDPOINT, interface: '127.0.0.1' })).not.toBe(ports.of(ENDPOINT));
  });

  it('lets the first one listen', async () => {
    const port = new SharedPorts().of(ENDPOINT);
    const bound = { address: '0.0.0.0', port: 8080 };
    expect(await port?.listen(() => Promise.resolve(bound))).toBe(bound);
    expect(await port?.listen(() => Promise.reject(new Error('a second listener')))).toBe(bound);
  });

  it('leads to the router that has the realm, each place by itself', () => {
    const ports = new SharedPorts();
    const [one, two] = [worker('realm1', 'both'), worker('realm2', 'both')];
    const first = ports.of(ENDPOINT)?.share('/ws', one) ?? one;
    ports.of(ENDPOINT)?.share('/ws', two);
    const elsewhere = ports.of(ENDPOINT)?.share('/other', one) ?? one;
    ports.complete();
    for (const realm of ['realm1', 'realm2', 'both']) expect(answerTo(realm, first).type, realm).toBe(2);
    const sessions = (realm: string) => [one, two].map(({ router }) => router.size[realm]?.sessions);
    expect([sessions('realm1'), sessions('realm2'), sessions('both')]).toEqual([
      [1, undefined],
      [undefined, 1],
      [1, 0],
    ]);
    expect(answerTo('realm2', elsewhere)).toEqual({ type: 3, closed: 'denied' });
  });

  it('sends clients away for the moment, without ABORT, as long as their realm may still come', () => {
    const ports = new SharedPorts();
    const deps = ports.of(ENDPOINT)?.share('/ws', worker('realm1')) ?? worker();
    expect(answerTo('realm2', deps)).toEqual({ type: undefined, closed: 'unavailable' });
    expect(answerTo('realm1', deps).type).toBe(2);
    ports.complete();
    expect(answerTo('realm2', deps)).toEqual({ type: 3, closed: 'denied' });
  });
});
