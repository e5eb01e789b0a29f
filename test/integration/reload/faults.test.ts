/** A config file that is wrong, in whatever way, changes nothing: sessions, listeners, permissions, cookies and certificates stay. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Server } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Certificates } from '../../support/certificates.js';
import { expectServed } from '../../support/changing-places.js';
import { temporaryDirectory } from '../../support/daemon.js';
import { LongPollClient } from '../../support/long-poll-client.js';
import { ALLOW_ALL } from '../../support/node-config.js';
import { RawSocketClient } from '../../support/rawsocket-client.js';
import { endpointAt, ReloadedDaemon } from '../../support/reloading.js';
import { WampClient } from '../../support/wamp-client.js';

let certificates: Certificates;
let node: ReloadedDaemon;
let busy: Server;

const tls = (key: string, certificate: string): object => ({
  key: certificates.file(`${key}.key`),
  certificate: certificates.file(`${certificate}.pem`),
});

interface Parts {
  readonly rules?: readonly object[];
  readonly realms?: readonly object[];
  readonly cookie?: object;
  readonly page?: object;
  readonly tls?: object;
  /** More paths of the web transport. */
  readonly paths?: object;
  /** Behind the others. */
  readonly transports?: readonly object[];
  readonly ports?: readonly number[];
  /** Without the RawSocket and the long-poll. */
  readonly isSmall?: boolean;
}

function config(parts: Parts): object {
  const { rules = ALLOW_ALL, realms = [], cookie = { max_age: 1111 }, page = { type: 'json', value: 'old' } } = parts;
  const { paths = {}, transports = [], ports = node.ports, isSmall = false } = parts;
  const [web = 0, secure = 0, raw = 0] = ports;
  const ws = { type: 'websocket' };
  return {
    version: 2,
    workers: [
      {
        type: 'router',
        realms: [{ name: 'realm1', roles: [{ name: 'anonymous', permissions: rules }] }, ...realms],
        transports: [
          {
            ...{ type: 'web', id: 'plain', endpoint: endpointAt(web), cookie },
            paths: { ws, page, ...(isSmall ? {} : { lp: { type: 'longpoll' } }), ...paths },
          },
          {
            ...{ type: 'web', id: 'secure', paths: { ws } },
            endpoint: { ...endpointAt(secure), tls: parts.tls ?? tls('server', 'server') },
          },
          ...(isSmall ? [] : [{ type: 'rawsocket', id: 'raw', endpoint: endpointAt(raw) }]),
          ...transports,
        ],
      },
    ],
  };
}

beforeAll(async () => {
  certificates = new Certificates(temporaryDirectory());
  busy = createServer().listen(0, '127.0.0.1');
  await once(busy, 'listening');
  node = await ReloadedDaemon.start((ports) => config({ ports }), { portCount: 5 });
});
afterAll(async () => {
  busy.close();
  await node.dispose();
});

/** All that could change does, but for what is wrong. */
const changed = (parts: Parts = {}): object =>
  config({
    rules: [{ uri: 'com.other', allow: { subscribe: true } }],
    realms: [{ name: 'realm2', roles: [{ name: 'anonymous', permissions: ALLOW_ALL }] }],
    cookie: { max_age: 2222 },
    page: { type: 'json', value: 'new' },
    tls: tls('root', 'root'),
    transports: [{ type: 'rawsocket', id: 'another', endpoint: endpointAt(node.ports[3] ?? 0) }],
    isSmall: true,
    ...parts,
  });

const port = (index: number): number => node.ports[index] ?? 0;
const url = (index: number, scheme = 'http'): string => `${scheme}://127.0.0.1:${port(index)}`;
const unverified = { tls: { rejectUnauthorized: false } };

