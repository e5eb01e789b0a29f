/** Request bodies over real sockets, read by a service of the test: whole, chunked, slow, too large, broken, cut, refused. */
import { afterEach, describe, expect, it } from 'vitest';

import { BodyReader } from '../../src/http/bodies.js';
import type { BodyReaderDeps, BodyRules } from '../../src/http/bodies.js';
import { BodyMemory } from '../../src/http/body-memory.js';
import type { WebService } from '../../src/http/service.js';
import { createLogger, silentLogger } from '../../src/log/logger.js';
import type { EndpointServer } from '../../src/transport/endpoint.js';
import { HttpWire, startHttp } from '../support/http-server.js';
import { mailbox } from '../support/mailbox.js';
import type { Mailbox } from '../support/mailbox.js';
import { FakeClock } from '../support/realm.js';

const MAX_BYTES = 100_000;
const TIMEOUT_MS = 5_000;
const RULES: BodyRules = { maxBytes: MAX_BYTES, timeoutMs: TIMEOUT_MS, mediaTypes: ['application/json'] };

const servers: EndpointServer[] = [];
const wires: HttpWire[] = [];

afterEach(async () => {
  for (const { socket } of wires.splice(0)) socket.destroy();
  for (const server of servers.splice(0)) await server.stop();
});

interface Started {
  readonly port: number;
  readonly clock: FakeClock;
  readonly memory: BodyMemory;
  /** Paths of the requests whose bodies are being read. */
  readonly asked: Mailbox<string>;
  /** What the service got: the length of each body, or undefined. */
  readonly got: Mailbox<number | undefined>;
  readonly lines: Record<string, unknown>[];
}

/** A service that answers with the body, and at `/unread` without having asked for it. */
async function start(rules: Partial<BodyRules> = {}, deps: Partial<BodyReaderDeps> = {}): Promise<Started> {
  const clock = new FakeClock();
  const memory = deps.memory ?? new BodyMemory();
  const lines: Record<string, unknown>[] = [];
  const write = (line: string): void => void lines.push(JSON.parse(line) as Record<string, unknown>);
  const log = createLogger({ level: 'warn', destination: { write } });
  const after = (ms: number, callback: () => void): (() => void) => clock.after(ms, callback);
  const bodies = new BodyReader({ ...RULES, ...rules }, { log, memory, after, ...deps });
  const [asked, got] = [mailbox<string>(), mailbox<number | undefined>()];
  const service: WebService = {
    methods: ['POST'],
    async handle(request, res) {
      if (request.rest === '/unread') {
        res.end('not read');
        return;
      }
      const reading = bodies.read(request, res);
      asked.put(request.rest);
      const body = await reading;
      got.put(body?.length);
      if (body !== undefined) res.setHeader('Content-Length', body.length).end(body);
    },
  };
  const { port, server } = await startHttp(service, { log: silentLogger() });
  servers.push(server);
  return { port, clock, memory, asked, got, lines };
}

async function open(port: number): Promise<HttpWire> {
  const wire = await HttpWire.open(port);
  wires.push(wire);
  return wire;
}

/** Something to wait for. */
function gate(): { readonly open: () => void; readonly opened: Promise<void> } {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { open, opened };
}

function post(...headers: readonly string[]): string[] {
  return ['POST /body HTTP/1.1', 'Host: 127.0.0.1', 'Content-Type: application/json', ...headers];
}

function chunk(text: string): string {
  return `${text.length.toString(16)}\r\n${text}\r\n`;
}

