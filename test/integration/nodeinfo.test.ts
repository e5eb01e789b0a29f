/** The web service `nodeinfo` in the daemon: what strangers learn of the node, and what a browser learns that is logged in. */
import { expect, it } from 'vitest';
import { startDaemon } from '../support/daemon.js';
import { ALLOW_ALL, nodeConfig } from '../support/node-config.js';
import { cookieValue } from '../support/wamp-client.js';

const CONFIG = nodeConfig({
  realms: [
    {
      name: 'realm1',
      roles: ['anonymous', 'operator', 'member'].map((name) => ({ name, permissions: ALLOW_ALL })),
    },
  ],
  transport: { cookie: { store: { type: 'memory' } } },
  websocket: { auth: { cookie: {}, anonymous: { type: 'static' } } },
  paths: {
    api: { type: 'path', paths: { ws: { type: 'websocket' } } },
    about: { type: 'nodeinfo', options: { realm: 'realm1', roles: ['operator'] } },
    login: {
      type: 'login',
      realm: 'realm1',
      auth: {
        ticket: {
          type: 'static',
          principals: {
            joe: { ticket: 'ticket of joe', role: 'operator' },
            mary: { ticket: 'ticket of mary', role: 'member' },
          },
        },
      },
    },
  },
});

it('tells strangers the version and how long it runs, and operators where and what it is', async () => {
  const daemon = await startDaemon({ config: CONFIG });
  const told = async (cookie?: string): Promise<Record<string, unknown>> => {
    const headers = { accept: 'application/json', ...(cookie !== undefined && { cookie: `cbtid=${cookie}` }) };
    return (await (await fetch(daemon.url('/about'), { headers })).json()) as Record<string, unknown>;
  };
  const logIn = async (authid: string): Promise<string> => {
    const body = JSON.stringify({ authid, ticket: `ticket of ${authid}` });
    const headers = { 'Content-Type': 'application/json' };
    const response = await fetch(daemon.url('/login'), { method: 'POST', headers, body });
    expect(response.status).toBe(200);
    return cookieValue(response.headers.getSetCookie()[0] ?? '');
  };
  const operator = await logIn('joe');

  expect(Object.keys(await told())).toEqual(['product', 'version', 'uptime']);
  expect(Object.keys(await told(await logIn('mary')))).toEqual(['product', 'version', 'uptime']);
  expect(await told(operator)).toMatchObject({
    pid: daemon.pid,
    directory: daemon.cbdir,
    workers: [{ id: 'worker001', type: 'router' }],
    websocket: ['/ws', '/api/ws'],
    node: process.versions.node,
    sessions: 0,
  });

  const headers = { 'Content-Type': 'application/json', cookie: `cbtid=${operator}` };
  const logout = await fetch(daemon.url('/login/logout'), { method: 'POST', headers, body: '{}' });
  expect(logout.status).toBe(200);
  expect(await told(operator)).not.toHaveProperty('pid');
  await daemon.dispose();
});
