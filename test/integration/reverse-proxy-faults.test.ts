/** A node in front of backends that do what servers do when something is wrong, byte by byte; what clients and the operator see. */
import { connect } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';

import { startDaemon } from '../support/daemon.js';
import type { Daemon } from '../support/daemon.js';
import { nodeConfig } from '../support/node-config.js';
import { RawBackend, RawConnection } from '../support/raw-backend.js';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const get = (path: string): string => `GET /app${path} HTTP/1.1\r\nHost: us.example\r\n\r\n`;

let node: Daemon;
let backend: RawBackend;

beforeAll(async () => {
  backend = new RawBackend();
  const port = await backend.listen();
  const app = { type: 'reverseproxy', host: '127.0.0.1', port, options: { timeout: 1 } };
  node = await startDaemon({ config: nodeConfig({ paths: { app } }) });
});
afterAll(async () => {
  await node.dispose();
  await backend.stop();
});
// Each test has connections of its own.
beforeEach(async () => {
  const open = backend.connections.splice(0);
  for (const { socket } of open) socket.destroy();
  await Promise.all(open.map((connection) => connection.closed()));
});

function client(): RawConnection {
  const connection = new RawConnection(connect(node.port, '127.0.0.1'));
  onTestFinished(() => void connection.socket.destroy());
  return connection;
}

/** A request that has reached the backend. */
async function asked(request: string): Promise<{ readonly asking: RawConnection; readonly behind: RawConnection }> {
  const asking = client();
  asking.socket.write(request);
  return { asking, behind: await (await backend.connection(backend.connections.length)).heads() };
}

function linesOf(text: string, pattern: RegExp): string[] {
  return text.split('\r\n').filter((line) => pattern.test(line));
}

describe('headers', () => {
  it('of one connection stay on it, and those that come twice come twice, both ways', async () => {
    const { asking, behind } = await asked(
      'GET /app/ HTTP/1.1\r\nHost: us.example\r\nVia: 1.0 a\r\nVia: 1.1 b\r\nX-Named: 1\r\nConnection: close , x-NAMED\r\n' +
        'Connection: X-Other\r\nX-Other: 1\r\nTE: trailers\r\nKeep-Alive: timeout=5\r\nX-Left: 1\r\n\r\n',
    );
    expect(linesOf(behind.text, /^(?:Via|X-(?:Named|Other|Left)|TE|Keep-Alive|Connection)/i)).toEqual([
      ...['Via: 1.0 a', 'Via: 1.1 b', 'X-Left: 1', 'Connection: keep-alive'],
    ]);
    behind.socket.write(
      'HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nVia: 1.0 c\r\nSet-Cookie: b=2; HttpOnly\r\nVia: 1.1 d\r\nX-Named: 1\r\n' +
        'Connection: x-named\r\nProxy-Authenticate: Basic\r\nUpgrade: h2c\r\nContent-Length: 2\r\n\r\nok',
    );
    await asking.closed();
    expect(linesOf(asking.text, /^(?:Via|Set-Cookie|X-|Proxy-|Upgrade|Connection)/i).sort()).toEqual([
      ...['Connection: close', 'Set-Cookie: a=1', 'Set-Cookie: b=2; HttpOnly', 'Via: 1.0 c', 'Via: 1.1 d'],
    ]);
  });

  it('that Connection names stay behind, also where a request with a body offers another protocol', async () => {
    const { asking, behind } = await asked(
      'POST /app/ HTTP/1.1\r\nHost: us.example\r\nConnection: Upgrade, x-NAMED , HTTP2-Settings\r\nConnection: X-Other\r\n' +
        'Upgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\nX-Named: 1\r\nX-Other: 1\r\nX-Left: 1\r\nContent-Length: 2\r\n\r\nok',
    );
    expect(linesOf(behind.text, /^(?:X-(?:Named|Other|Left)|HTTP2|Upgrade|Connection)/i)).toEqual([
      ...['X-Left: 1', 'Connection: keep-alive'],
    ]);
    behind.socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    await asking.closed();
    expect(asking.text).toMatch(/\r\nConnection: close\r\n/);
  });
});

