/**
 * The services `publisher`, `caller` and `webhook` of the daemon, with requests as the client libraries of Crossbar.io send them, and
 * subscribers and callees that are connected by WebSocket.
 */
import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { startDaemon } from '../support/daemon.js';
import type { Daemon } from '../support/daemon.js';
import { nodeConfig } from '../support/node-config.js';
import { WampClient, rawHttp } from '../support/wamp-client.js';
import type { JoinedClient, WampClientOptions } from '../support/wamp-client.js';

const TOPIC = 'com.example.hello';
const KEY = 'foobar';
const SECRET = 'a secret of programs';

const ALL = { call: true, register: true, publish: true, subscribe: true };
const ROLES = [
  { name: 'anonymous', permissions: [{ uri: '*', allow: ALL }] },
  { name: 'closed', permissions: [] },
];

let daemon: Daemon;

beforeAll(async () => {
  const service = { realm: 'realm1', role: 'anonymous' };
  const signed = { key: KEY, secret: '${BRIDGE_SECRET}' };
  daemon = await startDaemon({
    env: { BRIDGE_SECRET: SECRET },
    config: nodeConfig({
      realms: [{ name: 'realm1', roles: ROLES }],
      transport: { cookie: {} },
      paths: {
        publish: { type: 'publisher', ...service },
        signed: { type: 'publisher', ...service, options: signed },
        call: { type: 'caller', ...service },
        closed: { type: 'caller', realm: 'realm1', role: 'closed' },
        'signed-call': { type: 'caller', ...service, options: signed },
        hook: { type: 'webhook', ...service, options: { topic: TOPIC } },
        local: { type: 'publisher', ...service, options: { require_ip: ['127.0.0.1/8'] } },
        away: { type: 'publisher', ...service, options: { require_ip: ['192.168.1.1/255.255.255.0'], debug: true } },
        tls: { type: 'publisher', ...service, options: { require_tls: true } },
      },
    }),
  });
});
afterAll(async () => {
  await daemon.dispose();
});

interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

async function post(path: string, body: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
  // A Blob has no type of its own.
  const response = await fetch(daemon.url(path), { method: 'POST', body: new Blob([body]), headers });
  return { status: response.status, body: (await response.json()) as Answer['body'] };
}

async function join(options?: WampClientOptions): Promise<JoinedClient> {
  return WampClient.join(daemon.url('/ws', 'ws'), 'realm1', options);
}

async function subscriber(topic = TOPIC, options?: WampClientOptions): Promise<JoinedClient> {
  const client = await join(options);
  expect((await client.ask([32, 1, {}, topic]))[0]).toBe(33);
  return client;
}

/** Answers the next call of a procedure. @returns the arguments that came. */
async function answerNext(callee: JoinedClient, ...answer: readonly unknown[]): Promise<readonly unknown[]> {
  const [, request, , , ...args] = await callee.next();
  callee.send([70, request, {}, ...answer]);
  return args;
}

const isoTime = (digits: 3 | 6): string => new Date().toISOString().replace('Z', digits === 3 ? 'Z' : '000Z');

interface Library {
  /** Names and values of the query, in the order of the library; signed when there is a secret. */
  readonly query: (body: string, secret?: string) => URLSearchParams;
  /** How it writes the topic, positional and keyword arguments. */
  readonly body: (name: string, uri: string) => string;
  readonly headers: Readonly<Record<string, string>>;
}

let sequence = 0;
const randomNonce = (): string => String(Math.floor(Math.random() * 2 ** 53));

function signature(parts: readonly string[], body: string, secret: string): string {
  return createHmac('sha256', secret)
    .update(parts.join(''))
    .update(body)
    .digest('base64')
    .replaceAll('+', '-')
    .replaceAll('/', '_');
}

