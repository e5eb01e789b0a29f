/** Two nodes of one process in a cluster, over the engine in memory: what a program that embeds several gets. */
import { afterEach, describe, expect, it } from 'vitest';

import { startNode } from '../../../src/node/start.js';
import type { RunningNode } from '../../../src/node/api.js';
import { nodeConfig, openRealm } from '../../support/node-config.js';
import { WampClient } from '../../support/wamp-client.js';
import type { JoinedClient } from '../../support/wamp-client.js';

const nodes: RunningNode[] = [];
afterEach(async () => {
  for (const node of nodes.splice(0)) await node.stop();
});

const REALM = { ...openRealm('realm1'), cluster: true };
const ACKNOWLEDGED = { acknowledge: true };

/** Each test has a cluster of its own. */
let count = 0;
const newName = (): string => `embedded${++count}`;

function configOf(name: string, node: string, realms: readonly object[] = [REALM]): object {
  return { ...nodeConfig({ realms }), cluster: { type: 'memory', name, node, heartbeat: 100, suspect_after: 500 } };
}

async function started(config: object): Promise<RunningNode> {
  const node = await startNode({ config });
  nodes.push(node);
  return node;
}

function join(node: RunningNode, realm?: string): Promise<JoinedClient> {
  return WampClient.join(`${node.summary.listening[0]!.url.replace('http', 'ws')}ws`, realm);
}

async function two(): Promise<readonly [RunningNode, RunningNode]> {
  const name = newName();
  return [await started(configOf(name, 'n1')), await started(configOf(name, 'n2'))];
}

describe('two nodes of one process', () => {
  it('are one realm: events, calls and shared registrations', async () => {
    const [one, other] = await two();
    const [here, there] = [await join(one), await join(other)];
    const [, , subscription] = await there.ask([32, 1, {}, 'com.example.topic']);
    expect((await here.ask([16, 1, ACKNOWLEDGED, 'com.example.topic', ['from n1']]))[0]).toBe(17);
    expect(await there.next()).toEqual([36, subscription, expect.any(Number), {}, ['from n1']]);

    const callees = [
      await one.connect('realm1', { role: 'anonymous' }),
      await other.connect('realm1', { role: 'anonymous' }),
    ];
    for (const [index, callee] of callees.entries()) {
      await callee.register('com.example.who', () => index, { invoke: 'roundrobin' });
    }
    const answers = [];
    for (const id of [2, 3, 4, 5]) answers.push((await here.ask([48, id, {}, 'com.example.who']))[3]);
    expect(answers.flat().sort()).toEqual([0, 0, 1, 1]);
    expect((await there.ask([64, 6, {}, 'com.example.who'])).slice(0, 5)).toEqual([
      ...[8, 64, 6, {}],
      'wamp.error.procedure_exists_with_different_invocation_policy',
    ]);
  });

  it('say so in their summaries', async () => {
    const [one, other] = await two();
    expect(one.summary.cluster).toMatchObject({ node: 'n1', state: 'member', nodes: ['n2'], fenced: 0, lost: 0 });
    expect(other.summary.cluster).toMatchObject({ node: 'n2', state: 'member', nodes: ['n1'] });
    await other.stop();
    await expect.poll(() => one.summary.cluster?.nodes).toEqual([]);
  });

  it('hand over at once when one stops', async () => {
    const [one, other] = await two();
    const callee = await other.connect('realm1', { role: 'anonymous' });
    await callee.register('com.example.single', () => 'n2');
    const client = await join(one);
    expect(await client.ask([48, 1, {}, 'com.example.single'])).toEqual([50, 1, {}, ['n2']]);
    await other.stop();
    const next = await one.connect('realm1', { role: 'anonymous' });
    await next.register('com.example.single', () => 'n1');
    expect(await client.ask([48, 2, {}, 'com.example.single'])).toEqual([50, 2, {}, ['n1']]);
  });

  it('may not have the same name', async () => {
    const name = newName();
    await started(configOf(name, 'n1'));
    await expect(started(configOf(name, 'n1'))).rejects.toThrow(
      'the node cannot join the cluster: there is a node "n1" in the cluster already: each needs a name of its own',
    );
  });

  it('keep nothing of each other, and say that they do not', async () => {
    const [one, other] = await two();
    const [here, there] = [await join(one), await join(other)];
    expect(here.welcome).not.toHaveProperty('roles.broker.features.event_retention');
    const refused = await here.ask([16, 1, { acknowledge: true, retain: true }, 'com.example.topic', [1]]);
    expect(refused.slice(0, 5)).toEqual([8, 16, 1, {}, 'wamp.error.feature_not_supported']);
    const [, , subscription] = await there.ask([32, 1, {}, 'com.example.topic']);
    // Nobody waits for an answer to this one, so it is published as any other.
    here.send([16, 2, { retain: true }, 'com.example.topic', [2]]);
    expect((await there.next()).slice(0, 2)).toEqual([36, subscription]);
  });

  it('take a realm in, and let one go, by a reload', async () => {
    const name = newName();
    const config = configOf(name, 'n1') as { workers: { realms: object[] }[] };
    const one = await started(config);
    const other = await started(configOf(name, 'n2', [REALM, { ...openRealm('realm2'), cluster: true }]));
    config.workers[0]!.realms.push({ ...openRealm('realm2'), cluster: true });
    expect(await one.reload()).toMatchObject({ problems: [] });
    const [here, there] = [await join(one, 'realm2'), await join(other, 'realm2')];
    await there.ask([32, 1, {}, 'com.example.topic']);
    await here.ask([16, 1, ACKNOWLEDGED, 'com.example.topic', ['realm2']]);
    expect((await there.next())[4]).toEqual(['realm2']);

    config.workers[0]!.realms.pop();
    await one.reload();
    expect((await here.next())[0]).toBe(6);
    config.workers[0]!.realms.push({ ...openRealm('realm2'), cluster: true });
    await one.reload();
    const again = await join(one, 'realm2');
    await again.ask([16, 1, ACKNOWLEDGED, 'com.example.topic', ['again']]);
    expect((await there.next())[4]).toEqual(['again']);
  });
});
