/**
 * Session fixation: somebody plants his cookie in the browser of a victim, the victim logs in under it, and both go on.
 * Whoever comes first after the login gets the new id; the other one shows that two parties have the cookie.
 */
import type { Browser, BrowserContext } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { AUTOBAHN_PAGE_PATHS, AutobahnPage, launchChromium, onlyCookie } from '../support/browser.js';
import { startDaemon } from '../support/daemon.js';
import type { Daemon } from '../support/daemon.js';
import { nodeConfig, openRealm } from '../support/node-config.js';

const SECRET = 'a secret for joe';
const JOE = { authmethods: ['wampcra'], authid: 'joe', secret: SECRET } as const;
const BY_COOKIE = { authmethods: ['cookie', 'anonymous'] } as const;
const REUSED = 'replaced cookie came back';

const CONFIG = nodeConfig({
  realms: [openRealm('realm1')],
  paths: AUTOBAHN_PAGE_PATHS,
  transport: { endpoint: { type: 'tcp', port: '$PORT', interface: '127.0.0.1' } },
  websocket: {
    cookie: { store: { type: 'file', filename: 'cookies.dat' }, rotate_grace: 1 },
    auth: {
      cookie: {},
      anonymous: { type: 'static' },
      wampcra: { type: 'static', users: { joe: { secret: SECRET, role: 'anonymous' } } },
    },
  },
});

let browser: Browser;
let daemon: Daemon;
let planter: BrowserContext;
let victim: BrowserContext;

beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser.close());

beforeEach(async () => {
  daemon = await startDaemon({ config: CONFIG });
  [planter, victim] = [await browser.newContext(), await browser.newContext()];
});
afterEach(async () => {
  await Promise.all([planter.close(), victim.close()]);
  await daemon.dispose();
});

/** The planter's cookie is in both browsers, and the victim has logged in under it. */
async function plant(): Promise<{ thief: AutobahnPage; honest: AutobahnPage; old: string }> {
  const thief = await AutobahnPage.join(planter, daemon.url(), BY_COOKIE);
  await victim.addCookies([await onlyCookie(planter)]);
  const honest = await AutobahnPage.join(victim, daemon.url(), BY_COOKIE);
  expect((await onlyCookie(victim)).value).toBe((await onlyCookie(planter)).value);
  expect(await honest.reload(JOE)).toMatchObject({ authid: 'joe' });
  return { thief, honest, old: (await onlyCookie(planter)).value };
}

/** Comes again until the node takes the cookie for somebody else's. */
async function untilNobody(page: AutobahnPage): Promise<void> {
  await expect.poll(async () => (await page.reload(BY_COOKIE)).authmethod, { timeout: 20_000 }).toBe('anonymous');
}

async function expectBothOut(pages: readonly AutobahnPage[], ids: readonly string[]): Promise<void> {
  for (const page of pages) expect(await page.reload(BY_COOKIE)).toMatchObject({ authmethod: 'anonymous' });
  expect(daemon.output.split(REUSED)).toHaveLength(2);
  for (const id of ids) expect(daemon.output).not.toContain(id);
  daemon = await daemon.restart();
  for (const page of pages) expect(await page.reload(BY_COOKIE)).toMatchObject({ authmethod: 'anonymous' });
}

describe('a planted cookie, and a login under it', () => {
  test('the planter comes first: with the next visit of the victim after the grace both are nobody', async () => {
    const { thief, honest, old } = await plant();
    expect(await thief.reload(BY_COOKIE)).toMatchObject({ authid: 'joe' });
    const stolen = (await onlyCookie(planter)).value;
    expect(stolen).not.toBe(old);
    expect(await thief.reload(BY_COOKIE)).toMatchObject({ authid: 'joe' });

    await untilNobody(honest);
    expect(await thief.nextEnd()).toBe('wamp.close.logout');
    await expectBothOut([thief, honest], [old, stolen]);
  });

  test('the victim comes first: as soon as the planter comes after the grace both are nobody', async () => {
    const { thief, honest, old } = await plant();
    expect(await honest.reload(BY_COOKIE)).toMatchObject({ authid: 'joe' });
    expect(await honest.reload(BY_COOKIE)).toMatchObject({ authid: 'joe' });
    const current = (await onlyCookie(victim)).value;
    expect(current).not.toBe(old);

    await untilNobody(thief);
    expect(await honest.nextEnd()).toBe('wamp.close.logout');
    await expectBothOut([thief, honest], [old, current]);
  });
});
