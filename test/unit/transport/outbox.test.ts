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
    const writev = vi.spyOn(ours as unknown as { _writev: (...args: unknown[]) => void }, '_writev');
    const outbox = new Outbox(ours, 1000, () => undefined);
    for (const text of ['a', 'b', 'c']) outbox.write(Buffer.from(text));
    const [data] = (await once(theirs, 'data')) as [Buffer];
    expect(data.toString()).toBe('abc');
    expect(writev).toHaveBeenCalledTimes(1);
  });

  it('flushes on request, and corks again afterwards', async () => {
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
