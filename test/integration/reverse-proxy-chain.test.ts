/** nginx and HAProxy in front of a node in front of another node: autobahn-js, as it comes from npm, through all of them. */
import autobahn from 'autobahn';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { startDaemon } from '../support/daemon.js';
import type { Daemon } from '../support/daemon.js';
import { FRONT_PROXIES } from '../support/front-proxies.js';
import { mailbox } from '../support/mailbox.js';
import { describeNeeds } from '../support/needs.js';
import { nodeConfig } from '../support/node-config.js';
import type { Program } from '../support/program.js';

interface Joined {
  readonly connection: autobahn.Connection;
  readonly session: autobahn.Session;
  readonly closed: Promise<void>;
}

function join(url: string): Promise<Joined> {
  const connection = new autobahn.Connection({ realm: 'realm1', url, max_retries: 0, use_es6_promises: true });
  return new Promise((resolve, reject) => {
    const closed = new Promise<void>((over) => {
      connection.onclose = (reason, details) => {
        reject(new Error(`${reason}: ${String(details.reason)}`));
        over();
        return true;
      };
    });
    connection.onopen = (session) => resolve({ connection, session, closed });
    connection.open();
  });
}

for (const { name, isThere, start } of FRONT_PROXIES) {
  describeNeeds(name, isThere)(`behind ${name} and a node`, () => {
    let behind: Daemon;
    let front: Daemon;
    let proxy: Program;
    let port = 0;

    beforeAll(async () => {
      const trusting = { transport: { options: { trusted_proxies: ['loopback'] } } };
      behind = await startDaemon({ config: nodeConfig(trusting) });
      const url = behind.url('/ws', 'ws');
      const paths = {
        tunnel: { type: 'websocket-reverseproxy', backend: { type: 'websocket', url } },
        app: { type: 'reverseproxy', host: '127.0.0.1', port: behind.port },
      };
      front = await startDaemon({ config: nodeConfig({ ...trusting, paths }) });
      ({ port, program: proxy } = await start(front.port));
    });
    afterAll(async () => {
      await proxy.stop();
      await front.dispose();
      await behind.dispose();
    });

    it.each(['/tunnel', '/app/ws'])('autobahn-js calls, and gets events, through %s', async (path) => {
      const url = `ws://127.0.0.1:${port}${path}`;
      const [one, other] = await Promise.all([join(url), join(url)]);
      // It is the node behind that has the sessions.
      await behind.waitForLog(({ msg, sessionId }) => msg === 'session joined' && sessionId === one.session.id);
      await one.session.register('com.example.add', ([a, b]) => Number(a) + Number(b));
      expect(await other.session.call('com.example.add', [2, 3])).toBe(5);
      const heard = mailbox<unknown>();
      await one.session.subscribe('com.example.news', (args) => heard.put(args[0]));
      const large = 'x'.repeat(200_000);
      for (const news of ['first', large, 'last']) {
        await other.session.publish('com.example.news', [news], {}, { acknowledge: true });
        expect(await heard.take()).toBe(news);
      }
      one.connection.close();
      other.connection.close();
      await Promise.all([one.closed, other.closed]);
    });

    it('a client that asks for another realm learns why it may not', async () => {
      const connection = new autobahn.Connection({
        realm: 'elsewhere',
        url: `ws://127.0.0.1:${port}/tunnel`,
        max_retries: 0,
        use_es6_promises: true,
      });
      const reason = await new Promise((resolve) => {
        connection.onclose = (_reason, details) => {
          resolve(details.reason);
          return true;
        };
        connection.open();
      });
      expect(reason).toBe('wamp.error.no_such_realm');
    });
  });
}
