/** A procedure whose calls are HTTP requests: what a caller gets for every kind of answer, and for none. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { CallError, Result } from '../../../../src/client/api.js';
import type { ComponentHooks, ComponentSession, PendingCall } from '../../../../src/client/api.js';
import { calleeWith } from '../../../../src/component/rest/callee.js';
import type { CalleeLimits } from '../../../../src/component/rest/callee.js';
import { REQUEST_LIMITS } from '../../../../src/component/rest/request.js';
import { createLogger } from '../../../../src/log/logger.js';
import { componentWorld } from '../../../support/component.js';
import { RestServer } from '../../../support/rest-server.js';

let server: RestServer;
beforeEach(async () => void (server = await RestServer.start()));
afterEach(() => server.stop());

const LIMITS: CalleeLimits = { ...REQUEST_LIMITS, maxRequests: 100 };

async function world(limits: Partial<CalleeLimits> = {}) {
  const { join } = componentWorld();
  const lines: Record<string, unknown>[] = [];
  const write = (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>);
  const log = createLogger({ level: 'debug', destination: { write } });
  const { session } = await join();
  const extra = { baseurl: `${server.origin}/`, procedure: 'com.example.http', allow_absolute: false };
  const context = { id: 'http', extra, cbdir: '/', log, CallError, Result };
  const hooks = (await calleeWith({ ...LIMITS, ...limits })(session, context)) as ComponentHooks;
  const caller: ComponentSession = (await join()).session;
  const call = (url: string, kwargs: object = {}): PendingCall =>
    caller.call('com.example.http', [], { method: 'GET', url, ...kwargs });
  return { call, caller, session, hooks, lines };
}

/** @returns the error of a call, as `uri: text`. */
async function errorOf(call: Promise<unknown>): Promise<string> {
  const error: unknown = await call.then(
    () => new Error('it has a result'),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof CallError)) throw error;
  return [error.error, ...error.args].join(': ');
}

interface Answer {
  readonly code: number;
  readonly content: string;
  readonly headers: Readonly<Record<string, readonly string[]>>;
}

describe('the answer of a server', () => {
  it('comes with its code, its text and its headers', async () => {
    const { call } = await world();
    const headers = { 'X-List': ['a', 'b'], 'X-Word': 'c', 'Content-Type': 'application/x-thing' };
    const kwargs = { method: 'POST', body: '{"ä":1}', headers, params: { q: '1' } };
    const answer = (await call('echo', kwargs)) as Answer;
    expect(answer.code).toBe(200);
    expect(JSON.parse(answer.content)).toMatchObject({
      ...{ method: 'POST', url: '/echo?q=1', body: '{"ä":1}' },
      headers: { 'x-list': 'a, b', 'x-word': 'c', 'content-type': 'application/x-thing', 'content-length': '8' },
    });
    expect(answer.headers).toMatchObject({
      ...{ 'Content-Type': ['application/json'], 'Set-Cookie': ['a=1', 'b=2'] },
      ...{ 'X-Frame-Options': ['DENY'], ETag: ['"1"'] },
    });
  });

  it.each([
    ['missing', {}, 404, 'not here'],
    ['nothing', { method: 'DELETE' }, 204, ''],
    ['echo', { method: 'HEAD' }, 200, ''],
    ['packed', {}, 200, 'unpacked'],
    ['latin1', {}, 200, 'ä'],
  ])('is a result, whatever it is: %s %j', async (url, kwargs, code, content) => {
    const { call } = await world();
    expect(await call(url, kwargs)).toMatchObject({ code, content });
  });

  it('says nothing of how it was packed', async () => {
    const { call } = await world();
    const { headers } = (await call('packed')) as Answer;
    expect(headers).not.toHaveProperty('Content-Encoding');
    expect(headers).not.toHaveProperty('Content-Length');
  });

  it('has no Content-Type and no body that nobody asked for', async () => {
    const { call } = await world();
    await call('echo', { method: 'POST', body: 'x' });
    expect((await server.requests.take()).headers).not.toHaveProperty('content-type');
    await call('echo');
    expect((await server.requests.take()).headers).not.toHaveProperty('content-length');
  });

  it('may have exactly as many bytes as are allowed, and no more', async () => {
    const { call } = await world();
    expect(((await call('exact')) as Answer).content).toHaveLength(1_048_576);
    const tooLarge = 'wamp.error.runtime_error: The answer of the server has more than 1048576 bytes.';
    expect(await errorOf(call('huge'))).toBe(tooLarge);
    // The server is told: it does not send for ever.
    expect(await server.cut.take()).toBe('/huge');
    expect(await errorOf(call('bomb'))).toBe(tooLarge);
  });

  it.each([
    ['reset', 'The request failed: UND_ERR_SOCKET.'],
    ['half', 'The request failed: UND_ERR_SOCKET.'],
    ['no-utf8', 'The answer of the server is no text of the charset "utf-8".'],
    ['klingon', 'The answer of the server is no text of the charset "klingon".'],
    ['loop', 'The server redirects more than 20 times.'],
    ['http://localhost:1/', 'The "url" leads to another server.'],
  ])('is an error with a sentence: %s', async (url, text) => {
    const { call } = await world();
    const error = await errorOf(call(url));
    expect(error.replace(/ECONNRESET|EPIPE/, 'UND_ERR_SOCKET')).toBe(`wamp.error.runtime_error: ${text}`);
  });

  it('is an error with a sentence where nobody listens', async () => {
    const { call } = await world();
    await server.stop();
    expect(await errorOf(call('echo'))).toBe('wamp.error.runtime_error: The request failed: ECONNREFUSED.');
    server = await RestServer.start();
  });

  it.each(['silent', 'slow-body'])('is not waited for without end: %s', async (url) => {
    const { call, lines } = await world({ timeoutMs: 60 });
    const text = 'wamp.error.runtime_error: The server did not answer within 60 ms.';
    expect(await errorOf(call(url))).toBe(text);
    expect(await server.cut.take()).toBe(`/${url}`);
    expect(lines.map(({ msg }) => msg)).toContain('request to an HTTP server failed');
  });
});

