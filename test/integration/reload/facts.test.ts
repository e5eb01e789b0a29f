/** What a node says of its last reload, wherever it can be asked: the metrics, the monitor, `status` and `top`. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { MetricsText } from '../../support/metrics-text.js';
import { runCli } from '../../support/daemon.js';
import { ALLOW_ALL, nodeConfig } from '../../support/node-config.js';
import { endpointAt, ReloadedDaemon } from '../../support/reloading.js';
import { WampClient } from '../../support/wamp-client.js';
import type { JoinedClient } from '../../support/wamp-client.js';

const PLACE = '/controller/options/title';
const NAMES = [
  ...['wamp_config_last_reload_successful', 'wamp_config_last_reload_success_timestamp_seconds'],
  'wamp_config_pending_restart',
];

const LOOKS = { uri: 'crossbar.monitor.', match: 'prefix', allow: { call: true } };

const config = (port = 0, title?: string): object => ({
  ...nodeConfig({
    realms: [{ name: 'realm1', roles: [{ name: 'anonymous', permissions: [...ALLOW_ALL, LOOKS] }] }],
    transport: { endpoint: endpointAt(port) },
    paths: { metrics: { type: 'metrics' } },
  }),
  ...(title !== undefined && { controller: { options: { title } } }),
});

let node: ReloadedDaemon;
let client: JoinedClient;
beforeAll(async () => {
  node = await ReloadedDaemon.start(([port]) => config(port), { portCount: 1 });
  client = await WampClient.join(node.daemon.url('/ws', 'ws'));
});
afterAll(async () => {
  await client.drop();
  await node.dispose();
});

interface Status {
  readonly config_loaded: string;
  readonly last_reload_successful: boolean;
  readonly pending_restart: readonly string[];
}

let requestId = 0;
async function monitored(): Promise<unknown> {
  const answer = await client.ask([48, ++requestId, {}, 'crossbar.monitor.summary']);
  return (answer[3] as [{ node: { config: unknown } }])[0].node.config;
}

/** Asks all, and expects the same of each. @returns when the config in force was loaded. */
async function expectFacts({ isGood, pending }: { isGood: boolean; pending: readonly string[] }): Promise<string> {
  const at = ['--cbdir', node.daemon.cbdir];
  const status = JSON.parse((await runCli(['status', '--json', ...at])).stdout) as Status;
  expect(status).toMatchObject({ last_reload_successful: isGood, pending_restart: pending });
  const loaded = status.config_loaded;
  expect(await monitored()).toMatchObject({ loaded, pending });
  const expected = [isGood ? 1 : 0, Date.parse(loaded) / 1000, pending.length];
  const scraped = async (): Promise<number[]> => {
    const text = new MetricsText(await (await fetch(node.daemon.url('/metrics'))).text());
    return NAMES.map((name) => text.value(name));
  };
  // All who ask within a second get the same text.
  await expect.poll(scraped, { timeout: 20_000 }).toEqual(expected);
  const [head = ''] = (await runCli(['top', '--once', ...at])).stdout.split('\n');
  if (pending.length > 0) expect(head).toContain('1 change of the config waits for a restart');
  else expect(head).not.toContain('restart');
  return loaded;
}

it('all who can be asked about the last reload say the same', async () => {
  const first = await expectFacts({ isGood: true, pending: [] });
  expect(await node.reload(config(node.ports[0], 'another'))).toMatchObject({ ok: true, pending: [PLACE] });
  const second = await expectFacts({ isGood: true, pending: [PLACE] });
  expect(Date.parse(second)).toBeGreaterThan(Date.parse(first));
  // What was loaded before stays, and so does what waits.
  expect(await node.reload('{ "version": 2, "workers": 1 }')).toMatchObject({ ok: false, pending: [PLACE] });
  expect(await expectFacts({ isGood: false, pending: [PLACE] })).toBe(second);
  expect(await node.reload(config(node.ports[0]))).toMatchObject({ ok: true, pending: [] });
  expect(Date.parse(await expectFacts({ isGood: true, pending: [] }))).toBeGreaterThan(Date.parse(second));
});
