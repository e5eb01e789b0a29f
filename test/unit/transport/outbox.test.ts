import { once } from 'node:events';
import { createServer, connect } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Outbox } from '../../../src/transport/outbox.js';

const open: Socket[] = [];
afterEach(() => open.splice(0).forEach((socket) => socket.destroy()));

async function socketPair(): Promise<[Socket, Socket]> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [accepted] = (await once(server, 'connection')) as [Socket];
  server.close();
  open.push(client, accepted);
  return [accepted, client];
}

describe('Outbox', () => {
  it('hands all writes of one turn to the system in one call, in order', async () => {
    const [ours, theirs] = await socketPair();
    const write = vi.spyOn(ours, 'write');
    const outbox = new Outbox(ours, 1000, () => undefined);
    for (const text of ['a', 'b', 'c']) outbox.write(Buffer.from(text));
    const [data] = (await once(theirs, 'data')) as [Buffer];
    expect(data.toString()).toBe('abc');
    expect(write).toHaveBeenCalledTimes(1);
  });

  it('puts together only once what several sockets are sent', async () => {
    const pairs = await Promise.all([socketPair(), socketPair(), socketPair()]);
    const writes = pairs.map(([ours]) => vi.spyOn(ours, 'write'));
    const outboxes = pairs.map(([ours]) => new Outbox(ours, 1000, () => undefined));
    for (const frame of ['a', 'b'].map((text) => Buffer.from(text))) for (const outbox of outboxes) outbox.write(frame);
    outboxes[2]?.write(Buffer.from('c'));
    const received = await Promise.all(pairs.map(async ([, theirs]) => String(await once(theirs, 'data'))));
    expect(received).toEqual(['ab', 'ab', 'abc']);
    const [first, second, third] = writes.map((write) => write.mock.calls[0]?.[0]);
    expect(second).toBe(first);
    expect(third).not.toBe(first);
  });

  it('does not hold back or put together what is large', async () => {
    const [ours, theirs] = await socketPair();
    const write = vi.spyOn(ours, 'write');
    const outbox = new Outbox(ours, 1_000_000, () => undefined);
    const frames = ['a', 'b', 'c'].map((text) => Buffer.alloc(40_000, text));
    for (const frame of frames) outbox.write(frame);
    let received = '';
    theirs.setEncoding('latin1').on('data', (text: string) => (received += text));
    await vi.waitFor(() => expect(received.length).toBe(120_000));
    expect(received).toBe(Buffer.concat(frames).toString('latin1'));
    expect(write.mock.calls.every(([data], i) => data === frames[i])).toBe(true);
    expect(write).toHaveBeenCalledTimes(3);
  });

  it('flushes on request, and gathers again afterwards', async () => {
    const [ours, theirs] = await socketPair();
    const outbox = new Outbox(ours, 1000, () => undefined);
    outbox.write(Buffer.from('a'));
    outbox.flush();
    ours.write('-');
    outbox.write(Buffer.from('b'));
    let received = '';
    theirs.on('data', (data: Buffer) => (received += data.toString()));
    await vi.waitFor(() => expect(received).toBe('a-b'));
  });

  it('reports a peer that does not read as soon as more waits for it than allowed', async () => {
    const [ours] = await socketPair();
    let overflows = 0;
    const outbox = new Outbox(ours, 100_000, () => overflows++);
    let written = 0;
    for (; overflows === 0 && written < 1000; written++) outbox.write(Buffer.alloc(65_536));
    expect(overflows).toBe(1);
    expect(ours.writableLength).toBeGreaterThan(100_000);
    expect(ours.writableLength).toBeLessThanOrEqual(100_000 + 65_536);
  });

  it('does not count what is only held back until the end of the turn, and lets one frame be larger', async () => {
    const [ours, theirs] = await socketPair();
    const outbox = new Outbox(ours, 100, () => expect.unreachable());
    for (let i = 0; i < 50; i++) outbox.write(Buffer.alloc(90));
    outbox.write(Buffer.alloc(1000));
    let received = 0;
    theirs.on('data', (data: Buffer) => (received += data.length));
    await vi.waitFor(() => expect(received).toBe(5500));
  });

  it('drops what is written to a socket that is gone', async () => {
    const [ours] = await socketPair();
    ours.destroy();
    const outbox = new Outbox(ours, 100, () => expect.unreachable());
    expect(() => outbox.write(Buffer.alloc(1000))).not.toThrow();
  });
});
