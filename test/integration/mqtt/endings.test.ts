/** WebSockets of MQTT that the node ends, beside those of WAMP: the close frames of both say the same. */
import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { startNode } from '../../../src/node/start.js';
import { receivedMemory } from '../../../src/transport/received-memory.js';
import { startDaemon } from '../../support/daemon.js';
import type { Daemon } from '../../support/daemon.js';
import { connect as connectPacket, field, packet } from '../../support/mqtt-packets.js';
import { nodeConfig } from '../../support/node-config.js';
import { within } from '../../support/wamp-client.js';
import type { CloseInfo } from '../../support/wamp-client.js';

const anonymous = { auth: { anonymous: { type: 'static', role: 'anonymous' } } };

/** Two paths with the same options. */
function paths(name: string, options: object): readonly [string, object][] {
  return [
    [`${name}-wamp`, { type: 'websocket', options }],
    [`${name}-mqtt`, { type: 'mqtt', options: { realm: 'realm1', ...anonymous, ...options } }],
  ];
}

/** What begins a session; of MQTT without a user name an anonymous one. And a large message, but for its end. */
const KINDS = {
  wamp: {
    protocol: 'wamp.2.json',
    hello: JSON.stringify([1, 'realm1', { roles: { publisher: {} } }]),
    large: `[16,1,{},"com.example.topic",["${'x'.repeat(300_000)}`,
  },
  mqtt: {
    protocol: 'mqtt',
    // Each gets a client id of its own.
    hello: connectPacket({ rest: [field('')] }),
    large: packet(0x30, field('a'), Buffer.alloc(300_100)).subarray(0, 300_000),
  },
} as const;
type Kind = keyof typeof KINDS;
const BOTH: readonly Kind[] = ['wamp', 'mqtt'];

const open: WebSocket[] = [];
afterEach(() => {
  for (const ws of open.splice(0)) ws.terminate();
});

/** @param isSaid whether a session is begun. @param url without the kind at its end */
async function connected(url: string, kind: Kind, isSaid: boolean) {
  const { protocol, hello } = KINDS[kind];
  const ws = new WebSocket(`${url}-${kind}`, protocol, { autoPong: false });
  open.push(ws);
  const closed = endOf(ws);
  await within(once(ws, 'open'), 'open');
  if (isSaid) {
    const answered = once(ws, 'message');
    ws.send(hello);
    // On a slow machine it may be over before.
    await within(Promise.race([answered, closed]), 'WELCOME, or CONNACK');
  }
  return { ws, closed };
}

async function endOf(ws: WebSocket): Promise<CloseInfo> {
  const [code, reason] = (await once(ws, 'close')) as [number, Buffer];
  return { code, reason: reason.toString() };
}

/** How those of both kinds end. */
async function endsOf(url: string, isSaid: boolean, act: (kind: Kind) => unknown = () => undefined) {
  const ends: CloseInfo[] = [];
  for (const kind of BOTH) {
    const { closed } = await connected(url, kind, isSaid);
    await act(kind);
    ends.push(await within(closed, `the end of ${url}-${kind}`));
  }
  return ends;
}

describe('a WebSocket of MQTT ends as one of WAMP', () => {
  let daemon: Daemon;
  beforeAll(async () => {
    const all = [
      ...paths('hasty', { hello_timeout: 1000 }),
      ...paths('pinging', { auto_ping_interval: 1000, auto_ping_timeout: 1000 }),
      ...paths('narrow', { max_unauthenticated: 1 }),
      ...paths('plain', {}),
    ];
    daemon = await startDaemon({ config: nodeConfig({ paths: Object.fromEntries(all) }) });
  });
  afterAll(() => daemon.dispose());
  const at = (name: string): string => daemon.url(`/${name}`, 'ws');

  it('1008: nobody said who is there', async () => {
    expect(await endsOf(at('hasty'), false)).toEqual([
      { code: 1008, reason: 'no session within 1000 ms' },
      { code: 1008, reason: 'no CONNECT within 1000 ms' },
    ]);
  });

  it('1013: it makes room for another one', async () => {
    const evicted = { code: 1013, reason: 'too many clients without a session, try again later' };
    const another = (kind: Kind) => connected(at('narrow'), kind, false);
    expect(await endsOf(at('narrow'), false, another)).toEqual([evicted, evicted]);
  });

  it('cut, without a close frame: it does not answer pings', async () => {
    const cut = { code: 1006, reason: '' };
    expect(await endsOf(at('pinging'), true)).toEqual([cut, cut]);
    const lines = daemon.logs.filter(({ msg }) => msg === 'no pong, connection dropped');
    expect(new Set(lines.map(({ level }) => level))).toEqual(new Set(['info']));
  });

  it('1001: the node stops', async () => {
    const ends: Promise<CloseInfo>[] = [];
    for (const isSaid of [true, false]) {
      for (const kind of BOTH) ends.push((await connected(at('plain'), kind, isSaid)).closed);
    }
    expect(await daemon.stop()).toBe(0);
    const told = { code: 1001, reason: 'the router is shutting down' };
    expect(await within(Promise.all(ends), 'all ends')).toEqual([told, told, told, told]);
  });
});

it('1013: of many large messages that do not end, those that began first are given up', async () => {
  const limit = receivedMemory.limitBytes;
  const node = await startNode({ config: nodeConfig({ paths: Object.fromEntries(paths('all', {})) }) });
  try {
    receivedMemory.limitBytes = 500_000;
    const url = `${String(node.summary.listening[0]?.url).replace('http', 'ws')}all`;
    const ends: CloseInfo[] = [];
    for (const kind of BOTH) {
      const [first, second] = [await connected(url, kind, true), await connected(url, kind, true)];
      first.ws.send(KINDS[kind].large, { fin: false });
      await expect.poll(() => receivedMemory.bytes).toBeGreaterThan(290_000);
      second.ws.send(KINDS[kind].large, { fin: false });
      ends.push(await within(first.closed, 'the end of the first'));
      expect(second.ws.readyState).toBe(WebSocket.OPEN);
      second.ws.terminate();
      await expect.poll(() => receivedMemory.bytes).toBe(0);
    }
    const givenUp = { code: 1013, reason: 'too many large messages at once, please try again later' };
    expect(ends).toEqual([givenUp, givenUp]);
  } finally {
    receivedMemory.limitBytes = limit;
    await node.stop();
  }
});
