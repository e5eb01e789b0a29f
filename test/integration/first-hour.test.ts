/** What newcomers liked about the words of a node in their first hour, and what must stay: it says what is wrong, and what is right. */
import { execFile, spawnSync } from 'node:child_process';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Daemon } from '../support/daemon.js';
import { startDaemon } from '../support/daemon.js';
import { describeNeeds } from '../support/needs.js';
import { nodeConfig } from '../support/node-config.js';
import { WampClient } from '../support/wamp-client.js';

let node: Daemon;

beforeAll(async () => {
  const roles = [
    {
      name: 'anonymous',
      permissions: [{ uri: 'com.example.*', allow: { call: true } }],
    },
  ];
  node = await startDaemon({ config: nodeConfig({ realms: [{ name: 'realm1', roles }], websocket: { cookie: {} } }) });
});
afterAll(() => node.dispose());

it('an ERROR says who may not do what, and what is not there', async () => {
  const client = await WampClient.join(node.url('/ws', 'ws'));
  const answerTo = async (...message: unknown[]) => (await client.ask(message)).slice(4);
  expect(await answerTo(32, 1, {}, 'com.example.topic')).toEqual([
    'wamp.error.not_authorized',
    ['role "anonymous" is not authorized to subscribe to topic "com.example.topic"'],
  ]);
  expect(await answerTo(48, 2, {}, 'com.example.add')).toEqual([
    'wamp.error.no_such_procedure',
    ['no callee registered for procedure "com.example.add"'],
  ]);
});

it('an ABORT names the realm that is not there', async () => {
  const client = await WampClient.connect(node.url('/ws', 'ws'));
  const [type, details, reason] = await client.ask([1, 'chat', { roles: { caller: {} } }]);
  expect([type, details, reason]).toEqual([
    3,
    { message: 'no realm "chat" exists on this router' },
    'wamp.error.no_such_realm',
  ]);
});

it('a browser that is pointed at a WebSocket gets a page that says so', async () => {
  const page = await fetch(node.url('/ws'));
  expect(page.headers.get('content-type')).toContain('text/html');
  expect(await page.text()).toContain('This is a WebSocket');
});

describeNeeds('curl', spawnSync('curl', ['--version']).status === 0)('curl', () => {
  const UPGRADE = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'];
  const handshake = [...UPGRADE, 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='];
  const curl = (...headers: string[]): Promise<string> =>
    new Promise((resolve) => {
      const args = headers.flatMap((header) => ['-H', header]);
      execFile('curl', ['-s', '-i', '--max-time', '60', ...args, node.url('/ws')], (_error, out) => resolve(out));
    });

  it.each([
    [
      'a page of another host',
      'Origin: http://evil.example',
      403,
      'pages of the origin "http://evil.example" may not connect',
    ],
    [
      'no subprotocol of WAMP',
      'Sec-WebSocket-Protocol: chat',
      400,
      'this server only speaks the WebSocket subprotocols',
    ],
  ])('is told why a handshake is refused: %s', async (_what, header, status, text) => {
    const answer = await curl(...handshake, header);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(answer).toContain(text);
  });
});