function signedQuery(
  timestamp: string,
  seq: string,
  order: readonly string[],
  body: string,
  secret: string,
): URLSearchParams {
  const nonce = randomNonce();
  const values: Readonly<Record<string, string>> = {
    key: KEY,
    timestamp,
    seq,
    nonce,
    signature: signature([KEY, timestamp, seq, nonce], body, secret),
  };
  return new URLSearchParams(order.map((name): [string, string] => [name, values[name] ?? '']));
}

const JSON_TYPE = { 'Content-type': 'application/json', Accept: 'application/json' };

/** Requests as the libraries write them, each by its own rules; written after a description of them, not recorded. */
const LIBRARIES: Readonly<Record<string, Library>> = {
  crossbarconnect: {
    query(body, secret) {
      const [timestamp, seq] = [isoTime(3), String(++sequence)];
      if (secret === undefined) return new URLSearchParams({ timestamp, seq });
      return signedQuery(timestamp, seq, ['timestamp', 'seq', 'key', 'nonce', 'signature'], body, secret);
    },
    body: (name, uri) => `{"${name}":"${uri}","args":["H\\u00e9llo",23],"kwargs":{"a":[1,2]}}`,
    headers: { 'Content-type': 'application/json', 'User-agent': 'crossbarconnect-python' },
  },
  crossbarhttp3: {
    query(body, secret) {
      if (secret === undefined) return new URLSearchParams();
      return signedQuery(
        isoTime(6),
        String(++sequence),
        ['key', 'timestamp', 'seq', 'nonce', 'signature'],
        body,
        secret,
      );
    },
    body: (name, uri) => `{"${name}": "${uri}", "args": ["H\\u00e9llo", 23], "kwargs": {"a": [1, 2]}}`,
    headers: JSON_TYPE,
  },
  crossbarhttprequests: {
    query(body, secret) {
      if (secret === undefined) return new URLSearchParams();
      return signedQuery(
        isoTime(6),
        String(++sequence),
        ['key', 'timestamp', 'seq', 'nonce', 'signature'],
        body,
        secret,
      );
    },
    body: (name, uri) => `{"args": ["H\\u00e9llo", 23], "kwargs": {"a": [1, 2]}, "${name}": "${uri}"}`,
    headers: { 'User-Agent': 'python-requests/2.31.0', Accept: '*/*', 'Content-Type': 'application/json' },
  },
  'ruby-crossbar-http': {
    query(body, secret) {
      if (secret === undefined) return new URLSearchParams();
      return signedQuery(
        isoTime(3),
        String(++sequence),
        ['key', 'seq', 'nonce', 'signature', 'timestamp'],
        body,
        secret,
      );
    },
    body: (name, uri) => `{"${name}":"${uri}","args":["Héllo",23],"kwargs":{"a":[1,2]}}`,
    headers: { 'Content-Type': 'application/json', 'User-Agent': 'Ruby', Accept: '*/*' },
  },
  'the PHP bundle': {
    query(body, secret) {
      if (secret === undefined) return new URLSearchParams();
      const seq = String(Math.floor(Math.random() * 4097));
      return signedQuery(isoTime(6), seq, ['key', 'timestamp', 'seq', 'nonce', 'signature'], body, secret);
    },
    body: (name, uri) => `{"${name}":"${uri}","args":["H\\u00e9llo",23],"kwargs":{"a":[1,2]},"options":[]}`,
    headers: { 'Content-Type': 'application/json', 'User-Agent': 'GuzzleHttp/7' },
  },
  'curl without a type': {
    query: () => new URLSearchParams(),
    body: (name, uri) => `{"${name}": "${uri}", "args": ["Héllo", 23], "kwargs": {"a": [1, 2]}}\n`,
    headers: {},
  },
};

const VALUES = [['Héllo', 23], { a: [1, 2] }];

