/** What a reverse proxy passes on and what it answers itself, with backends that do what servers do when something is wrong. */
import { describe, expect, it } from 'vitest';

import { HttpWire } from '../../../support/http-server.js';
import { answering, clientOf, rawBackend, reverseProxyConfig, setUp, startProxy } from '../../../support/proxy.js';
import type { RawConnection } from '../../../support/raw-backend.js';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const GET = 'GET /a HTTP/1.1\r\nHost: us.example:81\r\n\r\n';

describe('a request', () => {
  it('goes on with its headers, in their order and as often as they are there', async () => {
    const { backend, client } = await setUp(answering(OK), { path: '/base/' });
    client.socket.write(
      'GET /a%20b%2Fc?x=%31 HTTP/1.1\r\nHost: us.example:81\r\nX-Two: 1\r\nAccept: a\r\nx-two: 2\r\nCookie: a=1\r\n' +
        'Authorization: Basic x\r\nConnection: X-Mine, keep-alive\r\nX-Mine: 1\r\nKeep-Alive: 5\r\nTE: trailers\r\n' +
        'Proxy-Authorization: y\r\nProxy: evil\r\nX_Under: 1\r\nX-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: https\r\n' +
        'X-Forwarded-Host: evil\r\nX-Real-IP: 6.6.6.6\r\nForwarded: for=6.6.6.6\r\nTrailer: X\r\n\r\n',
    );
    const { text } = await (await backend.connection()).heads();
    const own = backend.connections[0]?.socket.localPort;
    expect(text.split('\r\n')).toEqual([
      'GET /base/a%20b%2Fc?x=%31 HTTP/1.1',
      `Host: 127.0.0.1:${own}`,
      ...['X-Two: 1', 'Accept: a', 'x-two: 2', 'Cookie: a=1', 'Authorization: Basic x'],
      ...['X-Forwarded-For: 127.0.0.1', 'X-Real-IP: 127.0.0.1', 'X-Forwarded-Host: us.example:81'],
      `X-Forwarded-Port: ${client.socket.remotePort}`,
      ...['X-Forwarded-Proto: http', 'Connection: keep-alive', '', ''],
    ]);
    expect((await client.until(({ text: got }) => got.endsWith('ok'))).text).toMatch(/^HTTP\/1.1 200 OK\r\n/);
  });

  it('comes over one connection with the next one, whoever asks', async () => {
    const { backend, client, port } = await setUp(answering(OK));
    client.socket.write(GET);
    await client.until(({ text }) => text.endsWith('ok'));
    const other = await HttpWire.open(port);
    other.socket.write(GET.replace('/a', '/b'));
    await (await backend.connection()).heads(2);
    expect(backend.connections).toHaveLength(1);
    other.socket.destroy();
  });

  it('keeps its body as it is framed', async () => {
    const { backend, client } = await setUp(() => undefined);
    client.socket.write('POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello');
    const first = await (await backend.connection()).until(({ text }) => text.endsWith('\r\n\r\nhello'));
    expect(first.text).toMatch(/\r\nContent-Length: 5\r\n/);
    expect(first.text).not.toMatch(/transfer-encoding/i);
    first.socket.write(OK);
    await client.until(({ text }) => text.endsWith('ok'));
    client.socket.write(
      'DELETE /b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-T: 1\r\n\r\n',
    );
    const second = await first.until(({ text }) => text.endsWith('3\r\nabc\r\n0\r\n\r\n'));
    expect(second.text).toMatch(/DELETE \/b[^]*\r\nTransfer-Encoding: chunked\r\n/);
    second.socket.write(OK);
    await client.until(({ text }) => text.split('ok').length === 3);
    client.socket.write('POST /c HTTP/1.1\r\nHost: a\r\n\r\n');
    expect((await second.until(({ text }) => text.includes('POST /c'))).text).toMatch(
      /Content-Length: 0\r\n[^]*\r\n\r\n$/,
    );
  });

  it('waits for 100 Continue of the backend', async () => {
    const { backend, client } = await setUp(() => undefined);
    client.socket.write('PUT /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n');
    const asked = await (await backend.connection()).heads();
    expect(asked.text).toMatch(/Expect: 100-continue/);
    expect(client.text).toBe('');
    asked.socket.write('HTTP/1.1 100 Continue\r\n\r\n');
    await client.until(({ text }) => text === 'HTTP/1.1 100 Continue\r\n\r\n');
    client.socket.write('hello');
    await asked.until(({ text }) => text.endsWith('hello'));
    asked.socket.write(OK);
    await client.until(({ text }) => text.endsWith('ok'));
  });

  it('that asks whether its body is wanted is told what the backend says', async () => {
    const { client } = await setUp(answering('HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno'));
    client.socket.write('PUT /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n');
    expect((await client.until(({ text }) => text.endsWith('no'))).text).toMatch(/^HTTP\/1.1 403 No/);
  });

  it.each([
    ['POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n'],
    ['POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nb\r\nhello world\r\n0\r\n\r\n'],
  ])('is refused when its body is too large: %j', async (head) => {
    const { client } = await setUp(() => undefined, { options: { max_body: 10 } });
    client.socket.write(head);
    expect((await client.until(({ text }) => text.includes('more than 10 bytes'))).text).toMatch(/^HTTP\/1.1 413 /);
  });

  it.each([
    [400, 'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n'],
    [501, 'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n'],
    [405, 'TRACE /a HTTP/1.1\r\nHost: a\r\n\r\n'],
  ])('is refused with %i: %j', async (status, head) => {
    const { backend, client } = await setUp(() => undefined);
    client.socket.write(head);
    expect((await client.heads()).text).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(backend.connections).toEqual([]);
  });

  it('is refused when too many are under way', async () => {
    const { backend, client, port } = await setUp(() => undefined, { options: { max_requests: 1 } });
    client.socket.write(GET);
    const asked = await (await backend.connection()).heads();
    const other = clientOf(port);
    other.socket.write(GET);
    expect((await other.heads()).text).toMatch(/^HTTP\/1.1 503 [^]*Retry-After: 5/);
    asked.socket.write(OK);
    await client.until(({ text }) => text.endsWith('ok'));
    other.text = '';
    other.socket.write(GET);
    await asked.heads(2);
    other.socket.destroy();
  });

  it('is given up when its client has left', async () => {
    const { backend, client } = await setUp(() => undefined);
    client.socket.write(GET);
    const asked = await (await backend.connection()).heads();
    client.socket.destroy();
    await asked.until(({ isEnded }) => isEnded);
  });
});