describe('a body that is taken', () => {
  it('comes with a length, in pieces or at once', async () => {
    const { port, asked, got } = await start();
    const wire = await open(port);
    wire.send(post('Content-Length: 9'), '[1,2');
    await asked.take();
    wire.socket.write(',3,');
    wire.socket.write('4]');
    expect(await wire.until((text) => text.endsWith('\r\n\r\n[1,2,3,4]'))).toMatch(/^HTTP\/1\.1 200 /);
    expect(await got.take()).toBe(9);
  });

  it('comes in chunks, with extensions and trailers', async () => {
    const { port } = await start();
    const wire = await open(port);
    wire.send(post('Transfer-Encoding: chunked'), `${chunk('[1')}3;ext=1\r\n,2]\r\n0\r\nTrailer: x\r\n\r\n`);
    await wire.until((text) => text.endsWith('\r\n\r\n[1,2]'));
  });

  describe('behind the offer of another protocol, which is ignored', () => {
    const offer = ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABk'];
    const answered = (text: string): boolean => text.endsWith('\r\n\r\n[1,2]');

    it.each([
      ['with a length', ['Content-Length: 5'], '[1,2]'],
      ['in chunks', ['Transfer-Encoding: chunked'], `${chunk('[1,')}${chunk('2]')}0\r\n\r\n`],
    ])('comes %s, at once and cut anywhere', async (_name, length, body) => {
      const { port } = await start();
      const head = `${[...post(...offer, ...length)].join('\r\n')}\r\n\r\n`;
      for (let cut = head.length - 5; cut <= head.length + body.length; cut++) {
        const wire = await open(port);
        wire.socket.setNoDelay(true);
        const text = head + body;
        wire.socket.write(text.slice(0, cut), () => void setImmediate(() => wire.socket.write(text.slice(cut))));
        expect(await wire.until(answered), `cut at ${cut}`).toMatch(/^HTTP\/1\.1 200 [^]*Connection: close/);
      }
    });

    it('comes behind another request, and what comes behind it is not looked at', async () => {
      const { port, got } = await start();
      const wire = await open(port);
      wire.send(post('Content-Length: 3'), '[0]');
      wire.send(post(...offer, 'Content-Length: 5'), '[1,2]');
      wire.send(post('Content-Length: 3'), '[3]');
      await wire.until((text) => answered(text));
      expect([await got.take(), await got.take()]).toEqual([3, 5]);
      expect(wire.text.match(/HTTP\/1\.1 200 /g)).toHaveLength(2);
    });
  });

  it('may be as large as allowed, and its memory is given back with the answer', async () => {
    const { port, memory } = await start();
    const wire = await open(port);
    wire.send([...post(`Content-Length: ${MAX_BYTES}`), 'Connection: close'], 'x'.repeat(MAX_BYTES));
    expect((await wire.lastResponse()).body).toHaveLength(MAX_BYTES);
    expect(memory.bytes).toBe(0);
  });

  it('is read request by request on one connection, whatever is sent ahead', async () => {
    const { port, got } = await start();
    const wire = await open(port);
    const unread = ['POST /unread HTTP/1.1', 'Host: 127.0.0.1', 'Content-Length: 3'];
    wire.send(post('Content-Length: 3'), 'one');
    wire.send(unread, 'two');
    wire.send(post('Transfer-Encoding: chunked'), `${chunk('thr')}${chunk('ee')}0\r\n\r\n`);
    wire.send([...post('Content-Length: 4'), 'Connection: close'], 'four');
    const bodies = (await wire.closed()).split(/HTTP\/1\.1 200 OK/).map((text) => text.split('\r\n\r\n')[1]);
    expect(bodies.slice(1)).toEqual(['one', expect.stringContaining('not read'), 'three', 'four']);
    expect([await got.take(), await got.take(), await got.take()]).toEqual([3, 5, 4]);
  });

  it.each(['application/json', 'APPLICATION/JSON; charset=utf-8', 'application/json;x="y"'])(
    'may be of the type %s',
    async (type) => {
      const { port } = await start();
      const wire = await open(port);
      wire.send(['POST / HTTP/1.1', 'Host: h', `Content-Type: ${type}`, 'Content-Length: 2'], '{}');
      await wire.until((text) => text.endsWith('{}'));
    },
  );

  it('may be empty or without a type where the service says so', async () => {
    const { port } = await start({ mayBeEmpty: true, mayBeUntyped: true });
    const wire = await open(port);
    for (const request of [['Content-Length: 0'], [], ['Transfer-Encoding: chunked']]) {
      wire.text = '';
      const body = request[0]?.startsWith('T') === true ? '0\r\n\r\n' : '';
      wire.send(['POST / HTTP/1.1', 'Host: h', ...request], body);
      expect(await wire.until((text) => text.endsWith('\r\n\r\n'))).toMatch(/^HTTP\/1\.1 200 [^]*Content-Length: 0/);
    }
    wire.send(['POST / HTTP/1.1', 'Host: h', 'Content-Length: 2'], '{}');
    await wire.until((text) => text.endsWith('{}'));
  });
});