describe.each(Object.entries(LIBRARIES))('%s', (name, { query, body, headers }) => {
  const ask = (path: string, text: string, secret?: string): Promise<Answer> => {
    const asked = query(text, secret).toString();
    return post(`${path}${asked === '' ? '' : '?'}${asked}`, text, headers);
  };
  const paths: readonly (readonly ['publish' | 'signed', 'call' | 'signed-call', string | undefined])[] =
    name === 'curl without a type'
      ? [['publish', 'call', undefined]]
      : [
          ['publish', 'call', undefined],
          ['signed', 'signed-call', SECRET],
        ];

  it.each(paths)('publishes at /%s', async (path, _call, secret) => {
    const client = await subscriber();
    const answer = await ask(`/${path}`, body('topic', TOPIC), secret);
    expect(answer).toEqual({ status: 200, body: { id: expect.any(Number) } });
    const event = await client.next();
    expect([event[2], ...event.slice(4)]).toEqual([answer.body['id'], ...VALUES]);
    client.socket.terminate();
  });

  it.each(paths)('calls beside /%s at /%s', async (_publish, path, secret) => {
    const callee = await join();
    await callee.ask([64, 1, {}, 'com.example.add']);
    const [args, answer] = await Promise.all([
      answerNext(callee, [42]),
      ask(`/${path}`, body('procedure', 'com.example.add'), secret),
    ]);
    expect(args).toEqual(VALUES);
    expect(answer).toEqual({ status: 200, body: { args: [42] } });
    const absent = await ask(`/${path}`, body('procedure', 'com.example.absent'), secret);
    expect(absent).toMatchObject({
      status: 200,
      body: { error: 'wamp.error.no_such_procedure', args: [expect.any(String)] },
    });
    await callee.close();
  });

  it.runIf(paths.length > 1)('is refused with another secret', async () => {
    const answer = await ask('/signed', body('topic', TOPIC), 'another secret');
    expect(answer).toEqual({
      status: 401,
      body: { error: 'the key is unknown, or the signature does not fit', args: [], kwargs: {} },
    });
  });
});