describe('a backend', () => {
  it.each([
    ['with a length', 'HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n'],
    ['in chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2710\r\n'],
  ])(
    'that resets in the middle of a body %s: the client has what came, and sees that it is not all',
    async (_how, head) => {
      const { asking, behind } = await asked(get('/half'));
      behind.socket.write(`${head}the beginning`);
      await asking.until(({ text }) => text.includes('the beginning'));
      behind.socket.resetAndDestroy();
      await asking.closed();
      expect(asking.text).toMatch(/^HTTP\/1\.1 200 OK/);
      expect(asking.text).not.toContain('\r\n0\r\n\r\n');
      const told = await node.waitForLog(({ reason }) => reason === 'the answer was cut');
      expect(told).toMatchObject({ msg: 'backend does not answer', path: '/app/half', method: 'GET' });
    },
  );

  it('that says nothing: 504; one that has begun may take its time', async () => {
    const slow = await asked(get('/slow'));
    slow.behind.socket.write('HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf');
    await slow.asking.until(({ text }) => text.endsWith('half'));
    const silent = await asked(get('/silent'));
    await silent.asking.until(({ text }) => text.includes('does not answer'));
    expect(silent.asking.text).toMatch(/^HTTP\/1\.1 504 Gateway Timeout/);
    await silent.behind.gone();
    // That one was asked earlier.
    slow.behind.socket.write('more');
    await slow.asking.until(({ text }) => text.endsWith('halfmore'));
  });

  it('that refuses a body before it has it: the client learns why', async () => {
    const { asking, behind } = await asked(
      'PUT /app/large HTTP/1.1\r\nHost: us.example\r\nContent-Length: 100000000\r\n\r\nthe beginning',
    );
    behind.socket.end('HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 8\r\n\r\ntoo much');
    await asking.until(({ text }) => text.endsWith('too much'));
    expect(asking.text).toMatch(/^HTTP\/1\.1 413 Too Large/);
  });

  it.each<[string, (socket: RawConnection['socket']) => unknown]>([
    ['resets', (socket) => socket.resetAndDestroy()],
    ['ends', (socket) => socket.end()],
    ['answers with nonsense', (socket) => socket.write('220 mail.example ESMTP\r\n')],
    [
      'has two lengths',
      (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nok'),
    ],
    ['has a header that no client may see', (socket) => socket.write(`HTTP/1.1 200 OK\r\nX: a\rb\r\n\r\n`)],
    ['has headers without end', (socket) => socket.write(`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(100_000)}`)],
  ])('that %s instead of an answer: 502, and the next request is another matter', async (_what, act) => {
    const { asking, behind } = await asked(get('/'));
    act(behind.socket);
    await asking.until(({ text }) => text.includes('does not answer'));
    expect(asking.text).toMatch(/^HTTP\/1\.1 502 Bad Gateway/);
    const again = backend.connections.length;
    asking.text = '';
    asking.socket.write(get('/again'));
    (await (await backend.connection(again)).heads()).socket.write(OK);
    await asking.until(({ text }) => text.endsWith('ok'));
  });

  it('that is gone: 502, and the operator learns why, once', async () => {
    const gone = new RawBackend();
    const port = await gone.listen();
    await gone.stop();
    const other = await startDaemon({
      config: nodeConfig({ paths: { app: { type: 'reverseproxy', host: '127.0.0.1', port } } }),
    });
    onTestFinished(() => other.dispose());
    for (let round = 0; round < 3; round++) {
      const answer = await fetch(other.url('/app/x?secret'));
      expect([answer.status, (await answer.text()).includes(String(port))]).toEqual([502, false]);
    }
    await other.stop();
    const told = other.logs.filter(({ msg }) => msg === 'backend does not answer');
    expect(told).toHaveLength(2);
    expect(told[0]).toMatchObject({ level: 'warn', backend: `http://127.0.0.1:${port}`, reason: 'ECONNREFUSED' });
    expect(told[1]).toMatchObject({ omitted: 1 });
    expect(other.output).not.toContain('secret');
  });
});
