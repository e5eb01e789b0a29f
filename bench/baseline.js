#!/usr/bin/env node
/**
 * The bare `ws` servers that a router is compared with: what the WebSocket library itself costs, and nothing else.
 *
 *     node bench/baseline.js echo        hands every text back to its sender
 *     node bench/baseline.js broadcast   sends every text to all others
 *     node bench/baseline.js accept      answers the first text with a WELCOME
 *
 * Each listens on a free port of 127.0.0.1 and runs until SIGTERM.
 */
import { WebSocketServer } from 'ws';

const WELCOME = JSON.stringify([
  2,
  4_503_599_627_370_495,
  {
    realm: 'realm1',
    authid: 'AAAA-BBBB-CCCC-DDDD-EEEE-FFFF',
    authrole: 'anonymous',
    authmethod: 'anonymous',
    authprovider: 'static',
    roles: {
      broker: { features: { pattern_based_subscription: true } },
      dealer: { features: { shared_registration: true } },
    },
  },
]);

/** @typedef {import('ws').WebSocket} WebSocket */

/** @type {Record<string, (socket: WebSocket, server: WebSocketServer) => void>} */
const BEHAVIOURS = {
  echo: (socket) => socket.on('message', (data) => socket.send(data, { binary: false })),
  broadcast: (socket, { clients }) =>
    socket.on('message', (data) => {
      for (const other of clients) if (other !== socket) other.send(data, { binary: false });
    }),
  accept: (socket) => socket.once('message', () => socket.send(WELCOME)),
};

const behave = BEHAVIOURS[process.argv[2] ?? ''];
if (behave === undefined) {
  process.stderr.write(`usage: baseline.js ${Object.keys(BEHAVIOURS).join('|')}\n`);
  process.exit(2);
}
const server = new WebSocketServer({ host: '127.0.0.1', port: 0, backlog: 511, perMessageDeflate: false });
server.on('connection', (socket) => {
  // A dropped connection is no news here; without a listener it would end the process.
  socket.on('error', () => socket.terminate());
  behave(socket, server);
});
process.once('SIGTERM', () => process.exit(0));
