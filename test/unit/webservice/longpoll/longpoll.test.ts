/** Long-poll as a web service, without a network: its requests and what they are answered. */
import { afterEach, describe, expect, it } from 'vitest';
import { SERIALIZERS } from '../../../../src/serializer/registry.js';
import { bodyMemory } from '../../../../src/http/body-memory.js';
import { BodyMemory, HeldBody } from '../../../../src/http/body-memory.js';
import { CookieSection } from '../../../../src/webservice/cookies.js';
import { createWebService } from '../../../../src/webservice/registry.js';
import { piecesOf } from '../../../../src/webservice/longpoll/answers.js';
import { protocolsOf } from '../../../../src/webservice/longpoll/opening.js';
import { longPollOptionsSchema } from '../../../../src/transport/longpoll/schema.js';
import { Router } from '../../../../src/router/router.js';
import type { WebService } from '../../../../src/http/service.js';
import type { LongPollServiceConfig } from '../../../../src/webservice/longpoll/schema.js';
import { webServiceContract } from '../../../contract/web-service.js';
import { exchange } from '../../../support/exchange.js';
import type { Exchange } from '../../../support/exchange.js';
import { ALLOW_ALL, FakeClock } from '../../../support/realm.js';
import { cookieConfig, serviceDeps } from '../../../support/web.js';

const OPEN = JSON.stringify({ protocols: ['wamp.2.json'] });

function create(options: object = {}, withCookie = false): WebService {
  const defaults = Object.entries(longPollOptionsSchema.properties).flatMap(([key, schema]) =>
    'default' in schema ? [[key, schema.default]] : [],
  );
  const config = {
    type: 'longpoll',
    serializers: Object.keys(SERIALIZERS),
    options: { ...Object.fromEntries(defaults), ...options },
  } as unknown as LongPollServiceConfig;
  let id = 0;
  const router = new Router([{ name: 'realm1', roles: [ALLOW_ALL] }], {
    randomId: () => ++id,
    clock: Date.now,
    scheduler: new FakeClock(),
  });
  const deps = serviceDeps({ router });
  const cookies = withCookie ? new CookieSection(cookieConfig(), deps) : undefined;
  return createWebService(config, { ...deps, cookies });
}

const started: WebService[] = [];
const opened: { readonly service: WebService; readonly id: string }[] = [];
// A transport that its client leaves open would hold up the end of the service for a second.
afterEach(async () => {
  for (const { service, id } of opened.splice(0)) await post(service, `/${id}/close`);
  for (const service of started.splice(0)) await service.stop?.();
});

async function start(options?: object, withCookie?: boolean): Promise<WebService> {
  const service = create(options, withCookie);
  started.push(service);
  await service.start?.();
  return service;
}

async function post(service: WebService, rest: string, body?: string, headers = {}): Promise<Exchange> {
  const answer = await exchange(service, {
    ...{ method: 'POST', mount: '/lp', rest, headers },
    ...(body !== undefined && { body }),
  });
  if (rest === '/open' && answer.status === 200) {
    opened.push({ service, id: (JSON.parse(answer.body) as { transport: string }).transport });
  }
  return answer;
}

async function open(service: WebService, headers = {}): Promise<string> {
  const { body } = await post(service, '/open', OPEN, headers);
  return (JSON.parse(body) as { transport: string }).transport;
}

webServiceContract('longpoll', {
  create,
  path: '/open',
  methods: ['POST'],
  validators: false,
  upgrades: false,
  tracksItself: true,
  body: { type: 'application/json', text: OPEN },
});

