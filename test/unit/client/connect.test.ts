import { describe, expect, it, vi } from 'vitest';
import { connectLocal } from '../../../src/client/connect.js';
import { ServiceSession } from '../../../src/client/service-session.js';
import { LocalClients } from '../../../src/client/local-clients.js';
import { createLogger } from '../../../src/log/logger.js';
import { Router } from '../../../src/router/router.js';
import type { RealmConfig } from '../../../src/router/schema.js';
import { ALLOW_ALL, FakeClock } from '../../support/realm.js';

const CLOSED: RealmConfig['roles'][number] = { name: 'closed', permissions: [] };

/** A router with some realms, and a log whose lines can be looked at. */
function world(...realms: readonly RealmConfig[]) {
  let lastId = 100;
  const clock = new FakeClock();
  const router = new Router(realms, { randomId: () => ++lastId, clock: () => clock.now, scheduler: clock });
  const lines: Record<string, unknown>[] = [];
  const write = (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>);
  return { router, realms, lines, log: createLogger({ level: 'debug', destination: { write } }) };
}

function realm(name: string, options?: RealmConfig['options']): RealmConfig {
  return { name, roles: [ALLOW_ALL, CLOSED], ...(options && { options }) };
}

describe('a client in this process', () => {
  const join = async (role = 'anonymous', name = 'realm1') => {
    const made = world(realm('realm1'));
    const client = await connectLocal(made, { realm: name, role, authid: 'joe' });
    return { ...made, client };
  };

  it('is the principal that it was made for', async () => {
    const { client } = await join();
    expect(client.session).toMatchObject({ realm: 'realm1', isOpen: true });
    expect(client.session.details).toMatchObject({
      authid: 'joe',
      authrole: 'anonymous',
      authmethod: 'local',
      authprovider: 'static',
    });
    const info = await client.session.call('wamp.session.get', [client.session.id]);
    expect(info).toMatchObject({ authid: 'joe', transport: { peer: 'local' } });
  });

  it('may do what its role may do, and no more', async () => {
    const { client, lines } = await join('closed');
    for (let n = 0; n < 3; n += 1) {
      const call = client.session.call('com.example.add');
      await expect(call).rejects.toMatchObject({ error: 'wamp.error.not_authorized' });
    }
    const denied = lines.filter(({ msg }) => msg === 'action denied').map(({ level, uri }) => [level, uri]);
    expect(denied).toEqual(['warn', 'debug', 'debug'].map((level) => [level, 'com.example.add']));
  });

  it('is refused where the realm or the role is not there', async () => {
    await expect(join('anonymous', 'realm2')).rejects.toMatchObject({
      name: 'CallError',
      error: 'wamp.error.no_such_realm',
      args: ['no realm "realm2" exists on this router'],
    });
    await expect(join('nobody')).rejects.toMatchObject({
      error: 'wamp.error.no_such_role',
      args: ['realm "realm1" has no role "nobody"'],
    });
  });

  it('closes once, and leaves nothing on the router', async () => {
    const { client, router } = await join();
    const onleave = vi.fn();
    client.session.onleave = onleave;
    await client.session.subscribe('com.example.topic', () => undefined);
    await Promise.all([client.session.close(), client.session.close()]);
    await client.session[Symbol.asyncDispose]();
    expect(onleave.mock.calls).toEqual([['wamp.close.goodbye_and_out', {}]]);
    expect(router.size['realm1']).toMatchObject({ sessions: 0, subscriptions: 0 });
    await expect(client.over).resolves.toBe('wamp.close.goodbye_and_out');
  });

  it('is told when the node stops', async () => {
    const { client } = await join();
    client.shutdown();
    await expect(client.over).resolves.toBe('wamp.close.system_shutdown');
    await client.session.close();
  });

  it('has its failures in the log under its own name', async () => {
    const { client, lines } = await join();
    await client.session.register('com.example.fail', () => {
      throw new Error('broken');
    });
    await expect(client.session.call('com.example.fail')).rejects.toMatchObject({ error: 'wamp.error.runtime_error' });
    expect(lines).toContainEqual(expect.objectContaining({ msg: 'endpoint of a local client failed' }));
  });
});

