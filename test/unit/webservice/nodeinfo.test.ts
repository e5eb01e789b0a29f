import { expect, it } from 'vitest';

import { createWebService } from '../../../src/webservice/registry.js';
import type { WebServiceDeps } from '../../../src/webservice/service.js';
import { webServiceContract } from '../../contract/web-service.js';
import { exchange } from '../../support/exchange.js';
import { serviceDeps } from '../../support/web.js';

const nodeInfo = (parts: Partial<WebServiceDeps> = {}) => createWebService({ type: 'nodeinfo' }, serviceDeps(parts));

const KNOWN = { nodeInfo: { id: 'node<1>', version: '1.2.3' }, webSocketPaths: ['/ws', '/a/ws'] };

it('is a page for people', async () => {
  const { headers, body } = await exchange(nodeInfo(KNOWN), { headers: { accept: 'text/html,*/*;q=0.8' } });
  expect(headers).toMatchObject({ 'content-type': 'text/html; charset=utf-8', vary: 'Accept' });
  expect(body).toContain('crossbar-ts 1.2.3');
  expect(body).toContain('node&lt;1&gt;');
  expect(body).toContain('<code>/ws</code> <code>/a/ws</code>');
});

it('is a document for programs, and says nothing else', async () => {
  const { headers, body } = await exchange(nodeInfo(KNOWN), { headers: { accept: 'application/json' } });
  expect(headers['content-type']).toBe('application/json; charset=utf-8');
  expect(JSON.parse(body)).toEqual({
    product: 'crossbar-ts',
    id: 'node<1>',
    version: '1.2.3',
    websocket: ['/ws', '/a/ws'],
  });
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
  const { body } = await exchange(nodeInfo());
  expect(body).toContain('<dd>crossbar-ts</dd>');
  expect(body).toContain('<dd>none</dd>');
  expect(body).not.toContain('undefined');
});

it('has nothing below itself', async () => {
  expect((await exchange(nodeInfo(), { rest: '/favicon.ico' })).status).toBe(404);
});

webServiceContract('nodeinfo', { create: () => nodeInfo(KNOWN), validators: true, upgrades: false });