describe('the requests of a session', () => {
  it('answers a message and the end with 204', async () => {
    const service = await start();
    const id = await open(service);
    expect((await post(service, `/${id}/send`, '[1,"realm1",{"roles":{"caller":{}}}]')).status).toBe(204);
    const { status, headers, body } = await post(service, `/${id}/receive`);
    expect([status, headers['content-type'], headers['cache-control']]).toEqual([
      200,
      'application/json; charset=utf-8',
      'no-store',
    ]);
    expect((JSON.parse(body) as unknown[]).slice(0, 2)).toEqual([2, expect.any(Number)]);
    expect((await post(service, `/${id}/close`)).status).toBe(204);
    expect((await post(service, `/${id}/close`)).status).toBe(404);
  });

  it.each([
    ['json.batched', 'application/json; charset=utf-8'],
    ['msgpack', 'application/x-msgpack'],
    ['cbor.batched', 'application/cbor'],
    ['ubjson', 'application/ubjson'],
  ])('%s comes as %s', async (word, type) => {
    const service = await start();
    const body = JSON.stringify({ protocols: ['wamp.9', `wamp.2.${word}`] });
    const opened = JSON.parse((await post(service, '/open', body)).body) as { transport: string; protocol: string };
    expect(opened.protocol).toBe(`wamp.2.${word}`);
    expect((await post(service, `/${opened.transport}/send`, '\u0000')).status).toBe(400);
    const { headers } = await post(service, `/${opened.transport}/receive`);
    expect(headers['content-type']).toBe(type);
  });

  it.each([
    ['json', 1],
    ['json.batched', 3],
  ])('in %s, an answer brings %d of the messages that wait; a poll before them hangs', async (word, each) => {
    const service = await start();
    const body = JSON.stringify({ protocols: [`wamp.2.${word}`] });
    const { transport: id } = JSON.parse((await post(service, '/open', body)).body) as { transport: string };
    const end = each === 1 ? '' : '\u001e';
    const send = (message: readonly unknown[]) => post(service, `/${id}/send`, `${JSON.stringify(message)}${end}`);
    const first = post(service, `/${id}/receive`);
    await send([1, 'realm1', { roles: { caller: {} } }]);
    expect((await first).body).toMatch(/^\[2,/);
    for (const request of [1, 2, 3]) await send([48, request, {}, 'com.example.none']);
    const got: string[] = [];
    for (let answers = 0; answers < 3 / each; answers++) {
      const { body: answer } = await post(service, `/${id}/receive`);
      expect(answer.split('\u001e').filter((text) => text !== '')).toHaveLength(each);
      got.push(...(answer.match(/\[8,48,\d/g) ?? []));
    }
    expect(got).toEqual(['[8,48,1', '[8,48,2', '[8,48,3']);
  });

  it('a query against caches is no matter, whatever is asked', async () => {
    const service = await start();
    const ask = (rest: string, body: string) =>
      exchange(service, { method: 'POST', mount: '/lp', rest, query: '?x=0.7319', body });
    const { transport: id } = JSON.parse((await ask('/open', OPEN)).body) as { transport: string };
    const answers = [
      await ask(`/${id}/send`, '[1,"realm1",{"roles":{"caller":{}}}]'),
      await ask(`/${id}/receive`, ''),
      await ask(`/${id}/close`, ''),
    ];
    expect(answers.map(({ status }) => status)).toEqual([204, 200, 204]);
  });

  it('ids are of 144 bits, and no two are alike', async () => {
    const service = await start();
    const ids = [await open(service), await open(service)];
    for (const id of ids) expect(id).toMatch(/^[\w-]{24}$/);
    expect(ids[0]).not.toBe(ids[1]);
  });

  it('behind a poll that waits, the second one ends it with 204', async () => {
    const service = await start();
    const id = await open(service);
    const first = post(service, `/${id}/receive`);
    const second = post(service, `/${id}/receive`);
    expect((await first).status).toBe(204);
    await post(service, `/${id}/close`);
    expect((await second).status).toBe(204);
  });

  it('when the node stops, a poll that waits gets 503', async () => {
    const service = await start();
    const id = await open(service);
    const poll = post(service, `/${id}/receive`);
    await service.stop?.();
    expect((await poll).status).toBe(503);
    expect((await post(service, '/open', OPEN)).status).toBe(503);
  });

  it('a body that is too large gets 413, and an empty one is no message', async () => {
    const service = await start({ max_message_size: 100 });
    expect((await post(service, `/${await open(service)}/send`, 'x'.repeat(101))).status).toBe(413);
    expect((await post(service, `/${await open(service)}/send`)).status).toBe(400);
  });

  it('where all places are taken, 503 says when to come again', async () => {
    const service = await start({ max_connections: 1, max_unauthenticated: 0 });
    const id = await open(service);
    await post(service, `/${id}/send`, '[1,"realm1",{"roles":{"caller":{}}}]');
    const { status, headers } = await post(service, '/open', OPEN);
    expect([status, headers['retry-after']]).toEqual([503, '5']);
  });
});

describe('cookies', () => {
  it('only /open hands one out, once', async () => {
    const service = await start({}, true);
    const first = await post(service, '/open', OPEN);
    expect(first.headers['set-cookie']).toMatch(/^cbtid=/);
    expect(first.headers['cache-control']).toBe('no-store, private');
    const cookie = first.headers['set-cookie']?.split(';')[0] ?? '';
    const again = await post(service, '/open', OPEN, { cookie });
    expect(again.headers).not.toHaveProperty('set-cookie');
    const id = (JSON.parse(again.body) as { transport: string }).transport;
    expect((await post(service, `/${id}/send`, 'x')).headers).not.toHaveProperty('set-cookie');
  });

  it('a page of another origin gets none', async () => {
    const service = await start({ allowed_origins: ['self'] }, true);
    const { status, headers } = await post(service, '/open', OPEN, { origin: 'https://evil.example.com', host: 'x' });
    expect([status, headers['set-cookie']]).toEqual([403, undefined]);
  });
});

describe('the body of /open', () => {
  it.each([
    ['{"protocols":["a","b"],"more":1}', ['a', 'b']],
    ['{"protocols":[]}', []],
    ['null', 'the body is no JSON object with a list of "protocols", such as {"protocols": ["wamp.2.json"]}'],
    ['{"protocols":[null]}', '"protocols" is no list of texts'],
    ['nonsense', 'the body is not JSON'],
  ])('%s', (text, expected) => {
    expect(protocolsOf(Buffer.from(text))).toEqual(expected);
  });

  it('is UTF-8', () => {
    expect(protocolsOf(Buffer.from([0x22, 0xff, 0x22]))).toBe('the body is not JSON');
  });
});

it('short messages of a batch are written together, large ones as they are', () => {
  const short = Array.from({ length: 40_000 }, (_, index) => Buffer.from(String(index).padStart(26, '.')));
  const large = Buffer.alloc(300_000);
  const pieces = piecesOf([...short, large, ...short.slice(0, 2)]);
  expect(Buffer.concat(pieces).equals(Buffer.concat([...short, large, ...short.slice(0, 2)]))).toBe(true);
  expect(pieces.length).toBeLessThan(20);
  expect(pieces.includes(large)).toBe(true);
  // Compared as they are, not octet by octet: that takes seconds.
  expect(piecesOf([large])[0] === large).toBe(true);
  expect(piecesOf([])).toEqual([]);
});

it('the memory of a body is given back also when it has gone to another thread', () => {
  const memory = new BodyMemory();
  const others = bodyMemory.bytes;
  const held = new HeldBody(memory, 300_000);
  held.add(Buffer.alloc(300_000));
  structuredClone(0, { transfer: [held.bytes.buffer as ArrayBuffer] });
  held.release();
  expect([memory.bytes, bodyMemory.bytes]).toEqual([0, others]);
});
