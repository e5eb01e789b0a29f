/** What the services of the HTTP bridge have in common: methods, the checks in their order, pages of others, sessions. */
import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';

import { webServiceContract } from '../../../contract/web-service.js';
import { BridgeWorld, NOW, refusal } from '../../../support/bridge.js';
import type { BridgeParts } from '../../../support/bridge.js';
import { exchange, openExchange } from '../../../support/exchange.js';

const TOPIC = 'com.example.hello';
const HELLO = JSON.stringify({ topic: TOPIC, args: ['Hello', 23] });
const SIGNED = { key: 'foobar', secret: 'secret' };
const STAMP = '2026-01-02T03:04:05.678Z';

const publisher = (parts?: BridgeParts): BridgeWorld => new BridgeWorld('publisher', parts);

/** The query of a signed request. */
function signed(body: string, parts: Readonly<Record<string, string>> = {}, secret = 'secret'): string {
  const { key = 'foobar', timestamp = STAMP, seq = '1', nonce = '123456789' } = parts;
  const digest = createHmac('sha256', secret).update(key + timestamp + seq + nonce + body);
  const signature = digest.digest('base64url').padEnd(44, '=');
  return `?${new URLSearchParams({ key, timestamp, seq, nonce, signature, ...parts }).toString()}`;
}

webServiceContract('publisher', {
  create: () => publisher().service,
  methods: ['POST', 'PUT', 'OPTIONS'],
  validators: false,
  upgrades: false,
  tracksItself: true,
  body: { type: 'application/json', text: HELLO },
});
webServiceContract('caller', {
  create: () => new BridgeWorld('caller').service,
  methods: ['POST', 'PUT', 'OPTIONS'],
  validators: false,
  upgrades: false,
  tracksItself: true,
  body: { type: 'application/json', text: JSON.stringify({ procedure: 'wamp.session.count' }) },
});
webServiceContract('webhook', {
  create: () => new BridgeWorld('webhook').service,
  methods: ['POST', 'PUT', 'OPTIONS'],
  status: 202,
  validators: false,
  upgrades: false,
  tracksItself: true,
  body: { type: 'text/plain', text: 'something' },
});

describe('a service of the bridge', () => {
  it('takes PUT for POST, and all that is below its path for itself', async () => {
    const world = publisher();
    const events = await world.events(TOPIC);
    for (const parts of [{ method: 'POST' }, { method: 'PUT' }, { rest: '/' }, { rest: '/a/b' }]) {
      expect((await world.post(HELLO, parts)).status).toBe(200);
    }
    expect(events).toHaveLength(4);
  });

  it('answers OPTIONS with 200 and what it takes', async () => {
    const answer = await exchange(publisher().service, { method: 'OPTIONS' });
    expect([answer.status, answer.headers['allow'], answer.headers['content-length'], answer.body]).toEqual([
      200,
      'POST, PUT, OPTIONS',
      '0',
      '',
    ]);
  });

  it('answers in compact JSON that no cache keeps', async () => {
    for (const answer of [await publisher().post(HELLO), await publisher().post('{')]) {
      expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
      expect(answer.headers['cache-control']).toBe('no-store');
      expect(answer.body).toBe(JSON.stringify(JSON.parse(answer.body)));
    }
  });

  it.each([
    [undefined, 'publisher'],
    ['alerts', 'alerts'],
  ])('has one session for all requests; with the id %s its authid is %s', async (id, authid) => {
    const world = publisher({ ...(id !== undefined && { id }) });
    const joe = await world.join();
    await Promise.all([world.post(HELLO), world.post(HELLO), world.post(HELLO)]);
    const sessions = (await joe.call('wamp.session.list')) as number[];
    const others = sessions.filter((session) => session !== joe.id);
    expect(others).toHaveLength(1);
    expect(await joe.call('wamp.session.get', others)).toMatchObject({
      authid,
      authrole: 'anonymous',
      authmethod: 'service',
    });
    await world.service.stop?.();
    expect(await joe.call('wamp.session.count')).toBe(1);
  });

  it('joins nothing before somebody asks it, and comes back when its session was killed', async () => {
    const world = publisher();
    await world.service.start?.();
    const joe = await world.join();
    expect(await joe.call('wamp.session.count')).toBe(1);
    await world.post(HELLO);
    await joe.call('wamp.session.kill_by_authid', ['publisher']);
    await expect.poll(async () => (await world.post(HELLO)).status).toBe(200);
  });
});