async function subject(): Promise<string> {
  const socket = connectTls({ port: port(1), host: '127.0.0.1', rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const certificate = socket.getPeerX509Certificate();
  socket.destroy();
  return certificate?.subject ?? '';
}

/** What a stranger sees of the node. */
async function seen(): Promise<object> {
  const page = await fetch(`${url(0)}/page`);
  const client = await WampClient.join(`${url(0, 'ws')}/ws`);
  const raw = await RawSocketClient.join({ port: port(2) });
  const poll = await LongPollClient.connect({ port: port(0), path: '/lp' });
  const facts = {
    page: await page.json(),
    pageCookie: /Max-Age=\d+/.exec(page.headers.get('set-cookie') ?? '')?.[0],
    cookie: /Max-Age=\d+/.exec(client.handshake.setCookie[0] ?? '')?.[0],
    certificate: await subject(),
    mayAll: [await client.ask([32, 1, {}, 'com.any']), await raw.ask([64, 1, {}, 'com.proc'])].map(([type]) => type),
    realm2: (await (await WampClient.connect(`${url(0, 'ws')}/ws`)).ask([1, 'realm2', { roles: { caller: {} } }]))[2],
    more: (await fetch(`${url(0)}/more`)).status,
    another: await RawSocketClient.join({ port: port(3) }).catch(
      (error: unknown) => (error as NodeJS.ErrnoException).code,
    ),
  };
  await Promise.all([client.drop(), raw.drop(), poll.close()]);
  return facts;
}

const BEFORE = {
  ...{ page: 'old', pageCookie: 'Max-Age=1111', cookie: 'Max-Age=1111', certificate: 'CN=server' },
  ...{ mayAll: [33, 65], realm2: 'wamp.error.no_such_realm', more: 404, another: 'ECONNREFUSED' },
};

/** What is wrong, the file that has it, and what is said of it. */
const FAULTS: readonly (readonly [fault: string, file: () => object | string, problem: RegExp])[] = [
  ['that does not parse', () => JSON.stringify(changed()).slice(0, -1), /config\.json/],
  ['that is empty', () => '', /config\.json/],
  ['that is no object', () => '[]', /object/],
  ['with an unknown key', () => ({ ...changed(), wrokers: [] }), /unknown key "wrokers"/],
  ['with a value out of range', () => changed({ cookie: { max_age: 0 } }), /max_age/],
  ['with an unknown word', () => changed({ paths: { more: { type: 'jason' } } }), /did you mean "json"/],
  [
    'with one port twice',
    () => changed({ transports: [{ type: 'rawsocket', id: 'twice', endpoint: endpointAt(port(0)) }] }),
    /port/,
  ],
  ['with one realm twice', () => changed({ realms: [1, 2].map(() => ({ name: 'realm2', roles: [] })) }), /realm2/],
  [
    'with a secret that is not in the environment',
    () => changed({ cookie: { secrets: ['${ROWS_NO_SUCH}'] } }),
    /ROWS_NO_SUCH/,
  ],
  ['with a certificate that does not fit its key', () => changed({ tls: tls('server', 'root') }), /secure/],
  ['with a certificate that is not there', () => changed({ tls: tls('none', 'none') }), /none\.(pem|key)/],
  [
    'with a certificate that is none',
    () => changed({ tls: { key: certificates.file('root.key'), certificate: certificates.file('root.key') } }),
    /root\.key/,
  ],
  [
    'with a port in use',
    () => {
      const { port: taken } = busy.address() as { readonly port: number };
      const another = { type: 'rawsocket', id: 'another', endpoint: endpointAt(port(3)) };
      return changed({ transports: [another, { type: 'rawsocket', id: 'taken', endpoint: endpointAt(taken) }] });
    },
    /taken .*(in use|EADDRINUSE)/,
  ],
  [
    'with a service that does not start',
    () => {
      const cookie = { store: { type: 'file', filename: '/no/such/directory/cookies.dat' } };
      return changed({ paths: { more: { type: 'json', value: 1, cookie } } });
    },
    /no\/such\/directory/,
  ],
];

it.each(FAULTS)('a file %s changes nothing', async (_fault, file, problem) => {
  const clients = [
    await WampClient.join(`${url(0, 'ws')}/ws`),
    await WampClient.join(`${url(1, 'wss')}/ws`, 'realm1', unverified),
    await RawSocketClient.join({ port: port(2) }),
  ];
  const poll = await LongPollClient.connect({ port: port(0), path: '/lp' });
  await poll.hello();
  const before = await node.node.status();
  const report = await node.reload(file());
  expect(report).toMatchObject({ ok: false, changes: [], pending: [], revoked: 0, removed: 0 });
  expect(report.problems.join('\n')).toMatch(problem);
  for (const client of [...clients, poll]) await expectServed(client, 1);
  expect(await seen()).toEqual(BEFORE);
  const { config_loaded: loaded } = before;
  expect(await node.node.status()).toMatchObject({
    config_loaded: loaded,
    last_reload_successful: false,
    realms: ['realm1'],
  });
  await Promise.all([...clients.map((client) => client.drop()), poll.close()]);
});

it('behind all of them a file without a fault is taken over, and each fault has its line in the log', async () => {
  await node.take(changed());
  const page = await fetch(`${url(0)}/page`);
  expect([await page.json(), page.headers.get('set-cookie')]).toEqual(['new', expect.stringContaining('Max-Age=2222')]);
  expect(await subject()).toBe('CN=root');
  await (await WampClient.join(`${url(0, 'ws')}/ws`, 'realm2')).leave();
  await (await RawSocketClient.join({ port: port(3) }, 'realm2')).leave();
  const refused = node.daemon.logs.filter(({ msg }) => msg === 'reload refused: the config before stays in force');
  expect(refused.length).toBeGreaterThanOrEqual(FAULTS.length);
  expect(node.daemon.logs.filter(({ msg }) => msg === 'reload failed')).toEqual([]);
});
