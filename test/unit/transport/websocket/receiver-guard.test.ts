import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { Duplex } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, it, vi } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { deflated, frame, WRONG_FRAMES } from '../../../support/compressed-frames.js';
import { guardReceiver, inflateNoMore, limitFrames } from '../../../../src/transport/websocket/receiver-guard.js';

/** A server's end of a compressed connection, and what it reads from. */
async function connection(): Promise<{ ws: WebSocket; socket: Duplex }> {
  const socket = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() });
  Object.assign(socket, { setTimeout: () => socket, setNoDelay: () => socket });
  const headers = {
    ...{ upgrade: 'websocket', 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==', 'sec-websocket-version': '13' },
    'sec-websocket-extensions': 'permessage-deflate',
  };
  const server = new WebSocketServer({ noServer: true, perMessageDeflate: true });
  const ws = await new Promise<WebSocket>((resolve) => {
    const request = { method: 'GET', headers } as unknown as IncomingMessage;
    server.handleUpgrade(request, socket, Buffer.alloc(0), resolve);
  });
  return { ws, socket };
}

it.each(WRONG_FRAMES)(
  'reads nothing behind %s, though it waited with it while a message was inflated',
  async (_what, wrong) => {
    const { ws, socket } = await connection();
    guardReceiver(ws);
    const failed = once(ws, 'error');
    for (const chunk of [
      frame(0x01 | 0x40, deflated('one')),
      wrong,
      frame(0, deflated('two')),
      frame(0, deflated('three')),
    ]) {
      socket.push(chunk);
    }
    await failed;
    ws.terminate();
    await once(ws, 'close');
    // What was being inflated has an end in a thread, and threw there.
    await turn();
    expect(ws.readyState).toBe(WebSocket.CLOSED);
  },
);

it('inflates nothing more of what it has read when it is told so', async () => {
  const { ws, socket } = await connection();
  guardReceiver(ws);
  const messages: string[] = [];
  const second = new Promise<void>((resolve) => {
    ws.on('message', (data: Buffer) => {
      messages.push(data.toString());
      if (messages.length === 2) resolve();
    });
  });
  ws.on('error', () => undefined);
  const closed = new Promise((resolve) => ws.on('close', resolve));
  socket.push(
    Buffer.concat(Array.from({ length: 1000 }, (_, at) => frame(0xc1, deflated(`message ${at}`).subarray(0, -4)))),
  );
  await second;
  socket.destroy();
  inflateNoMore(ws);
  await closed;
  expect(messages.length).toBeLessThan(4);
});

it('limits the frames of messages, and no others', async () => {
  const { ws, socket } = await connection();
  const messages: string[] = [];
  ws.on('message', (data: Buffer) => messages.push(data.toString()));
  const exceeded = vi.fn();
  limitFrames(ws, 4, exceeded);
  const failed = once(ws, 'error');
  socket.push(frame(0x81, Buffer.from('four')));
  socket.push(frame(0x89, Buffer.from('a long ping')));
  socket.push(frame(0x01, Buffer.from('more')));
  socket.push(frame(0x80, Buffer.from(' yet')));
  await turn();
  expect([messages, exceeded.mock.calls.length]).toEqual([['four', 'more yet'], 0]);
  socket.push(frame(0x81, Buffer.from('fiver')));
  await failed;
  expect(exceeded).toHaveBeenCalledOnce();
  ws.terminate();
});