describe('a request is refused', () => {
  it.each([
    ['of another type', { 'Content-Type': 'text/plain' }, 'the Content-Type must be application/json'],
    ['of a form', { 'Content-Type': 'application/x-www-form-urlencoded' }, 'the Content-Type must be application/json'],
    [
      'of JSON in another character set',
      { 'Content-Type': 'application/json; charset=iso-8859-1' },
      'the charset of the body must be utf-8',
    ],
    [
      'with a parameter that stands twice',
      { 'Content-Type': 'application/json; charset=utf-8; charset=utf-8' },
      'the Content-Type cannot be read, or has a parameter twice',
    ],
  ])('%s', async (_case, headers, text) => {
    const world = publisher();
    const answer = await world.post(HELLO, { headers });
    expect([answer.status, answer.body]).toEqual([400, refusal(text)]);
    expect(world.refusals()).toEqual([text]);
  });

  it.each(['application/json', 'Application/JSON ; Charset="UTF-8"', 'application/json;charset=utf8;x=y'])(
    'not with the type %s',
    async (type) => {
      expect((await publisher().post(HELLO, { headers: { 'Content-Type': type } })).status).toBe(200);
    },
  );

  it('not without a type', async () => {
    const answer = await exchange(publisher().service, { method: 'POST', body: HELLO });
    expect(answer.status).toBe(200);
  });

  it('with a body beyond the limit, and one that is as long as it is not', async () => {
    const world = publisher({ options: { post_body_limit: HELLO.length } });
    expect((await world.post(HELLO)).status).toBe(200);
    const answer = await world.post(`${HELLO} `);
    expect([answer.status, answer.body]).toEqual([
      413,
      refusal(`The request body has more than ${String(HELLO.length)} bytes.`),
    ]);
  });

  it('with a body beyond 16 MiB, although the config has no limit', async () => {
    const answer = await exchange(publisher().service, {
      method: 'POST',
      headers: { 'Content-Length': '16777217', 'Content-Type': 'application/json' },
    });
    expect(answer.status).toBe(413);
  });

  it('with a body that is compressed', async () => {
    expect((await publisher().post(HELLO, { headers: { 'Content-Encoding': 'gzip' } })).status).toBe(415);
  });

  it.each([
    ['no body', '', 'the body is not valid JSON'],
    ['a body of blanks', '  \n', 'the body is not valid JSON'],
    ['a body that is cut', '{"topic"', 'the body is not valid JSON'],
    ['two values', `${HELLO},${HELLO}`, 'the body is not valid JSON'],
    ['what closes more than it opens', `${HELLO}],[1`, 'the body is not valid JSON'],
    ['a list', `[${HELLO}]`, 'the body must be a JSON object'],
    ['a string', '"topic"', 'the body must be a JSON object'],
    ['null', 'null', 'the body must be a JSON object'],
    ['an empty object', '{}', 'the body has no "topic"'],
    ['a procedure', '{"procedure":"com.example.add"}', 'the body has no "topic"'],
    ['bytes that are no UTF-8', Buffer.from('{"topic":"com.\xff"}', 'latin1'), 'the body is not UTF-8'],
    ['a byte order mark', `\uFEFF${HELLO}`, 'the body is not valid JSON'],
  ])('with %s', async (_case, body, text) => {
    const answer = await publisher().post(body);
    expect([answer.status, answer.body]).toEqual([400, refusal(text)]);
  });

  it('when the caller gets no procedure', async () => {
    const answer = await new BridgeWorld('caller').post(HELLO);
    expect([answer.status, answer.body]).toEqual([400, refusal('the body has no "procedure"')]);
  });

  it.each([
    '2026-01-02',
    '2026-01-02T03:04:05',
    '2026-02-30T03:04:05Z',
    '2026-01-02T03:04:05.1234567Z',
    '1767323045',
    '',
  ])('with the time "%s", also where nothing is signed', async (timestamp) => {
    const answer = await publisher().post(HELLO, { query: `?${new URLSearchParams({ timestamp }).toString()}` });
    expect([answer.status, answer.body]).toEqual([
      400,
      refusal('the "timestamp" is no time such as 2026-01-02T03:04:05.678Z'),
    ]);
  });

  it.each([-301, -300, 0, 300, 301])('when its time is %i seconds off by more than the limit', async (offset) => {
    const world = publisher();
    const timestamp = new Date(NOW + offset * 1000).toISOString();
    const answer = await world.post(HELLO, { query: `?timestamp=${timestamp}` });
    expect(answer.status).toBe(Math.abs(offset) > 300 ? 400 : 200);
  });

  it('whatever its time, where the limit is 0', async () => {
    const world = publisher({ options: { timestamp_delta_limit: 0 } });
    expect((await world.post(HELLO, { query: '?timestamp=1999-12-31T23:59:59.999999Z' })).status).toBe(200);
  });

  it.each(['seq', 'nonce'])('with a %s that is no integer', async (name) => {
    for (const text of ['', 'x', '1.5', '0x1', '9'.repeat(41)]) {
      const answer = await publisher().post(HELLO, { query: `?${name}=${text}` });
      expect([answer.status, answer.body]).toEqual([400, refusal(`the "${name}" is no integer`)]);
    }
    for (const text of ['0', '-1', '%2B7', '9007199254740993']) {
      expect((await publisher().post(HELLO, { query: `?${name}=${text}` })).status).toBe(200);
    }
  });

  it.each([
    [['192.168.1.0/24'], '192.168.1.7', 200],
    [['192.168.1.1/255.255.255.0'], '192.168.1.7', 200],
    [['192.168.1.0/24'], '::ffff:192.168.1.7', 200],
    [['192.168.1.0/24'], '192.168.2.7', 403],
    [['10.0.0.1', '2001:db8::1/32'], '2001:db8:ffff::1', 200],
    [['10.0.0.1', '2001:db8::1/32'], '2001:db9::1', 403],
    [['10.0.0.1'], '10.0.0.2', 403],
    [['0.0.0.0/0'], undefined, 403],
  ])('from outside of %j: %s gets %i', async (networks, remoteAddress, status) => {
    const world = publisher({ options: { require_ip: networks } });
    const answer = await world.post(HELLO, { client: { remoteAddress } });
    expect(answer.status).toBe(status);
    if (status === 403) expect(answer.body).toBe(refusal('clients of this address may not ask this service'));
  });

  it('without TLS, where that is demanded', async () => {
    const answer = await publisher({ options: { require_tls: true } }).post(HELLO);
    expect([answer.status, answer.body]).toEqual([403, refusal('this service must be asked by TLS')]);
  });

  it('not with TLS', async () => {
    const { service } = publisher({ options: { require_tls: true } });
    const { request, res, socket } = openExchange({ method: 'POST', body: HELLO });
    Object.assign(socket, { encrypted: true });
    await service.handle(request, res);
    expect(res.statusCode).toBe(200);
  });

  it('for the first reason in order', async () => {
    const world = publisher({
      options: { ...SIGNED, require_ip: ['10.0.0.1'], require_tls: true, post_body_limit: 60 },
    });
    const statuses: number[] = [];
    const bad = { Origin: 'https://evil.example.com', 'Content-Type': 'text/plain' };
    const long = `${HELLO}${' '.repeat(60)}`;
    for (const [body, parts] of [
      [long, { headers: bad, query: '?timestamp=x' }],
      [long, { headers: { 'Content-Type': 'text/plain' }, query: '?timestamp=x' }],
      [long, { query: '?timestamp=x&seq=x' }],
      [HELLO, { query: '?timestamp=x&seq=x' }],
      [HELLO, { query: `?seq=x` }],
      [HELLO, { query: '?seq=1' }],
      [HELLO, { query: signed(HELLO, { signature: 'x' }) }],
      ['{', { query: signed('{') }],
      ['{', { query: signed('{', { seq: '2' }), client: { remoteAddress: '10.0.0.1' } }],
    ] as const) {
      statuses.push((await world.post(body, parts)).status);
    }
    expect(statuses).toEqual([403, 400, 413, 400, 400, 400, 401, 403, 403]);
    expect(world.refusals()).toEqual([
      'pages of the origin "https://evil.example.com" may not ask this service',
      'the Content-Type must be application/json',
      'The request body has more than 60 bytes.',
      'the "timestamp" is no time such as 2026-01-02T03:04:05.678Z',
      'the "seq" is no integer',
      'the request must be signed, and has no "key"',
      'the key is unknown, or the signature does not fit',
      'clients of this address may not ask this service',
      'this service must be asked by TLS',
    ]);
  });

  it('with 503 where the realm is gone, or the role, or the service has stopped', async () => {
    for (const parts of [{ realm: 'realm2' }, { role: 'nobody' }]) {
      const world = publisher(parts);
      const answer = await world.post(HELLO);
      expect([answer.status, answer.body, answer.headers['retry-after']]).toEqual([
        503,
        refusal('the service has no session in its realm at the moment'),
        '5',
      ]);
      expect(world.refusals()).toEqual(['the service has no session in its realm at the moment']);
    }
    const stopped = publisher();
    await stopped.service.stop?.();
    expect((await stopped.post(HELLO)).status).toBe(503);
  });

  it('with 503 when its session ends before it is answered', async () => {
    const world = new BridgeWorld('caller');
    const joe = await world.join();
    const called = new Promise<void>((resolve) => {
      void joe.register('com.example.never', () => {
        resolve();
        return new Promise(() => undefined);
      });
    });
    const answer = world.post({ procedure: 'com.example.never' });
    await called;
    await joe.call('wamp.session.kill_by_authid', ['caller']);
    expect((await answer).status).toBe(503);
  });

  it('with 500 and no word of what is inside, when the node has a bug', async () => {
    const world = publisher();
    Object.assign(world.router, {
      realm: () => {
        throw new Error('a secret of the node');
      },
    });
    const answer = await world.post(HELLO);
    expect([answer.status, JSON.parse(answer.body)]).toEqual([
      500,
      { error: 'wamp.error.runtime_error', args: ['something went wrong in the node'], kwargs: {} },
    ]);
    expect(world.log.warnings().map(({ msg }) => msg)).toEqual(['HTTP bridge failed']);
  });
});

