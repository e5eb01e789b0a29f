/** What a node and the process of a router worker say to each other, over a pair of sockets. */
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { Channel } from '../../../../src/worker/apart/channel.js';
import type { Answers } from '../../../../src/worker/apart/channel.js';
import { WampError } from '../../../../src/wamp/error.js';

const ends: (() => void)[] = [];
afterEach(() => ends.splice(0).forEach((end) => end()));

async function sockets(): Promise<[Socket, Socket]> {
  const directory = mkdtempSync(path.join(tmpdir(), 'crossbar-ts-channel-'));
  const server = createServer().listen(path.join(directory, 's'));
  await once(server, 'listening');
  const one = connect(path.join(directory, 's'));
  const [other] = (await once(server, 'connection')) as [Socket];
  ends.push(() => {
    one.destroy();
    other.destroy();
    server.close();
    rmSync(directory, { recursive: true, force: true });
  });
  return [one, other];
}

async function channels(
  answers: Answers,
): Promise<{ node: Channel; other: Channel; told: unknown[]; over: Promise<void> }> {
  const [one, two] = await sockets();
  const told: unknown[] = [];
  let node!: Channel;
  const over = new Promise<void>((resolve) => {
    node = new Channel(one, { onTold: (word) => told.push(word), onEnd: resolve });
  });
  const other = new Channel(two, { onTold: () => undefined, onEnd: () => undefined, answers: () => answers });
  return { node, other, told, over };
}

describe('a channel', () => {
  it('passes on what is said, in order, and answers', async () => {
    const { node, other, told } = await channels({ add: ({ a, b }) => Promise.resolve(Number(a) + Number(b)) });
    for (let count = 0; count < 100; count++) other.tell({ count, text: 'ä'.repeat(count) });
    expect(await node.ask('add', { a: 1, b: 2 })).toBe(3);
    expect(told.map((word) => (word as { count: number }).count)).toEqual([...Array(100).keys()]);
  });

  it('hands over items one after the other, no more at a time than are read', async () => {
    let sent = 0;
    const { node } = await channels({
      list: async (_request, send) => {
        for (; sent < 2000; sent++) await send({ sent });
        return 'all';
      },
    });
    const items: unknown[] = [];
    const ahead: number[] = [];
    let busy = 0;
    const onItem = async (item: unknown): Promise<void> => {
      expect(++busy).toBe(1);
      await new Promise((resolve) => setImmediate(resolve));
      busy -= 1;
      items.push(item);
      ahead.push(sent - items.length);
    };
    expect(await node.ask('list', {}, { onItem })).toBe('all');
    expect(items).toHaveLength(2000);
    expect(Math.max(...ahead)).toBeLessThanOrEqual(256);
  });

  it('ends a question that nobody waits for any more, at both ends', async () => {
    const gone = new AbortController();
    let stopped: unknown;
    const { node } = await channels({
      endless: async (_request, send, signal) => {
        try {
          for (;;) await send(1);
        } finally {
          stopped = signal.reason;
        }
      },
      next: () => Promise.resolve('here'),
    });
    const asked = node.ask('endless', {}, { onItem: () => gone.abort(new Error('enough')), signal: gone.signal });
    await expect(asked).rejects.toThrow('enough');
    await expect.poll(() => stopped).toBeInstanceOf(Error);
    expect(await node.ask('next', {})).toBe('here');
  });

  it('tells who asks what went wrong', async () => {
    const { node } = await channels({
      fail: () => Promise.reject(new Error('broken')),
      refuse: () => Promise.reject(new WampError('com.example.no', 'not so')),
    });
    await expect(node.ask('fail', {})).rejects.toThrow('broken');
    await expect(node.ask('refuse', {})).rejects.toMatchObject({ uri: 'com.example.no', message: 'not so' });
    await expect(node.ask('nothing', {})).rejects.toThrow('does not know the request "nothing"');
    const onItem = (): void => undefined;
    await expect(node.ask('toString', {}, { onItem })).rejects.toThrow('does not know');
  });

  it('ends with the other end, and so do its questions', async () => {
    const { node, other, over } = await channels({ never: () => new Promise(() => undefined) });
    const asked = node.ask('never', {});
    const failed = expect(asked).rejects.toThrow('the process is gone');
    other.close();
    await failed;
    await over;
    await expect(node.ask('never', {})).rejects.toThrow('the process is gone');
    node.tell({});
    await node.flush();
  });
});
