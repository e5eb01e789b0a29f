/** Events that become HTTP requests: in order, one at a time, and what becomes of those that a server does not take. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { CallError, Result } from '../../../../src/client/api.js';
import type { ComponentHooks } from '../../../../src/client/api.js';
import { FORWARDER_LIMITS } from '../../../../src/component/rest/forwarder.js';
import type { ForwarderLimits } from '../../../../src/component/rest/forwarder.js';
import { subscriberWith } from '../../../../src/component/rest/subscriber.js';
import { createLogger } from '../../../../src/log/logger.js';
import { componentWorld } from '../../../support/component.js';
import { mailbox } from '../../../support/mailbox.js';
import { RestServer } from '../../../support/rest-server.js';

let server: RestServer;
beforeEach(async () => void (server = await RestServer.start()));
afterEach(() => server.stop());

type Line = Readonly<Record<string, unknown>>;

const LIMITS: ForwarderLimits = { ...FORWARDER_LIMITS, againMs: [1, 2] };

interface Parts {
  readonly limits?: Partial<ForwarderLimits>;
  readonly extra?: object;
  readonly subscriptions?: readonly object[];
}

async function world({ limits, extra, subscriptions }: Parts = {}) {
  const { join } = componentWorld();
  const lines: Line[] = [];
  const told = mailbox<Line>();
  const write = (text: string): void => {
    const line = JSON.parse(text) as Line;
    lines.push(line);
    if (line['level'] !== 'debug') told.put(line);
  };
  const log = createLogger({ level: 'debug', destination: { write } });
  const { session } = await join();
  const wanted = subscriptions ?? [
    { topic: 'com.example.order.', match: 'prefix', url: `${server.origin}/hook?key=s3cret` },
  ];
  const config = { method: 'POST', subscriptions: wanted.map((each) => ({ match: 'exact', ...each })), ...extra };
  const context = { id: 'forwarder', extra: config, cbdir: '/', log, CallError, Result };
  const hooks = (await subscriberWith({ ...LIMITS, ...limits })(session, context)) as ComponentHooks;
  const publisher = (await join()).session;
  const publish = (
    name: string | number,
    args: readonly unknown[] = [],
    kwargs: Readonly<Record<string, unknown>> = {},
  ) => publisher.publish(`com.example.order.${name}`, args, kwargs, { acknowledge: true });
  return { publish, publisher, hooks, lines, told };
}

const urlsOf = async (count: number): Promise<string[]> => {
  const topics: string[] = [];
  for (let n = 0; n < count; n++) topics.push(String((await server.requests.take()).headers['x-wamp-topic']));
  return topics;
};

describe('an event', () => {
  it('is posted with its arguments, its topic and its publication', async () => {
    const { publish } = await world();
    const { id } = await publish('paid', [1, 'ä', new Uint8Array([1, 2]), 2n ** 60n], { total: 7, more: [null] });
    const { method, url, headers, body } = await server.requests.take();
    expect([method, url]).toEqual(['POST', '/hook?key=s3cret']);
    expect(body).toBe('{"args":[1,"ä","\\u0000AQI=",1152921504606846976],"kwargs":{"total":7,"more":[null]}}');
    expect(headers).toMatchObject({
      'content-type': 'application/json',
      'x-wamp-topic': 'com.example.order.paid',
      'x-wamp-publication': String(id),
    });
  });

  it('has the keys of its arguments also when it has none', async () => {
    const { publish } = await world({ extra: { method: 'PUT' } });
    await publish('x');
    expect(await server.requests.take()).toMatchObject({ method: 'PUT', body: '{"args":[],"kwargs":{}}' });
  });

  it('has a topic that a header can have', async () => {
    const { publish } = await world();
    await publish('schön.50%');
    const topic = String((await server.requests.take()).headers['x-wamp-topic']);
    expect(topic).toBe('com.example.order.sch%C3%B6n.50%25');
    expect(decodeURIComponent(topic)).toBe('com.example.order.schön.50%');
  });

  it('goes to each address that wants it', async () => {
    const subscriptions = ['/a', '/b'].map((path) => ({ topic: 'com.example.order.x', url: server.origin + path }));
    const { publish } = await world({ subscriptions });
    await publish('x');
    await publish('other');
    const urls = [await server.requests.take(), await server.requests.take()].map(({ url }) => url);
    expect(urls.sort()).toEqual(['/a', '/b']);
  });
});

describe('the events of an address', () => {
  it('arrive in order, one at a time, also from several subscriptions', async () => {
    const subscriptions = ['com.example.order.0', 'com.example.order.1'].map((topic) => ({
      topic,
      url: `${server.origin}/hook`,
    }));
    const { publish } = await world({ subscriptions });
    await Promise.all(Array.from({ length: 60 }, (_, n) => publish(n % 2, [n])));
    const numbers: number[] = [];
    for (let n = 0; n < 60; n++) {
      const { args } = JSON.parse((await server.requests.take()).body) as { args: [number] };
      numbers.push(args[0]);
    }
    expect(numbers).toEqual(Array.from({ length: 60 }, (_, n) => n));
    expect(server.mostOpen).toBe(1);
  });

  it('lose the oldest ones that wait where there are too many, which is one line', async () => {
    let release = (): void => undefined;
    server.answers.push((res) => (release = () => void res.end()));
    const { publish, told, lines, hooks } = await world({ limits: { maxEvents: 3 } });
    await publish('first');
    await server.requests.take();
    for (let n = 0; n < 8; n++) await publish(n);
    expect(await told.take()).toMatchObject({
      ...{ level: 'warn', dropped: 1, server: server.origin },
      msg: 'events for an HTTP server dropped: it is slower than they come',
    });
    release();
    expect(await urlsOf(3)).toEqual([5, 6, 7].map((n) => `com.example.order.${n}`));
    await hooks.stop?.();
    expect(lines.filter(({ dropped }) => dropped !== undefined).at(-1)).toMatchObject({ dropped: 5, omitted: 3 });
    expect(JSON.stringify(lines)).not.toContain('s3cret');
  });

  it('are bounded by their bytes, too', async () => {
    let release = (): void => undefined;
    server.answers.push((res) => (release = () => void res.end()));
    const { publish } = await world({ limits: { maxBytes: 1000 } });
    await publish('first');
    await server.requests.take();
    for (const name of ['a', 'b', 'c', 'd']) await publish(name, ['x'.repeat(400)]);
    release();
    expect(await urlsOf(2)).toEqual(['com.example.order.c', 'com.example.order.d']);
    await publish('large', ['x'.repeat(5000)]);
    expect(await urlsOf(1)).toEqual(['com.example.order.large']);
  });
});

describe('a server that fails', () => {
  it('is asked three times at most, and the next event is not lost', async () => {
    for (let n = 0; n < 3; n++) server.answers.push((res) => res.writeHead(503).end());
    const { publish, told } = await world();
    await publish('lost', ['the password']);
    await publish('next');
    const topics = await urlsOf(4);
    expect(topics).toEqual([...Array<string>(3).fill('com.example.order.lost'), 'com.example.order.next']);
    const line = await told.take();
    expect(line).toMatchObject({
      ...{ level: 'error', msg: 'event not forwarded to an HTTP server', topic: 'com.example.order.lost' },
      ...{ reason: 'The server answered with the status 503.', server: server.origin },
    });
    expect(JSON.stringify(line)).not.toMatch(/password|s3cret/);
  });

  it('is asked again when the connection is lost, or it does not answer', async () => {
    server.answers.push(
      (res) => res.socket?.resetAndDestroy(),
      () => undefined,
    );
    const { publish, lines } = await world({ limits: { timeoutMs: 60 } });
    await publish('kept');
    expect(await urlsOf(3)).toEqual(Array(3).fill('com.example.order.kept'));
    await publish('next');
    await server.requests.take();
    expect(lines.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it.each([
    [undefined, 404],
    [undefined, 302],
    [200, 204],
    [404, 200],
  ])('with another status than expected, it is not asked again: %s, %d', async (expectedcode, status) => {
    server.answers.push((res) => res.writeHead(status, { Location: '/other' }).end());
    const { publish, told } = await world({ extra: { expectedcode } });
    await publish('x');
    expect(await told.take()).toMatchObject({ reason: `The server answered with the status ${status}.` });
    server.answers.push((res) => res.writeHead(expectedcode ?? 201).end());
    await publish('y');
    expect(await urlsOf(2)).toEqual(['com.example.order.x', 'com.example.order.y']);
  });

  it('may be expected to fail', async () => {
    server.answers.push((res) => res.writeHead(500).end());
    const { publish, lines } = await world({ extra: { expectedcode: 500 } });
    await publish('x');
    await publish('y');
    expect(await urlsOf(2)).toEqual(['com.example.order.x', 'com.example.order.y']);
    expect(lines.filter(({ level }) => level === 'error')).toEqual([]);
  });
});

describe('the end', () => {
  it('gives up what is under way and says how many events are lost', async () => {
    server.answers.push(() => undefined);
    const { publish, hooks, told } = await world();
    await publish('a');
    await server.requests.take();
    await publish('b');
    await hooks.stop?.();
    expect(await server.cut.take()).toBe('/hook?key=s3cret');
    expect(await told.take()).toMatchObject({ level: 'warn', events: 2 });
    await hooks.stop?.();
    await publish('c');
  });

  it('does not wait for the next try', async () => {
    server.answers.push((res) => res.writeHead(503).end());
    const { publish, hooks, told, lines } = await world({ limits: { againMs: [3_600_000] } });
    await publish('a');
    await server.requests.take();
    while (!lines.some(({ msg }) => msg === 'event will be forwarded again')) await new Promise(setImmediate);
    await hooks.stop?.();
    expect(await told.take()).toMatchObject({ events: 1 });
  });
});