describe('an answer', () => {
  it('goes back with its headers, but for those of the connection', async () => {
    const { client } = await setUp(
      answering(
        'HTTP/1.1 207 Multi Thing\r\nX-A: 1\r\nx-a: 2\r\nSet-Cookie: a=1; Path=/base/x; Domain=127.0.0.1\r\nSet-Cookie: b=2\r\n' +
          'Connection: close, X-Gone\r\nX-Gone: 1\r\nKeep-Alive: timeout=1\r\nProxy-Authenticate: x\r\nServer: theirs\r\n' +
          'Location: /base/there?a#b\r\nCache-Control: public\r\nTrailer: X\r\nTransfer-Encoding: chunked\r\n\r\n' +
          '2\r\nok\r\n0\r\nX: 1\r\n\r\n',
      ),
      { path: '/base' },
    );
    client.socket.write(GET);
    const [head = '', body] = (await client.until(({ text }) => text.endsWith('0\r\n\r\n'))).text.split('\r\n\r\n');
    const lines = head.split('\r\n').filter((line) => !/^(Date|Connection|Keep-Alive)/.test(line));
    expect(lines.sort()).toEqual(
      [
        ...['HTTP/1.1 207 Multi Thing', 'X-A: 1', 'X-A: 2', 'Set-Cookie: a=1; Path=/x', 'Set-Cookie: b=2'],
        ...['Server: theirs', 'Location: /there?a#b', 'Cache-Control: private', 'Transfer-Encoding: chunked'],
      ].sort(),
    );
    expect(head).toMatch(/\r\nConnection: keep-alive/);
    expect(body).toBe('2\r\nok\r\n0');
  });

  it.each([
    ['HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n', 'Content-Length: 1234'],
    ['GET', 'HTTP/1.1 204 No Content\r\nX-A: 1\r\n\r\n', 'X-A: 1'],
    ['GET', 'HTTP/1.1 304 Not Modified\r\nETag: "1"\r\nContent-Length: 99\r\n\r\n', 'ETag: "1"'],
  ])('without a body is one: %s %j', async (method, answer, line) => {
    const { client, backend } = await setUp(answering(answer));
    client.socket.write(GET.replace('GET', method));
    expect((await client.heads()).text).toContain(line);
    client.socket.write(GET.replace('GET', method));
    await client.heads(2);
    expect(client.text.split('\r\n\r\n')).toHaveLength(3);
    expect(backend.connections).toHaveLength(1);
  });

  it('that comes slowly is passed on as it comes', async () => {
    const { client, backend } = await setUp(() => undefined);
    client.socket.write(GET);
    const { socket } = await (await backend.connection()).heads();
    socket.write('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n');
    await client.heads();
    socket.write('6\r\ndata:1\r\n');
    await client.until(({ text }) => text.includes('data:1'));
    socket.write('6\r\ndata:2\r\n0\r\n\r\n');
    await client.until(({ text }) => text.endsWith('0\r\n\r\n'));
  });

  it('that ends with its connection is whole', async () => {
    const { client } = await setUp(({ socket }) =>
      socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\n\r\nall of it')),
    );
    client.socket.write(GET);
    await client.until(({ text }) => text.endsWith('all of it\r\n0\r\n\r\n'));
  });

  it('in several pieces of information has one that counts', async () => {
    const { client } = await setUp(answering(`HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n${OK}`));
    client.socket.write(GET);
    expect((await client.until(({ text }) => text.endsWith('ok'))).text).toMatch(/^HTTP\/1.1 200 OK/);
  });
});

