import { expect, it } from 'vitest';

import { createWebService } from '../../../src/webservice/registry.js';
import { webServiceContract } from '../../contract/web-service.js';
import { CatchingSocket, openExchange, parseResponse } from '../../support/exchange.js';
import { serviceDeps, webSocketConfig } from '../../support/web.js';

const webSocket = () => createWebService(webSocketConfig(), serviceDeps());

it('refuses connections until it is started', () => {
  const socket = new CatchingSocket();
  webSocket().upgrade?.(openExchange().request, socket, Buffer.alloc(0));
  expect(parseResponse(socket.sent).status).toBe(503);
});

webServiceContract('websocket', { create: webSocket, validators: false, upgrades: true });