describe('the bridge of the daemon', () => {
  it('takes empty keywords of PHP, which are a list', async () => {
    const client = await subscriber();
    expect((await post('/publish', `{"topic":"${TOPIC}","args":["x"],"kwargs":[]}`)).status).toBe(200);
    expect((await client.next()).slice(4)).toEqual([['x']]);
    await client.close();
  });

  it.each(['json', 'msgpack', 'cbor'] as const)('reaches subscribers by %s, with bytes', async (serializer) => {
    const client = await subscriber(TOPIC, { serializer });
    await post('/publish', String.raw`{"topic":"${TOPIC}","args":["\u0000AAEC",[{"b":"é"}]]}`);
    expect((await client.next())[4]).toEqual([{ $bin: '000102' }, [{ b: 'é' }]]);
    await client.close();
  });

  it('has bytes of a callee as JSON has them', async () => {
    const callee = await join({ serializer: 'msgpack' });
    await callee.ask([64, 1, {}, 'com.example.bytes']);
    const [, answer] = await Promise.all([
      answerNext(callee, [Buffer.from([0, 1, 2])], { more: Buffer.from([3]) }),
      post('/call', '{"procedure":"com.example.bytes"}'),
    ]);
    expect(answer).toEqual({ status: 200, body: { args: ['\0AAEC'], kwargs: { more: '\0Aw==' } } });
    await callee.close();
  });

  it.each(['json', 'msgpack'] as const)('carries megabytes to and from clients of %s', async (serializer) => {
    const callee = await join({ serializer });
    await callee.ask([64, 1, {}, 'com.example.large']);
    const text = 'é'.repeat(1_500_000);
    const [args, answer] = await Promise.all([
      answerNext(callee, [text], { n: 1 }),
      post(
        '/call',
        JSON.stringify({ before: [[]], procedure: 'com.example.large', args: [text], kwargs: { '"}': text } }),
      ),
    ]);
    expect(args).toEqual([[text], { '"}': text }]);
    expect(answer).toEqual({ status: 200, body: { args: [text], kwargs: { n: 1 } } });
    await callee.close();
  });

  it('refuses megabytes that are no request', async () => {
    for (const [body, text] of [
      [`{"topic":"${TOPIC}","args":[${'1,'.repeat(200_000)}]}`, 'the body is not valid JSON'],
      [`{"topic":7,"args":["${'x'.repeat(400_000)}"]}`, '"topic" must be a string, got 7'],
      [`{"topic":"${'x'.repeat(400_000)}"}`, '"topic" and "options" may have at most 262144 characters'],
    ] as const) {
      expect(await post('/publish', body)).toEqual({ status: 400, body: { error: text, args: [], kwargs: {} } });
    }
  });

  it('denies what the role may not do, and says so in the log', async () => {
    const answer = await post('/closed', '{"procedure":"com.example.add"}');
    expect(answer).toMatchObject({ status: 200, body: { error: 'wamp.error.not_authorized' } });
    await daemon.waitForLog(({ msg, authid }) => msg === 'action denied' && authid === 'caller');
  });

  it('publishes what a webhook gets', async () => {
    const client = await subscriber();
    const response = await fetch(daemon.url('/hook/from/github'), {
      method: 'POST',
      body: 'payload=%7B%7D',
      headers: { 'Content-Type': 'application/x-www-form-urlencoded', 'X-GitHub-Event': 'push', Cookie: 'a=1' },
    });
    expect([response.status, await response.text()]).toEqual([202, 'OK']);
    const [{ headers, body }] = (await client.next())[4] as [{ headers: object; body: string }];
    expect(body).toBe('payload=%7B%7D');
    expect(headers).toMatchObject({
      'X-Github-Event': ['push'],
      'Content-Type': ['application/x-www-form-urlencoded'],
      'Content-Length': ['14'],
    });
    expect(headers).not.toHaveProperty('Cookie');
    await client.close();
  });

  it('judges where a client is, and whether it comes by TLS', async () => {
    const body = `{"topic":"${TOPIC}"}`;
    expect((await post('/local', body)).status).toBe(200);
    expect((await post('/away', body)).status).toBe(403);
    expect((await post('/tls', body)).status).toBe(403);
    // Anybody can write that.
    expect((await post('/tls', body, { 'X-Forwarded-Proto': 'https' })).status).toBe(403);
  });

  it('hands out no cookies: its clients are no browsers that come back', async () => {
    const response = await fetch(daemon.url('/publish'), { method: 'POST', body: new Blob([`{"topic":"${TOPIC}"}`]) });
    expect(response.headers.get('set-cookie')).toBeNull();
  });

  it.each(['GET', 'DELETE', 'PATCH'])('refuses %s', async (method) => {
    const response = await fetch(daemon.url('/publish'), { method });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST, PUT, OPTIONS']);
  });

  it.each([
    ['two lengths that differ', ['Content-Length: 31', 'Content-Length: 30'], 400],
    ['two ways to tell the length', ['Content-Length: 31', 'Transfer-Encoding: chunked'], 400],
    ['a length that is no number', ['Content-Length: x'], 400],
    ['its length', ['Content-Length: 29'], 200],
  ])('takes a body with %s for what it is', async (_case, lines, status) => {
    const body = Buffer.from(`{"topic":"${TOPIC}"}`);
    expect(body).toHaveLength(29);
    const head = ['POST /publish HTTP/1.1', 'Host: 127.0.0.1', 'Connection: close', ...lines];
    expect((await rawHttp(daemon.port, head, body)).status).toBe(status);
  });

  it('takes a chunked body', async () => {
    const client = await subscriber();
    const head = ['POST /publish HTTP/1.1', 'Host: 127.0.0.1', 'Connection: close', 'Transfer-Encoding: chunked'];
    const body = `{"topic":"${TOPIC}"}`;
    const chunked = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
    expect((await rawHttp(daemon.port, head, Buffer.from(chunked))).status).toBe(200);
    expect((await client.next())[0]).toBe(36);
    await client.close();
  });

  it('has no secret in its log', () => {
    expect(daemon.output).toContain('HTTP request refused');
    expect(daemon.output).not.toContain(SECRET);
    expect(daemon.output).not.toMatch(/signature=/);
  });
});
