/**
 * Two hundred real clients of three libraries, half of them in Chromium, on one node, which stops and starts again, as with every new
 * version of it: within ten seconds all of them are back by themselves, once, under their names, and every call has had an answer.
 *
 * How long that takes is up to the clients: autobahn-js waits 1.5 s and then half as long again each time, wampy 2 s, autobahn-python
 * 2.25 s and then half as long again. The times are printed.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import autobahn from 'autobahn';
import { afterEach, expect, it } from 'vitest';
import { CHROMIUM, launchBrowser } from '../support/browser.js';
import { checkReports, DRAIN, stopAndStart, told } from '../support/comeback.js';
import { CROWD_AUTH, CROWD_PATHS, PYTHON, twoHundred } from '../support/crowds.js';
import { runCli, startDaemon } from '../support/daemon.js';
import { allThere, Insider } from '../support/insider.js';
import { describeNeeds } from '../support/needs.js';
import { nodeConfig } from '../support/node-config.js';

const hasAll = existsSync(CHROMIUM) && spawnSync(PYTHON, ['-c', 'import autobahn']).status === 0;

// It tells of every connection that it lost.
autobahn.log.warn = () => undefined;

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

describeNeeds('chromium and python3-autobahn', hasAll)('two hundred clients', () => {
  it('come back by themselves after `stop` and `start`, everybody once, with name, login and subscription', async () => {
    const browser = await launchBrowser();
    ends.push(() => browser.close());
    const config = nodeConfig({
      transport: {
        endpoint: { type: 'tcp', port: '$PORT', interface: '127.0.0.1' },
        // The page brings the cookie, before ten connections of one tab ask for one.
        cookie: { authid: 'derived', store: { type: 'file', filename: 'cookies.dat' } },
      },
      websocket: { auth: CROWD_AUTH },
      paths: CROWD_PATHS,
    });
    const daemon = await startDaemon({ config: { ...config, controller: { options: { drain: DRAIN } } } });
    ends.push(() => daemon.dispose());
    const crowds = await twoHundred(browser, daemon.url('').replace(/\/$/, ''));
    ends.push(() => Promise.all(crowds.map((crowd) => crowd.close())));
    const insider = await Insider.join(daemon);
    await Promise.all(crowds.map((crowd) => crowd.open()));
    await allThere([insider], crowds);

    const stop = async (): Promise<void> => expect((await runCli(['stop', '--cbdir', daemon.cbdir])).code).toBe(0);
    const again = await stopAndStart({ daemon, insider, others: [], crowds, stop });
    ends.push(() => again.daemon.dispose());
    await checkReports([again.insider], crowds, 1);
    again.insider.leave();
    await again.daemon.stop();
    // And the insider.
    expect(again.daemon.logs.filter(({ msg }) => msg === 'session joined')).toHaveLength(200 + 1);
    process.stdout.write(`back after\n${told(again.seconds)}\n`);
  }, 180_000);
});
