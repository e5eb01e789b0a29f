/** A login in a real browser that a component of Python decides about: it is the dynamic authenticator of the router. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { AUTOBAHN_PAGE_PATHS, AutobahnPage, launchBrowser } from '../support/browser.js';
import { startDaemon } from '../support/daemon.js';
import type { Daemon } from '../support/daemon.js';
import { describeNeeds } from '../support/needs.js';
import { ALLOW_ALL } from '../support/node-config.js';
import { hasAutobahn, pythonConfig, pythonDirectory } from '../support/python.js';

const LOGINS = { classname: 'logins.Logins', role: 'backend', extra: { team: 'blue' } };
const REALM = {
  name: 'realm1',
  roles: [
    { name: 'backend', permissions: ALLOW_ALL },
    { name: 'user', authorizer: 'com.example.authorize' },
  ],
};

describeNeeds('python3-autobahn', hasAutobahn)('a component of Python', () => {
  let browser: Browser;
  let daemon: Daemon;
  beforeAll(async () => {
    browser = await launchBrowser();
    const authenticator = {
      type: 'dynamic',
      authenticator: 'com.example.authenticate',
      'authenticator-realm': 'realm1',
    };
    const config = pythonConfig([LOGINS], {
      realms: [REALM],
      websocket: { auth: { wampcra: authenticator } },
      paths: AUTOBAHN_PAGE_PATHS,
    });
    daemon = await startDaemon({ cbdir: pythonDirectory(), config });
  });
  afterAll(async () => {
    await browser.close();
    await daemon.dispose();
  });

  test('lets a browser in, and decides what it may do', async () => {
    const context = await browser.newContext();
    const credentials = { authmethods: ['wampcra'], authid: 'joe', secret: 'secret!!!' };
    const tab = await AutobahnPage.join(context, daemon.url(), credentials);
    expect(tab.joined).toMatchObject({ authid: 'joe', authrole: 'user', authprovider: 'dynamic', challenges: 1 });
    expect(await tab.call('com.example.sum', [20, 22])).toMatchObject({ args: [42] });
    expect(await tab.call('com.example.forbidden')).toMatchObject({ error: 'wamp.error.not_authorized' });
  });
});
