/** Clients of MQTT in a realm of two nodes, of one process here: what is published on one is heard on both, and kept on neither. */
import { afterEach, expect, it } from 'vitest';

import { createLogger } from '../../../src/log/logger.js';
import { startNode } from '../../../src/node/start.js';
import type { RunningNode } from '../../../src/node/api.js';
import { endTheirClients, JsClient } from '../../support/mqtt-clients.js';
import { LOOPBACK, nodeConfig, openRealm } from '../../support/node-config.js';

const nodes: RunningNode[] = [];
afterEach(async () => {
  await endTheirClients();
  for (const node of nodes.splice(0)) await node.stop();
});

const auth = { anonymous: { type: 'static', role: 'anonymous' } };

interface Line {
  readonly msg: string;
  readonly topic?: string;
}

/** @returns how a client connects to it, and what its log says of messages. */
async function started(name: string) {
  const config = {
    ...nodeConfig({
      realms: [{ ...openRealm('realm1'), cluster: true }],
      transports: [{ type: 'mqtt', endpoint: LOOPBACK, options: { realm: 'realm1', auth } }],
    }),
    cluster: { type: 'memory', name: 'of-mqtt', node: name },
  };
  const lines: Line[] = [];
  const write = (line: string): void => void lines.push(JSON.parse(line) as Line);
  const node = await startNode({ config, log: createLogger({ level: 'info', destination: { write } }) });
  nodes.push(node);
  const { url = '' } = node.summary.listening[1] ?? {};
  return {
    connect: () => JsClient.connect({ port: Number(new URL(url).port) }),
    said: () => lines.filter(({ msg }) => msg.includes('message of a client of MQTT')),
  };
}

it('a retained message is delivered on each node, kept on none, and the log of its node says so', async () => {
  const [here, there] = [await started('n1'), await started('n2')];
  const [sender, near, far] = [await here.connect(), await here.connect(), await there.connect()];
  for (const client of [near, far]) await client.subscribe(['sensors/#', 1]);
  await sender.publish('sensors/kitchen', '21', { qos: 1, retain: true });
  for (const client of [near, far]) expect(await client.take(1)).toEqual(['sensors/kitchen 21 q1']);

  for (const late of [await here.connect(), await there.connect()]) {
    await late.subscribe(['sensors/#', 1]);
    await sender.publish('sensors/kitchen', '22', { qos: 1, retain: true });
    expect(await late.take(1)).toEqual(['sensors/kitchen 22 q1']);
  }
  expect(here.said()).toMatchObject([
    { msg: 'message of a client of MQTT delivered, but not retained', topic: 'sensors.kitchen' },
  ]);
  expect(there.said()).toEqual([]);
});