describe('a body that is refused', () => {
  it.each<[string, readonly string[], string, number, string]>([
    ['longer than allowed', ['Content-Length: 100001'], '', 413, 'more than 100000'],
    ['compressed', ['Content-Length: 2', 'Content-Encoding: gzip'], '{}', 415, 'not be compressed'],
    ['of an unknown transfer coding', ['Transfer-Encoding: gzip, chunked'], '0\r\n\r\n', 501, '"chunked"'],
    ['empty', ['Content-Length: 0'], '', 400, 'is empty'],
    ['empty, in chunks', ['Transfer-Encoding: chunked'], '0\r\n\r\n', 400, 'is empty'],
    ['not there', [], '', 411, 'has no body'],
  ])('is %s', async (_name, headers, body, status, reason) => {
    const { port, got, lines, memory } = await start();
    const wire = await open(port);
    wire.send(post(...headers), body);
    const response = await wire.until((text) => text.endsWith('.\n'));
    expect(response).toMatch(new RegExp(`^HTTP/1\\.1 ${status} [^]*Connection: close`));
    expect(await got.take()).toBeUndefined();
    expect(response).toContain(reason);
    const facts = { status, method: 'POST', path: '/body', reason: expect.stringContaining(reason) as string };
    expect(lines).toMatchObject([{ level: 'warn', msg: 'HTTP request refused', ...facts }]);
    expect(memory.bytes).toBe(0);
  });

  it.each([[['Content-Type: text/plain']], [[]]])('is of another type: %j', async (type) => {
    const { port } = await start();
    const wire = await open(port);
    wire.send(['POST / HTTP/1.1', 'Host: h', ...type, 'Content-Length: 2'], '{}');
    const { status, headers } = await wire.lastResponse();
    expect([status, headers['accept']]).toEqual([415, 'application/json']);
  });

  it('grows beyond the limit in chunks: the client gets its answer although it goes on to send', async () => {
    const { port, got, memory } = await start();
    const wire = await open(port);
    wire.send(post('Transfer-Encoding: chunked'));
    const piece = chunk('x'.repeat(50_000));
    for (let index = 0; index < 40; index += 1) wire.socket.write(piece);
    await wire.until((text) => text.startsWith('HTTP/1.1 413 ') && text.endsWith('bytes.\n'));
    expect(await got.take()).toBeUndefined();
    for (let index = 0; index < 40; index += 1) wire.socket.write(piece);
    wire.socket.write('0\r\n\r\n');
    await wire.closed();
    expect(memory.bytes).toBe(0);
  });

  it('goes on for ever: it is read for a while only', async () => {
    const { port, clock } = await start();
    const wire = await open(port);
    wire.send(post('Content-Length: 1000000'), 'x');
    await wire.until((text) => text.endsWith('bytes.\n'));
    expect(wire.isOver).toBe(false);
    clock.advance(2_000);
    await wire.closed();
  });

  it('does not come within the time for all of it', async () => {
    const { port, clock, asked, got } = await start();
    const wire = await open(port);
    wire.send(post('Content-Length: 10'), '[1');
    await asked.take();
    clock.advance(TIMEOUT_MS - 1);
    wire.socket.write(',2');
    await new Promise(setImmediate);
    expect(wire.text).toBe('');
    clock.advance(1);
    await wire.until((text) => text.startsWith('HTTP/1.1 408 ') && text.endsWith('5 seconds.\n'));
    expect(await got.take()).toBeUndefined();
    clock.advance(2_000);
    await wire.closed();
    expect(clock.waiting).toBe(0);
  });

  it('finds no memory, because others have it', async () => {
    const memory = new BodyMemory(100_000);
    const { port, asked } = await start({}, { memory });
    const first = await open(port);
    first.send(post('Content-Length: 40000'), 'x'.repeat(39_999));
    await asked.take();
    await expect.poll(() => memory.bytes).toBeGreaterThanOrEqual(39_999);
    const second = await open(port);
    second.send(post('Content-Length: 70000'), 'y'.repeat(70_000));
    const { status, headers } = await second.lastResponse();
    expect([status, headers['retry-after']]).toEqual([503, '5']);
    first.socket.write('x');
    await first.until((text) => text.endsWith('xxx'));
  });

  it('is no HTTP any more: the service answers, and nothing else', async () => {
    const { port, asked, got } = await start();
    const wire = await open(port);
    wire.send(post('Transfer-Encoding: chunked'), chunk('[1'));
    await asked.take();
    wire.socket.write('zz\r\n');
    const text = await wire.closed();
    expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 400']);
    expect(await got.take()).toBeUndefined();
  });

  it('was no HTTP any more when the service asked for it', async () => {
    const refused = gate();
    const service: WebService = {
      methods: ['POST'],
      async handle(request, res) {
        await refused.opened;
        await new BodyReader(RULES, { log: silentLogger() }).read(request, res);
      },
    };
    const log = createLogger({ level: 'warn', destination: { write: refused.open } });
    const { port, server } = await startHttp(service, { log });
    servers.push(server);
    const wire = await open(port);
    wire.send(post('Transfer-Encoding: chunked'), 'zz\r\n');
    expect((await wire.closed()).match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 400']);
  });

  it('takes longer than the server allows a request', async () => {
    const service: WebService = {
      methods: ['POST'],
      async handle(request, res) {
        await new BodyReader({ ...RULES, timeoutMs: 600_000 }, { log: silentLogger() }).read(request, res);
      },
    };
    const http = { requestTimeout: 50, headersTimeout: 50, connectionsCheckingInterval: 20 };
    const { port, server } = await startHttp(service, { http });
    servers.push(server);
    const wire = await open(port);
    wire.send(post('Content-Length: 10'), '[1');
    expect((await wire.lastResponse()).status).toBe(408);
  });

  it('is told to the operator once for each kind', async () => {
    const { port, lines } = await start();
    for (let index = 0; index < 3; index += 1) {
      const wire = await open(port);
      await wire.send(post('Content-Length: 0')).closed();
    }
    expect(lines).toHaveLength(1);
  });

  it('is refused in the words of the service', async () => {
    const answer: BodyRules['answer'] = ({ text }) => ({
      status: 400,
      type: 'application/json',
      body: JSON.stringify({ error: text }),
      headers: { 'Access-Control-Allow-Origin': 'https://example.com' },
    });
    const { port } = await start({ answer });
    const wire = await open(port);
    wire.send(['POST / HTTP/1.1', 'Host: h', 'Content-Length: 2'], '{}');
    const { status, headers, body } = await wire.lastResponse();
    expect([status, JSON.parse(body)]).toEqual([400, { error: 'The body must be of the type application/json.' }]);
    expect(headers['access-control-allow-origin']).toBe('https://example.com');
  });
});

describe('a client that leaves', () => {
  it('ends the wait for the body, and its memory is given back', async () => {
    const { port, asked, got, memory, lines } = await start();
    const wire = await open(port);
    wire.send(post('Content-Length: 10'), '[1');
    await asked.take();
    wire.socket.resetAndDestroy();
    expect(await got.take()).toBeUndefined();
    expect(memory.bytes).toBe(0);
    expect(lines).toEqual([]);
  });

  it('says that nothing more comes in the middle: it still gets its answer', async () => {
    const { port, asked, got } = await start();
    const wire = await open(port);
    wire.send(post('Content-Length: 10'), '[1');
    await asked.take();
    wire.socket.end();
    expect((await wire.lastResponse()).status).toBe(400);
    expect(await got.take()).toBeUndefined();
  });
});

describe('Expect: 100-continue', () => {
  it('is answered when the service wants the body, and the connection goes on', async () => {
    const { port } = await start();
    const wire = await open(port);
    wire.send(post('Content-Length: 2', 'Expect: 100-continue'));
    await wire.until((text) => text === 'HTTP/1.1 100 Continue\r\n\r\n');
    wire.socket.write('{}');
    const text = await wire.until((all) => all.endsWith('\r\n\r\n{}'));
    expect(text).toContain('Connection: keep-alive');
    wire.text = '';
    wire.send(post('Content-Length: 2'), '[]');
    await wire.until((all) => all.endsWith('[]'));
  });

  it.each([
    ['nobody reads it', 'POST /unread HTTP/1.1', 'Content-Length: 2', 'HTTP/1.1 200'],
    ['it is refused', 'POST /body HTTP/1.1', 'Content-Length: 1000000', 'HTTP/1.1 413'],
  ])('is not answered when %s, and the connection ends with the answer', async (_name, line, length, answer) => {
    const { port } = await start();
    const wire = await open(port);
    wire.send([line, ...post().slice(1), length, 'Expect: 100-continue']);
    const text = await wire.closed();
    expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual([answer]);
    expect(text).toContain('Connection: close');
  });
});
