/** Nodes with web transports that change, and clients in the middle of a call. */
import { expect } from 'vitest';
import { openRealm } from './node-config.js';
import { endpointAt } from './reloading.js';
import { WampClient } from './wamp-client.js';

export const WEBSOCKET = { type: 'websocket' };
export const page = (value: string): object => ({ type: 'json', value });

export const configOf = (transports: readonly object[], options: object = {}): object => ({
  version: 2,
  controller: { options },
  workers: [{ type: 'router', realms: [openRealm('realm1')], transports }],
});

export const webAt = (port: number, paths: object, endpoint: object = {}): object => ({
  type: 'web',
  id: 'web_one',
  endpoint: { ...endpointAt(port), ...endpoint },
  paths,
});

export const joinAt = (port: number, at = '/ws') => WampClient.join(`ws://127.0.0.1:${port}${at}`);

/** @returns the value of a page, or the status of what is no page. */
export async function getFrom(port: number, at: string): Promise<unknown> {
  const answer = await fetch(`http://127.0.0.1:${port}${at}`);
  return answer.status === 200 ? answer.json() : answer.status;
}

/** What every session may do: it subscribes. */
export async function expectServed(client: Pick<WampClient, 'ask'>, requestId: number): Promise<void> {
  expect(await client.ask([32, requestId, {}, 'com.example.news'])).toMatchObject([33, requestId, expect.any(Number)]);
}

/** A callee, a caller whose call it has got, and one that does nothing. */
export async function busyClients(port: number, at: string) {
  const [callee, caller, idle] = [await joinAt(port, at), await joinAt(port, at), await joinAt(port, at)];
  await callee.ask([64, 1, {}, 'com.example.slow']);
  caller.send([48, 1, {}, 'com.example.slow']);
  const [, invocation] = await callee.next();
  return { callee, caller, idle, answer: () => callee.send([70, invocation, {}, ['done']]) };
}

/** How connections end that are drained. */
export const CLOSED = { code: 1001, reason: expect.any(String) as string };

/** What the log says when a part of the node goes. */
export const DRAINED = 'closing connections of what the config has no longer';
