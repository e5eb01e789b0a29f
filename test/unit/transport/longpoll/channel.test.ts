import { expect, it } from 'vitest';
import { Channel } from '../../../../src/transport/longpoll/channel.js';

const opened = (): Channel => new Channel({ remoteAddress: '192.0.2.1', remotePort: 4711 });

it('that has to make room before its handshake is done is over', () => {
  const channel = opened();
  expect([channel.remoteAddress, channel.remotePort, channel.isOver]).toEqual(['192.0.2.1', 4711, false]);
  channel.destroy();
  expect(channel.isOver).toBe(true);
});

it('that has an owner is ended by it', () => {
  const channel = opened();
  const seen: string[] = [];
  channel.owner = { terminate: () => seen.push('terminated') };
  channel.destroy();
  expect([seen, channel.destroyed]).toEqual([['terminated'], false]);
});

it('tells once that all has left, and takes no bytes itself', () => {
  const channel = opened();
  let drains = 0;
  channel.once('drain', () => (drains += 1));
  channel.drained();
  channel.drained();
  expect([drains, channel.write(), channel.writableLength]).toEqual([1, false, 0]);
});
