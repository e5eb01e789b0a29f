/** Octets that are taken before their message is complete: the gate and the receiver of `ws` together. */
import { createRequire } from 'node:module';
import type { WebSocket } from 'ws';
import { expect, it } from 'vitest';
import { FrameGate } from '../../../../src/transport/websocket/frame-gate.js';
import { passFragments } from '../../../../src/transport/websocket/receiver-guard.js';

interface Receiver {
  write(chunk: Buffer): void;
  on(event: string, listener: (data: Buffer) => void): this;
}
const require = createRequire(import.meta.url);
const ReceiverOfWs = require('ws').Receiver as new (options: object) => Receiver;

const PIECE = 1000;
/** Messages may be longer: the limit is that of a piece. */
const MAX_PAYLOAD = 2 * PIECE;

const [FINAL, BINARY, TEXT, PING] = [0x80, 2, 1, 9];

/** A frame whose mask changes nothing. */
function frame(first: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(payload.length < 126 ? 6 : 8);
  head.writeUInt8(first);
  head.writeUInt8(0x80 | (payload.length < 126 ? payload.length : 126), 1);
  if (payload.length >= 126) head.writeUInt16BE(payload.length, 2);
  return Buffer.concat([head, payload]);
}

function world() {
  const got: Buffer[] = [];
  const told: string[] = [];
  const receiver = new ReceiverOfWs({ isServer: true, maxPayload: MAX_PAYLOAD, maxFragments: 3 });
  passFragments({ _receiver: receiver } as unknown as WebSocket, (data, binary) => {
    if (!binary) told.push('text');
    got.push(Buffer.from(data));
  });
  receiver.on('message', (data) => got.push(Buffer.from(data)));
  receiver.on('ping', (data) => told.push(`ping ${String(data)}`)).on('error', (error) => told.push(String(error)));
  const gate = new FrameGate(
    Infinity,
    0,
    { feed: (chunk) => receiver.write(Buffer.from(chunk)), mayBeLarge: () => true, holds: () => undefined },
    PIECE,
  );
  return { gate, told, all: () => Buffer.concat(got), lengths: () => got.map(({ length }) => length) };
}

const octets = (length: number): Buffer => Buffer.from(Array.from({ length }, (_, n) => n % 251));

it('of a long frame come in pieces', () => {
  const { gate, told, all, lengths } = world();
  const payload = octets(10_500);
  const bytes = frame(FINAL | BINARY, payload);
  gate.push(bytes.subarray(0, 5000));
  expect(all()).toEqual(payload.subarray(0, 4000));
  gate.push(bytes.subarray(5000));
  expect(all()).toEqual(payload);
  expect(Math.max(...lengths())).toBe(PIECE);
  expect(told).toEqual([]);
});

it('of many fragments come one by one, with control frames in between', () => {
  const { gate, told, all } = world();
  const payload = octets(20 * 700);
  for (let n = 0; n < 20; n++) {
    const first = (n === 0 ? BINARY : 0) | (n === 19 ? FINAL : 0);
    gate.push(frame(first, payload.subarray(n * 700, (n + 1) * 700)));
    expect(all().length).toBe((n + 1) * 700);
    if (n < 19) gate.push(frame(FINAL | PING, Buffer.from(String(n))));
  }
  gate.push(frame(FINAL | BINARY, Buffer.from('next')));
  expect(all()).toEqual(Buffer.concat([payload, Buffer.from('next')]));
  expect(told).toEqual(Array.from({ length: 19 }, (_, n) => `ping ${n}`));
});

it.each([1, 2, 3, 7, 999, 1001])('are the same when the network cuts them every %i octets', (step) => {
  const { gate, told, all } = world();
  const payload = octets(3300);
  const bytes = Buffer.concat([
    frame(FINAL | BINARY, octets(10)),
    frame(BINARY, payload.subarray(0, 1500)),
    frame(0, payload.subarray(1500, 1501)),
    frame(FINAL, payload.subarray(1501)),
    frame(FINAL | BINARY, octets(0)),
  ]);
  for (let at = 0; at < bytes.length; at += step) gate.push(bytes.subarray(at, at + step));
  expect(all()).toEqual(Buffer.concat([octets(10), payload]));
  expect(told).toEqual([]);
});

it('of a text message are told as such', () => {
  const { gate, told } = world();
  gate.push(frame(TEXT, Buffer.from('a')));
  expect(told).toEqual(['text']);
});
