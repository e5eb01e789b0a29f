import { describe, expect, it } from 'vitest';

import type { RequestCookie, WebService } from '../../../../src/http/service.js';
import { Router } from '../../../../src/router/router.js';
import type { NodeDetails, NodeInfo } from '../../../../src/transport/transport-type.js';
import { createWebService } from '../../../../src/webservice/registry.js';
import type { NodeInfoConfig } from '../../../../src/webservice/nodeinfo/schema.js';
import { webServiceContract } from '../../../contract/web-service.js';
import { exchange } from '../../../support/exchange.js';
import { FakeClock } from '../../../support/realm.js';
import { serviceDeps } from '../../../support/web.js';

const STARTED = Date.parse('2026-01-02T03:04:05Z');

const DETAILS: NodeDetails = {
  title: 'my <node>',
  pid: 4711,
  directory: '/srv/node',
  node: '20.19.0',
  workers: [{ id: 'worker001', type: 'router' }],
  sessions: 3,
};

const INFO: NodeInfo = {
  id: 'node<1>',
  version: '1.2.3',
  startedMs: STARTED,
  details: () => DETAILS,
};

interface Parts {
  readonly info?: NodeInfo;
  readonly options?: Partial<NodeInfoConfig['options']>;
  /** Seconds since the start. */
  readonly uptime?: number;
}

/** Its realm has the role `admin`, and no others but `user`. */
function nodeInfo({ info = INFO, options = {}, uptime = 93_784 }: Parts = {}): WebService {
  const roles = ['admin', 'user'].map((name) => ({ name, permissions: [] }));
  const router = new Router([{ name: 'realm1', roles }], {
    ...{ randomId: () => 1, clock: Date.now, scheduler: new FakeClock() },
  });
  const clock = (): number => STARTED + uptime * 1000;
  const deps = serviceDeps({ nodeInfo: info, webSocketPaths: ['/ws', '/a/ws'], clock, router });
  return createWebService({ type: 'nodeinfo', options: { roles: [], ...options } }, deps);
}

const ADMIN: RequestCookie = {
  cbtid: 'x'.repeat(24),
  authid: 'joe',
  authrole: 'admin',
  authrealm: 'realm1',
  isHeld: true,
};

/** @returns the service as it is behind a cookie section, which found this cookie. */
function visitedBy(service: WebService, cookie: RequestCookie): WebService {
  return { handle: (request, res) => service.handle({ ...request, cookie }, res) };
}

const JSON_PLEASE = { headers: { accept: 'application/json' } };

async function factsOf(service: WebService): Promise<unknown> {
  return JSON.parse((await exchange(service, JSON_PLEASE)).body) as unknown;
}

const PUBLIC = { product: 'crossbar-ts', version: '1.2.3', uptime: 93_784 };

describe('for everybody', () => {
  it('is a page for people', async () => {
    const { headers, body } = await exchange(nodeInfo(), { headers: { accept: 'text/html,*/*;q=0.8' } });
    expect(headers).toMatchObject({ 'content-type': 'text/html; charset=utf-8', vary: 'Accept' });
    expect(body).toContain('<dd>crossbar-ts 1.2.3</dd>');
    expect(body).toContain('<dd>1 day 2 hours</dd>');
    expect(body).not.toMatch(/4711|srv|node&lt;|worker001|\/ws/);
  });

  it('is a document for programs, and says nothing else', async () => {
    const { headers } = await exchange(nodeInfo(), JSON_PLEASE);
    expect(headers['content-type']).toBe('application/json; charset=utf-8');
    expect(await factsOf(nodeInfo())).toEqual(PUBLIC);
    expect(await factsOf(nodeInfo({ options: { roles: ['admin'] } }))).toEqual(PUBLIC);
  });

  it.each([
    [0, '0 seconds'],
    [1, '1 second'],
    [60, '1 minute 0 seconds'],
    [7325, '2 hours 2 minutes'],
    [86_400 * 400, '400 days 0 hours'],
    [-5, '0 seconds'],
  ])('has run for %d seconds: %s', async (uptime, text) => {
    expect((await exchange(nodeInfo({ uptime }))).body).toContain(`<dd>${text}</dd>`);
  });

  it.each([
    [undefined, 'text/html'],
    ['*/*', 'text/html'],
    ['application/json;q=0.9, text/html', 'text/html'],
    ['text/html;q=0.5, application/json', 'application/json'],
    ['Application/JSON; q=0.2', 'application/json'],
    ['application/json;q=0', 'text/html'],
    ['application/json;q=x', 'text/html'],
    ['text/html, application/json', 'text/html'],
  ])('Accept %j gets %s', async (accept, type) => {
    const { headers } = await exchange(nodeInfo(), { headers: accept === undefined ? {} : { accept } });
    expect(headers['content-type']).toContain(type);
  });

  it('says what it knows when it knows little', async () => {
    const { body } = await exchange(nodeInfo({ info: {} }));
    expect(body).toContain('<dd>crossbar-ts</dd>');
    expect(body).not.toContain('undefined');
    expect(await factsOf(nodeInfo({ info: {} }))).toEqual({ product: 'crossbar-ts' });
  });

  it('has nothing below itself', async () => {
    expect((await exchange(nodeInfo(), { rest: '/favicon.ico' })).status).toBe(404);
  });
});