describe('a signed request', () => {
  it('is served: the worked example', async () => {
    const world = publisher({ options: SIGNED });
    const events = await world.events(TOPIC);
    const query =
      '?nonce=123456789&signature=iBQMxZA96Z5VIgH3RAlnhHkiDLp6OxlyJrfnA_Xx9dU%3D&seq=1&timestamp=2026-01-02T03%3A04%3A05.678Z&key=foobar';
    expect(HELLO).toHaveLength(49);
    expect((await world.post(HELLO, { query })).status).toBe(200);
    expect(events).toHaveLength(1);
  });

  it.each([
    ['with plus and slash', (text: string) => text.replaceAll('-', '+').replaceAll('_', '/')],
    ['without its last sign', (text: string) => text.replace('=', '')],
  ])('may have its signature %s', async (_case, change) => {
    const query = new URLSearchParams(signed(HELLO));
    query.set('signature', change(query.get('signature') ?? ''));
    expect((await publisher({ options: SIGNED }).post(HELLO, { query: `?${query.toString()}` })).status).toBe(200);
  });

  it('may be written with the time as Python writes it', async () => {
    for (const timestamp of ['2026-01-02T03:04:05Z', '2026-01-02T03:04:05.678901Z']) {
      const answer = await publisher({ options: SIGNED }).post(HELLO, { query: signed(HELLO, { timestamp }) });
      expect(answer.status).toBe(200);
    }
  });

  it.each(['key', 'timestamp', 'seq', 'nonce', 'signature'])('is refused without its %s', async (name) => {
    const query = new URLSearchParams(signed(HELLO));
    query.delete(name);
    const answer = await publisher({ options: SIGNED }).post(HELLO, { query: `?${query.toString()}` });
    expect([answer.status, answer.body]).toEqual([400, refusal(`the request must be signed, and has no "${name}"`)]);
  });

  it('gets the same answer for a wrong key and a wrong signature', async () => {
    const world = publisher({ options: SIGNED });
    const events = await world.events(TOPIC);
    for (const query of [
      signed(HELLO, { key: 'other' }),
      signed(HELLO, {}, 'other secret'),
      signed(`${HELLO} `),
      signed(HELLO, { signature: 'A'.repeat(43) }),
      signed(HELLO, { signature: '' }),
      signed(HELLO, { signature: '!'.repeat(44) }),
    ]) {
      const answer = await world.post(HELLO, { query });
      expect([answer.status, answer.body]).toEqual([401, refusal('the key is unknown, or the signature does not fit')]);
    }
    expect(events).toEqual([]);
  });

  it('takes the first of what stands twice, and nothing from the body', async () => {
    const world = publisher({ options: SIGNED });
    expect((await world.post(HELLO, { query: `${signed(HELLO)}&seq=2&key=other` })).status).toBe(200);
    const webhook = new BridgeWorld('webhook');
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
    expect((await webhook.post('timestamp=tomorrow&seq=x', { headers })).status).toBe(202);
    expect((await webhook.post('x', { headers, query: '?timestamp=tomorrow' })).status).toBe(400);
  });

  it('is served once, and again under another number', async () => {
    const world = publisher({ options: SIGNED });
    const events = await world.events(TOPIC);
    expect((await world.post(HELLO, { query: signed(HELLO) })).status).toBe(200);
    const again = await world.post(HELLO, { query: signed(HELLO) });
    expect([again.status, again.body]).toEqual([401, refusal('the request has been served before')]);
    // Numbers need not rise: every process of a client begins anew.
    for (const seq of ['5', '2', '3']) {
      expect((await world.post(HELLO, { query: signed(HELLO, { seq }) })).status).toBe(200);
    }
    expect(events).toHaveLength(4);
  });

  it('is served once, also when the same comes fifty times at once', async () => {
    const world = publisher({ options: SIGNED });
    const events = await world.events(TOPIC);
    const answers = await Promise.all(Array.from({ length: 50 }, () => world.post(HELLO, { query: signed(HELLO) })));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array<number>(49).fill(401)]);
    expect(events).toHaveLength(1);
  });

  it('is remembered as long as its time is right', async () => {
    const world = publisher({ options: SIGNED });
    const timestamp = new Date(NOW + 299_000).toISOString();
    const query = signed(HELLO, { timestamp });
    expect((await world.post(HELLO, { query })).status).toBe(200);
    world.now = NOW + 599_000;
    expect((await world.post(HELLO, { query })).status).toBe(401);
    world.now = NOW + 599_001;
    expect((await world.post(HELLO, { query })).status).toBe(400);
  });

  it('of any time is remembered for five minutes', async () => {
    const world = publisher({ options: { ...SIGNED, timestamp_delta_limit: 0 } });
    const query = signed(HELLO, { timestamp: '1999-12-31T23:59:59Z' });
    expect((await world.post(HELLO, { query })).status).toBe(200);
    world.now = NOW + 300_000;
    expect((await world.post(HELLO, { query })).status).toBe(401);
    world.now = NOW + 330_000;
    expect((await world.post(HELLO, { query })).status).toBe(200);
  });

  it('has no secret, key or signature in the log', async () => {
    const world = publisher({ options: SIGNED });
    for (const query of [signed(HELLO), signed(HELLO), signed(HELLO, { key: 'guessed-key' }), '?key=guessed-key']) {
      await world.post(HELLO, { query });
    }
    const text = JSON.stringify(world.log.entries);
    expect(text).toContain('HTTP request refused');
    expect(text).not.toMatch(/guessed-key|foobar|iBQMxZA96Z5V|"secret"/);
  });
});