describe('the session of a service', () => {
  const PUBLISHER = { realm: 'realm1', role: 'anonymous', authid: 'publisher' };

  it('is one for all who ask, and says what it is', async () => {
    const service = new ServiceSession(world(realm('realm1')), PUBLISHER);
    const [first, second] = await Promise.all([service.open(), service.open()]);
    expect(second).toBe(first);
    expect(first.details).toMatchObject({ authid: 'publisher', authmethod: 'service' });
  });

  it('joins again when it was killed', async () => {
    const made = world(realm('realm1'));
    const service = new ServiceSession(made, PUBLISHER);
    const first = await service.open();
    const over = new Promise((resolve) => {
      first.onleave = resolve;
    });
    const killer = await connectLocal(made, { realm: 'realm1', role: 'anonymous', authid: 'joe' });
    await killer.session.call('wamp.session.kill', [first.id]);
    await over;
    const second = await service.open();
    expect([second.isOpen, second.id === first.id]).toEqual([true, false]);
  });

  it('is refused as any client, and asks anew each time', async () => {
    const service = new ServiceSession(world(), PUBLISHER);
    for (let n = 0; n < 2; n += 1) {
      await expect(service.open()).rejects.toMatchObject({ error: 'wamp.error.no_such_realm' });
    }
    await service.stop();
  });

  it('leaves when the service stops, also while it joins, and does not come back', async () => {
    const service = new ServiceSession(world(realm('realm1')), PUBLISHER);
    const joining = service.open();
    await Promise.all([service.stop(), service.stop()]);
    expect((await joining).isOpen).toBe(false);
    await expect(service.open()).rejects.toThrow('the service has stopped');
  });
});

describe('the local clients of a node', () => {
  function clients(...routers: readonly (readonly RealmConfig[])[]) {
    const { log } = world();
    const local = new LocalClients(log);
    const worlds = routers.map((realms) => world(...realms));
    for (const { router } of worlds) local.serve(router);
    return { local, worlds };
  }

  it('join the first router that has their realm, by the rules of that realm', async () => {
    const { local, worlds } = clients([realm('one')], [realm('two', { uri_check: 'strict' })]);
    const session = await local.connect('two', { role: 'anonymous' });
    expect(session.details).toMatchObject({ authid: 'local' });
    expect(worlds.map(({ router }) => router.newSessionId())).toEqual([101, 102]);
    // The rule decides which URI an endpoint may answer with.
    await session.register('com.example.fail', () => {
      throw Object.assign(new Error('x'), { error: 'not-strict', args: [] });
    });
    await expect(session.call('com.example.fail')).rejects.toMatchObject({ error: 'wamp.error.runtime_error' });
  });

  it('are refused where no router has the realm', async () => {
    await expect(clients().local.connect('one', { role: 'anonymous' })).rejects.toMatchObject({
      error: 'wamp.error.no_such_realm',
      args: ['no realm "one" exists on this node'],
    });
  });

  it('are all told when the node stops; those that have left are not waited for', async () => {
    const { local, worlds } = clients([realm('one')]);
    const [first, second] = [await local.connect('one', ANYBODY), await local.connect('one', ANYBODY)];
    const onleave = vi.fn();
    second.onleave = onleave;
    await first.close();
    await local.stop();
    await local.stop();
    expect(onleave.mock.calls).toEqual([
      ['wamp.close.system_shutdown', expect.objectContaining({ message: 'the router is shutting down' })],
    ]);
    expect(worlds[0]?.router.size['one']).toMatchObject({ sessions: 0 });
  });
});

const ANYBODY = { role: 'anonymous' };