describe('for a role of the config', () => {
  const service = nodeInfo({ options: { roles: ['admin'] } });

  it('tells more, and no cache keeps it for others', async () => {
    expect(await factsOf(visitedBy(service, ADMIN))).toEqual({
      ...PUBLIC,
      id: 'node<1>',
      started: '2026-01-02T03:04:05.000Z',
      title: 'my <node>',
      pid: 4711,
      directory: '/srv/node',
      node: '20.19.0',
      workers: [{ id: 'worker001', type: 'router' }],
      sessions: 3,
      websocket: ['/ws', '/a/ws'],
    });
    const { headers, body } = await exchange(visitedBy(service, ADMIN));
    expect(headers).toMatchObject({ vary: 'Accept, Cookie', 'cache-control': 'private, no-cache' });
    for (const text of [
      'node&lt;1&gt;',
      'my &lt;node&gt;',
      '<code>worker001 router</code>',
      '<code>/ws</code> <code>/a/ws</code>',
      '>4711<',
    ])
      expect(body).toContain(text);
    expect(body).not.toContain('<node>');
    expect((await exchange(service)).headers).toMatchObject({ vary: 'Accept, Cookie' });
  });

  it('shows that there are none of something', async () => {
    const info = { ...INFO, details: () => ({ ...DETAILS, workers: [] }) };
    const { body } = await exchange(visitedBy(nodeInfo({ info, options: { roles: ['admin'] } }), ADMIN));
    expect(body).toContain('<dt>Workers</dt><dd>none</dd>');
  });

  it.each<[string, Partial<RequestCookie>, Partial<NodeInfoConfig['options']>]>([
    ['a cookie without a login', { authid: undefined, authrole: undefined, authrealm: undefined }, {}],
    ['another role', { authrole: 'user' }, {}],
    ['a role that the realm does not have any more', { authrole: 'gone' }, { roles: ['gone'] }],
    ['a realm that is gone', { authrealm: 'realm2' }, {}],
    ['the role of another realm', {}, { realm: 'realm2' }],
    ['a cookie that was replaced', { isHeld: false }, {}],
    ['no role at all in the config', {}, { roles: [] }],
  ])('tells no more to %s', async (_who, parts, options) => {
    const asked = nodeInfo({ options: { roles: ['admin'], ...options } });
    expect(await factsOf(visitedBy(asked, { ...ADMIN, ...parts }))).toEqual(PUBLIC);
  });

  it('is of the realm that the config names', async () => {
    const asked = nodeInfo({ options: { roles: ['user', 'admin'], realm: 'realm1' } });
    expect(await factsOf(visitedBy(asked, ADMIN))).toMatchObject({ pid: 4711 });
  });
});

webServiceContract('nodeinfo', { create: () => nodeInfo(), validators: true, upgrades: false });
