/**
 * A page of a real Express application in a real Chromium, with sessions in a real Redis; the router listens on another port. The page logs
 * in and out at the application alone.
 */
import path from 'node:path';
import { RedisStore } from 'connect-redis';
import express from 'express';
import type { Browser } from 'playwright-core';
import { createClient } from 'redis';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { AutobahnPage, launchBrowser } from '../support/browser.js';
import { startDaemon } from '../support/daemon.js';
import type { Daemon } from '../support/daemon.js';
import { describeNeeds } from '../support/needs.js';
import { ALLOW_ALL, nodeConfig } from '../support/node-config.js';
import { hasRedis, RedisServer } from '../support/redis.js';
import { HandshakeRefused, WampClient } from '../support/wamp-client.js';
import { SECRET, WebApp } from '../support/web-app.js';

const ROOT = path.resolve(import.meta.dirname, '../..');
const ROLES = ['anonymous', 'member'].map((name) => ({ name, permissions: ALLOW_ALL }));

describeNeeds('redis-server', hasRedis)('a page of a web application', () => {
  let redis: RedisServer;
  let app: WebApp;
  let daemon: Daemon;
  let browser: Browser;
  let endStore: () => void;
  beforeAll(async () => {
    redis = await RedisServer.start();
    const client = createClient({ url: redis.url() });
    await client.connect();
    endStore = () => client.destroy();
    app = await WebApp.start({
      store: new RedisStore({ client }),
      extend: (routes) => {
        routes.use('/page', express.static(path.join(ROOT, 'test/browser/page')));
        routes.use('/autobahn', express.static(path.join(ROOT, 'node_modules/autobahn-browser')));
      },
    });
    const session = {
      type: 'express',
      secrets: [SECRET],
      store: { type: 'redis', url: redis.url() },
      authid: 'passport.user.id',
      role: { path: 'passport.user.role', map: { member: 'member' } },
    };
    daemon = await startDaemon({
      config: nodeConfig({
        realms: [{ name: 'realm1', roles: ROLES }],
        websocket: { auth: { anonymous: { type: 'static' }, session } },
      }),
    });
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser.close();
    await daemon.dispose();
    app.close();
    endStore();
    await redis.dispose();
  });

  it('has the login of the application after a reload, and loses it with the logout there', async () => {
    const context = await browser.newContext();
    const page = await AutobahnPage.load(context, `${app.origin}/page/`);
    const post = (where: string): Promise<unknown> =>
      page.page.evaluate(`fetch(${JSON.stringify(where)}, { method: 'POST' })`);
    const hello = { url: daemon.url('/ws', 'ws'), authmethods: ['session', 'anonymous'] };
    expect(await page.connect('realm1', hello)).toMatchObject({ authrole: 'anonymous', authmethod: 'anonymous' });

    await post('/login?username=42&password=member');
    const user = { authid: '42', authrole: 'member', authmethod: 'session', authprovider: 'redis' };
    expect(await page.reload(hello)).toMatchObject(user);
    const tab = await AutobahnPage.load(context, `${app.origin}/page/`);
    expect(await tab.connect('realm1', hello)).toMatchObject(user);

    await post('/logout');
    for (const each of [page, tab]) {
      expect(await each.nextEnd()).toBe('crossbar.close.session_ended');
      // It opens again by itself, as a stranger.
      expect(await each.nextJoin()).toMatchObject({ authrole: 'anonymous' });
    }
    await context.close();
  });

  it('is the only one that can use it: those of other sites cannot connect', async () => {
    const { cookie } = await app.login('joe');
    const connect = (origin: string): Promise<WampClient> =>
      WampClient.connect(daemon.url('/ws', 'ws'), { headers: { cookie, origin } });
    await expect(connect('https://evil.example')).rejects.toThrow(HandshakeRefused);
    await expect(connect('null')).rejects.toThrow(HandshakeRefused);
    await (await connect(app.origin)).drop();
  });
});