describe('a backend that fails', () => {
  it('is not there: 502', async () => {
    const { backend, port: behind } = await rawBackend();
    const { port } = await startProxy(reverseProxyConfig({ host: '127.0.0.1', port: behind }));
    const client = clientOf(port);
    await backend.stop();
    client.socket.write(GET);
    const { text } = await client.until(({ text: got }) => got.includes('does not answer'));
    expect(text).toMatch(/^HTTP\/1.1 502 /);
    expect(text).not.toContain(String(behind));
  });

  it.each<[string, (connection: RawConnection) => void]>([
    ['resets before an answer', ({ socket }) => socket.once('data', () => socket.resetAndDestroy())],
    ['ends before an answer', ({ socket }) => socket.once('data', () => socket.end())],
    ['speaks no HTTP', ({ socket }) => socket.once('data', () => socket.write('SSH-2.0-x\r\n'))],
    ['ends in the head', ({ socket }) => socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nX-A'))],
    [
      'changes the protocol unasked',
      answering('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n'),
    ],
  ])('%s: 502, and the client may ask again', async (_what, act) => {
    const { client } = await setUp((connection, index) => (index === 0 ? act(connection) : answering(OK)(connection)));
    client.socket.write(GET);
    expect((await client.until(({ text }) => text.includes('does not answer'))).text).toMatch(/^HTTP\/1.1 502 /);
    client.socket.write(GET);
    await client.until(({ text }) => text.endsWith('ok'));
  });

  it.each<[string, (connection: RawConnection) => void]>([
    [
      'known length',
      ({ socket }) => socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhal')),
    ],
    [
      'chunks',
      ({ socket }) =>
        socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhal')),
    ],
  ])('cuts an answer of %s: the client sees that', async (_what, act) => {
    const { client } = await setUp(act);
    client.socket.write(GET);
    await client.closed();
    expect(client.text).toMatch(/^HTTP\/1.1 200 OK/);
    expect(client.text).not.toContain('\r\n0\r\n');
  });

  it('resets after its whole answer: the client may ask again on its connection', async () => {
    const { backend, client } = await setUp((connection, index) => {
      if (index > 0) answering(OK)(connection);
      else connection.socket.once('data', () => connection.socket.write(OK));
    });
    client.socket.write(`POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 400000\r\n\r\n${'x'.repeat(200_000)}`);
    await client.until(({ text }) => text.endsWith('ok'));
    backend.connections[0]?.socket.resetAndDestroy();
    // The rest of the body meets a connection that is gone.
    client.socket.write(`${'x'.repeat(200_000)}${GET}`);
    await client.until(({ text }) => text.split('HTTP/1.1 200 OK').length === 3 && text.endsWith('ok'));
  });

  it('has closed a connection that was kept: a request that may be repeated is, others are not', async () => {
    const { client, backend } = await setUp(({ socket }, index) => {
      let asked = 0;
      socket.on('data', () => {
        // It closes when it is asked again, as a server whose time for idle connections is over at that moment.
        if (++asked === 1) socket.write(OK);
        else if (index === 0 || index === 2) socket.resetAndDestroy();
      });
    });
    client.socket.write(GET);
    await client.until(({ text }) => text.endsWith('ok'));
    client.text = '';
    client.socket.write(GET);
    expect((await client.until(({ text }) => text.endsWith('ok'))).text).toMatch(/^HTTP\/1.1 200 OK/);
    expect(backend.connections).toHaveLength(2);
    client.text = '';
    client.socket.write(GET);
    await client.until(({ text }) => text.endsWith('ok'));
    client.text = '';
    client.socket.write('POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx');
    expect((await client.heads()).text).toMatch(/^HTTP\/1.1 502 /);
  });
});
