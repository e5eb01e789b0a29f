/** autobahn-js as it comes from npm, in Node.js, against the daemon: at a shutdown, a thousand of it, and with a cookie. */
import autobahn from 'autobahn';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Daemon } from '../support/daemon.js';
import { startDaemon } from '../support/daemon.js';
import { mailbox } from '../support/mailbox.js';
import { nodeConfig, openRealm } from '../support/node-config.js';
import { cookieValue, WampClient, within } from '../support/wamp-client.js';

const THOUSAND = 1000;

interface Joined {
  readonly connection: autobahn.Connection;
  readonly session: autobahn.Session;
  readonly details: autobahn.WelcomeDetails;
  readonly closed: Promise<{ readonly reason: string; readonly details: autobahn.CloseDetails }>;
}

let daemon: Daemon;
let open: autobahn.Connection[] = [];
// It tells the console about every closed connection; there are thousands here.
autobahn.log.warn = () => undefined;
beforeAll(async () => {
  const store = { type: 'file', filename: 'cookies.dat' };
  daemon = await startDaemon({
    config: nodeConfig({
      realms: [openRealm('realm1')],
      websocket: { cookie: { store } },
      paths: { memory: { type: 'websocket' } },
    }),
  });
});
afterAll(() => daemon.dispose());
afterEach(() => {
  for (const connection of open) connection.close();
  open = [];
});

/** Opens a connection that does not retry. @throws when it ends before the session is open */
async function join(realm = 'realm1', { urlPath = '/memory', headers = {} } = {}): Promise<Joined> {
  const url = daemon.url(urlPath, 'ws');
  const connection = new autobahn.Connection({
    realm,
    transports: [{ type: 'websocket', url, headers }],
    max_retries: 0,
    use_es6_promises: true,
    on_user_error: () => undefined,
    on_internal_error: (error) => {
      throw error;
    },
  });
  let closed: Joined['closed'] | undefined;
  const opened = new Promise<Omit<Joined, 'closed'>>((resolve, reject) => {
    closed = new Promise((resolveClosed) => {
      connection.onclose = (reason, details) => {
        open = open.filter((other) => other !== connection);
        reject(new Error(`${reason}: ${String(details.reason)} ${String(details.message)}`));
        resolveClosed({ reason, details });
        return true;
      };
    });
    connection.onopen = (session, details) => {
      open.push(connection);
      resolve({ connection, session, details });
    };
  });
  connection.open();
  const joined = await within(opened, 'session of autobahn-js', 60_000);
  return { ...joined, closed: closed! };
}

describe('autobahn-js', () => {
  it('hears a GOODBYE when the node shuts down and is to say so', async () => {
    const other = await startDaemon({
      config: { ...nodeConfig(), controller: { options: { shutdown_goodbye: true } } },
    });
    const connection = new autobahn.Connection({
      realm: 'realm1',
      url: other.url('/ws', 'ws'),
      max_retries: 0,
      use_es6_promises: true,
    });
    const ended = new Promise<string | null>((resolve) => {
      connection.onclose = (_reason, details) => {
        resolve(details.reason);
        return true;
      };
      connection.onopen = () => other.signal('SIGTERM');
    });
    connection.open();
    expect(await within(ended, 'GOODBYE')).toBe('wamp.close.system_shutdown');
    expect((await other.exited).code).toBe(0);
    await other.dispose();
  });
});

describe('a thousand concurrent connections', () => {
  const fileIds = (): string[] =>
    readFileSync(path.join(daemon.cbdir, 'cookies.dat'), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { cbtid: string }).cbtid);

  it('of WebSockets: as many distinct cookies, each of them in the file exactly once', async () => {
    const clients = await Promise.all(
      Array.from({ length: THOUSAND }, () => WampClient.join(daemon.url('/ws', 'ws'), 'realm1')),
    );
    expect(clients.every((client) => client.isOpen)).toBe(true);
    const cookies = clients.map(({ handshake }) => cookieValue(handshake.setCookie[0] ?? ''));
    expect(new Set(cookies).size).toBe(THOUSAND);
    expect(clients.map(({ welcome }) => welcome.authid)).toEqual(cookies);
    expect(fileIds().sort()).toEqual(cookies.sort());
    await Promise.all(clients.map((client) => client.leave()));
  });

  it(
    'of autobahn-js: as many distinct identities, all of them new in the file, and all of them reachable',
    { timeout: 120_000 },
    async () => {
      const before = new Set(fileIds());
      const joined = await Promise.all(Array.from({ length: THOUSAND }, () => join('realm1', { urlPath: '/ws' })));
      const authids = joined.map(({ details }) => details.authid);
      expect(new Set(authids).size).toBe(THOUSAND);
      expect(
        fileIds()
          .filter((id) => !before.has(id))
          .sort(),
      ).toEqual(authids.sort());

      const heard = mailbox<number>();
      await Promise.all(joined.map(({ session }, i) => session.subscribe('com.example.all', () => heard.put(i))));
      await joined[0]!.session.publish('com.example.all', [], {}, { acknowledge: true, exclude_me: false });
      const listeners = new Set<number>();
      while (listeners.size < THOUSAND) listeners.add(await heard.take());
      expect(open).toHaveLength(THOUSAND);
      await Promise.all(
        joined.map(({ connection, closed }) => {
          connection.close();
          return within(closed, 'end of a connection', 60_000);
        }),
      );
    },
  );

  it('comes back with its cookie: the same authid', async () => {
    // From version 22 on Node has a WebSocket of its own. autobahn-js takes it for a browser's, which sets no headers.
    vi.stubGlobal('WebSocket', undefined);
    Reflect.deleteProperty(globalThis, 'WebSocket');
    const first = await join('realm1', { urlPath: '/ws' });
    const headers = { Cookie: `cbtid=${first.details.authid}` };
    const again = await join('realm1', { urlPath: '/ws', headers });
    vi.unstubAllGlobals();
    expect(again.details.authid).toBe(first.details.authid);
  });
});