describe('a redirect', () => {
  it.each([
    ['moved', 'GET', '/echo?moved=1', 'GET'],
    ['moved', 'HEAD', '/echo?moved=1', 'HEAD'],
    ['see-other', 'POST', '/echo?seen=1', 'GET'],
  ])('of the same server is followed: %s with %s', async (url, method, then, as) => {
    const { call } = await world();
    const body = method === 'POST' ? 'x' : '';
    expect(await call(url, { method, body, headers: { 'X-A': 'b' } })).toMatchObject({ code: 200 });
    await server.requests.take();
    expect(await server.requests.take()).toMatchObject({ method: as, url: then, body: '', headers: { 'x-a': 'b' } });
  });

  it.each([
    ['moved', 'POST'],
    ['away', 'GET'],
  ])('that is not followed is the answer: %s with %s', async (url, method) => {
    const { call } = await world();
    const answer = (await call(url, { method })) as Answer;
    expect(answer).toMatchObject({ code: 302, headers: { Location: [expect.any(String)] } });
  });
});

describe('a request that is under way', () => {
  it('is given up when its caller does not want it any more', async () => {
    const { call } = await world();
    const pending = call('silent');
    await server.requests.take();
    pending.cancel({ mode: 'kill' });
    expect(await errorOf(pending)).toBe('wamp.error.canceled: the call was canceled');
    expect(await server.cut.take()).toBe('/silent');
  });

  it('is given up when its caller leaves', async () => {
    const { call, caller } = await world();
    call('silent').catch(() => undefined);
    await server.requests.take();
    caller.leave();
    expect(await server.cut.take()).toBe('/silent');
  });

  it('is given up when the session of the component ends', async () => {
    const { call, session, hooks } = await world();
    const pending = errorOf(call('slow-body'));
    await server.requests.take();
    session.leave();
    expect(await pending).toMatch(/^wamp\.error\.canceled/);
    expect(await server.cut.take()).toBe('/slow-body');
    hooks.stop?.();
  });

  it('is one of a bounded number', async () => {
    const { call, lines } = await world({ maxRequests: 3 });
    const pending = ['a', 'b', 'c'].map((query) => call(`silent?${query}`));
    const ended = Promise.all(pending.map((each) => errorOf(each)));
    for (let count = 0; count < 3; count++) await server.requests.take();
    const refused = 'wamp.error.no_available_callee: 3 requests are under way already';
    expect([await errorOf(call('echo')), await errorOf(call('echo'))]).toEqual([refused, refused]);
    const told = lines.filter(({ msg }) => String(msg).startsWith('call of an HTTP server refused'));
    expect(told).toHaveLength(1);
    for (const each of pending) each.cancel({ mode: 'kill' });
    await ended;
    expect(await call('echo')).toMatchObject({ code: 200 });
  });
});

it('serves many calls at once, each with its own answer', async () => {
  const { call } = await world();
  const answers = await Promise.all(Array.from({ length: 90 }, (_, n) => call(`echo?${n}`)));
  const urls = answers.map((answer) => (JSON.parse((answer as Answer).content) as { url: string }).url);
  expect(urls).toEqual(Array.from({ length: 90 }, (_, n) => `/echo?${n}`));
});