describe('a page', () => {
  const from = (
    origin: string,
    options: object = {},
  ): Promise<[BridgeWorld, Awaited<ReturnType<BridgeWorld['post']>>]> => {
    const world = publisher({ options: { ...options } });
    const headers = { Origin: origin, Host: 'node.example.com' };
    return world.post(HELLO, { headers }).then((answer) => [world, answer]);
  };

  it('of the same host may ask, and read the answer', async () => {
    const [, { status, headers }] = await from('https://node.example.com');
    expect(status).toBe(200);
    expect(headers).toMatchObject({
      'access-control-allow-origin': 'https://node.example.com',
      'access-control-allow-credentials': 'true',
      vary: 'Origin',
    });
  });

  it.each(['https://evil.example.com', 'null'])(
    'of the origin %s may not, and nothing is published',
    async (origin) => {
      const world = publisher();
      const events = await world.events(TOPIC);
      // What no browser asks about in advance.
      const request = { method: 'POST', headers: { Origin: origin, Host: 'node.example.com' }, body: HELLO };
      const answer = await exchange(world.service, request);
      expect([answer.status, answer.body]).toEqual([
        403,
        refusal(`pages of the origin "${origin}" may not ask this service`),
      ]);
      expect(answer.headers).not.toHaveProperty('access-control-allow-origin');
      await (await world.join()).call('wamp.session.count');
      expect(events).toEqual([]);
    },
  );

  it('of an origin that is allowed may ask', async () => {
    const [, { status, headers }] = await from('https://app.example.com', {
      allowed_origins: ['https://app.example.com'],
    });
    expect([status, headers['access-control-allow-origin']]).toEqual([200, 'https://app.example.com']);
    expect((await from('null', { allow_null_origin: true }))[1].status).toBe(200);
  });

  it('is told before it asks', async () => {
    const { service } = publisher({ options: { allowed_origins: ['https://app.example.com'] } });
    const ask = (Origin: string) =>
      exchange(service, { method: 'OPTIONS', headers: { Origin, 'Access-Control-Request-Headers': 'content-type' } });
    const { status, headers } = await ask('https://app.example.com');
    expect(status).toBe(200);
    expect(headers).toMatchObject({
      'access-control-allow-origin': 'https://app.example.com',
      'access-control-allow-methods': 'POST, PUT',
      'access-control-allow-headers': 'content-type',
      'access-control-max-age': '600',
      vary: 'Origin',
    });
    const refused = await ask('https://evil.example.com');
    expect(refused.headers).not.toHaveProperty('access-control-allow-methods');
  });
});
