/** Sessions whose principal is gone, or another one, after a reload: they go on and are listed, or are ended; a cookie is no way around. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nodeDirectory, runCli, startDaemon } from '../../support/daemon.js';
import type { Daemon } from '../../support/daemon.js';
import { ALLOW_ALL, LOOPBACK } from '../../support/node-config.js';
import { ALL_ROLES, WampClient } from '../../support/wamp-client.js';

interface Parts {
  readonly principals: object;
  readonly anonymous?: object;
  readonly kick?: boolean;
  readonly ticket?: object;
}

const ALICE = { ticket: 'secret-of-alice', role: 'user' };
const BOB = { ticket: 'secret-of-bob', role: 'user' };
const CAROL = { ticket: 'secret-of-carol', role: 'user' };

const config = ({ principals, kick, anonymous = { type: 'static' }, ticket }: Parts): object => ({
  version: 2,
  controller: { options: { audit: { file: 'audit.log' }, ...(kick !== undefined && { reload: { kick } }) } },
  workers: [
    {
      type: 'router',
      realms: [
        {
          name: 'realm1',
          roles: ['anonymous', 'user', 'admin', 'guest'].map((name) => ({ name, permissions: ALLOW_ALL })),
        },
      ],
      components: [{ type: 'module', realm: 'realm1', role: 'user', module: '../component.js' }],
      transports: [
        {
          type: 'web',
          endpoint: LOOPBACK,
          paths: {
            ws: {
              type: 'websocket',
              cookie: { store: { type: 'memory' } },
              auth: {
                anonymous,
                cookie: {},
                ticket: ticket ?? { type: 'static', principals },
                wampcra: { type: 'static', users: { dave: { secret: 'x', role: 'user' } } },
              },
            },
            metrics: { type: 'metrics' },
          },
        },
      ],
    },
  ],
});

describe('sessions of principals that a reload takes away', () => {
  let daemon: Daemon;
  const before: Parts = { principals: { alice: ALICE, bob: BOB, carol: CAROL } };
  beforeEach(async () => {
    const cbdir = nodeDirectory(config(before));
    writeFileSync(path.join(cbdir, '../component.js'), 'export default () => undefined;\n');
    daemon = await startDaemon({ cbdir });
  });
  afterEach(() => daemon.dispose());

  const reload = async (parts: Parts, ...more: string[]) => {
    writeFileSync(path.join(daemon.cbdir, 'config.json'), JSON.stringify(config(parts)));
    return runCli(['reload', '--cbdir', daemon.cbdir, ...more]);
  };
  const connect = (cookie = ''): Promise<WampClient> =>
    WampClient.connect(daemon.url('/ws', 'ws'), cookie === '' ? {} : { headers: { cookie } });
  const hello = (authmethods: readonly string[], authid?: string): unknown[] => [
    ...[1, 'realm1'],
    { roles: ALL_ROLES, authmethods, ...(authid !== undefined && { authid }) },
  ];
  const logIn = async (authid: string): Promise<WampClient & { readonly cookie: string }> => {
    const client = await connect();
    await client.ask(hello(['ticket'], authid));
    expect(await client.ask([5, `secret-of-${authid}`, {}])).toMatchObject([2, expect.any(Number), { authid }]);
    return Object.assign(client, { cookie: client.handshake.setCookie[0]?.split(';')[0] ?? '' });
  };
  const comeBack = async (cookie: string): Promise<unknown[]> => {
    const client = await connect(cookie);
    const answer = await client.ask(hello(['cookie']));
    await client.drop();
    return answer;
  };
  const nobody = expect.any(Number) as number;

  it('go on, and are listed in the output, in the log and as JSON; their cookies let nobody in', async () => {
    const [alice, bob, carol, anybody] = [
      await logIn('alice'),
      await logIn('bob'),
      await logIn('carol'),
      await connect(),
    ];
    await anybody.ask(hello(['anonymous']));
    const again = await connect(bob.cookie);
    expect(await again.ask(hello(['cookie']))).toMatchObject([2, nobody, { authid: 'bob', authprovider: 'cookie' }]);
    const after = { principals: { alice: ALICE, bob: { ...BOB, role: 'admin' } } };
    const { code, stdout } = await reload(after);
    expect(code).toBe(0);
    expect(stdout).toContain('sessions that the config does not let in any more: 3, they go on');
    expect(stdout).toMatch(/bob as user in realm1, session \d+: no such principal/);
    expect(stdout).toMatch(/carol as user in realm1, session \d+: no such principal/);
    expect(stdout).not.toMatch(/alice as|anonymous/);
    const line = await daemon.waitForLog('sessions go on that the config does not let in');
    expect(line).toMatchObject({ level: 'warn', count: 3 });
    // They can do what they could, and are listed again next time.
    expect(await carol.ask([32, 1, {}, 'com.topic'])).toMatchObject([33, 1, nobody]);
    const second = JSON.parse((await reload(after, '--json')).stdout) as { outdated: { sessions: object[] } };
    expect(second.outdated).toMatchObject({ count: 3, killed: 0 });
    expect(second.outdated.sessions).toContainEqual(
      expect.objectContaining({ authid: 'carol', role: 'user', realm: 'realm1' }),
    );
    // By the cookie nobody gets what is gone; alice has lost nothing.
    expect(await comeBack(carol.cookie)).toMatchObject([3, {}, 'wamp.error.no_auth_method']);
    expect(await comeBack(bob.cookie)).toMatchObject([3, {}, 'wamp.error.no_auth_method']);
    expect(await comeBack(alice.cookie)).toMatchObject([2, nobody, { authid: 'alice', authrole: 'user' }]);
  });

  it('are ended with `kick`, and counted and written down as killed', async () => {
    const [alice, bob, carol, anybody] = [
      await logIn('alice'),
      await logIn('bob'),
      await logIn('carol'),
      await connect(),
    ];
    await anybody.ask(hello(['anonymous']));
    const { code, stdout } = await reload({
      ...{ kick: true, anonymous: { type: 'static', role: 'guest' } },
      principals: { alice: ALICE, bob: { ...BOB, ticket: 'another' } },
    });
    expect([code, stdout]).toEqual([0, expect.stringContaining('any more: 3, 3 were ended')]);
    expect(stdout).toMatch(/bob as user in realm1, session \d+: another credential/);
    const told = expect.stringContaining('does not let you in any more') as string;
    for (const client of [bob, carol, anybody]) {
      expect(await client.next()).toEqual([6, { message: told }, 'wamp.close.killed']);
    }
    expect(await alice.ask([32, 1, {}, 'com.topic'])).toMatchObject([33, 1, nobody]);
    const metrics = async (): Promise<string> => (await fetch(daemon.url('/metrics'))).text();
    await expect.poll(metrics).toMatch(/reason="killed"\} 3\n/);
    const audit = (): string[] =>
      readFileSync(path.join(daemon.cbdir, 'audit.log'), 'utf8')
        .split('\n')
        .filter((text) => text.includes('session killed') && text.includes('"reload"'));
    await expect.poll(() => audit().length, { timeout: 20_000 }).toBe(3);
  });

  it('a login that is under way when its principal goes is refused', async () => {
    const client = await connect();
    await client.ask(hello(['ticket'], 'carol'));
    await reload({ principals: { alice: ALICE } });
    expect(await client.ask([5, 'secret-of-carol', {}])).toMatchObject([3, {}, 'wamp.error.not_authorized']);
  });

  it('whose method is gone are outdated, too; what an authenticator decided stands', async () => {
    await logIn('alice');
    const dynamic = { type: 'dynamic', authenticator: 'com.authenticate', 'authenticator-realm': 'realm1' };
    const { stdout } = await reload({ principals: {}, ticket: dynamic });
    expect(stdout).toMatch(/alice as user in realm1, session \d+: no such principal/);
  });
});
