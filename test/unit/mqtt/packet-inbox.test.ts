import { expect, it } from 'vitest';
import { loadPacketCodec } from '../../../src/mqtt/packets/packet-codec.js';
import { PacketInbox } from '../../../src/mqtt/packets/packet-inbox.js';
import { FairScheduler } from '../../../src/transport/fair-scheduler.js';
import { connect, field, packet, publish } from '../../support/mqtt-packets.js';

const codec = await loadPacketCodec('the test');

/** An inbox, what it does, and a loop whose turns the test makes. @param msEach of a look at the clock */
function inboxOf(msEach = 0) {
  let now = 0;
  const seen: string[] = [];
  const due: (() => void)[] = [];
  const turns = new FairScheduler({ now: () => (now += msEach), defer: (callback) => void due.push(callback) });
  const inbox: PacketInbox = new PacketInbox(
    codec.reader({ maxConnectBytes: 1000, maxBytes: 1_000_000 }),
    {
      take: (packet) => {
        seen.push(packet.cmd === 'publish' ? packet.topic : packet.cmd);
        if (packet.cmd === 'subscribe') seen.push(`${packet.subscriptions.length}${packet.goesOn ? ' ...' : ''}`);
        if (packet.cmd === 'unsubscribe') seen.push(`${packet.unsubscriptions.length}${packet.goesOn ? ' ...' : ''}`);
        if (packet.cmd === 'connect') inbox.hold();
      },
      broken: (error) => void seen.push(error.message),
      stopReading: () => void seen.push('stop'),
      startReading: () => void seen.push('start'),
      holds: (bytes) => void seen.push(bytes === 0 ? 'complete' : 'much'),
    },
    turns,
  );
  const turn = (): string[] => {
    for (const callback of due.splice(0)) callback();
    return seen.splice(0);
  };
  return { inbox, turn };
}

it('what is read while packets are not taken stays bytes, and nothing more is read', () => {
  const { inbox, turn } = inboxOf();
  inbox.push(Buffer.concat([connect(), publish('a')]));
  expect(turn()).toEqual(['connect', 'stop']);
  inbox.push(publish('b'));
  expect(turn()).toEqual([]);
  inbox.release();
  expect(turn()).toEqual(['a', 'b', 'start']);
});

it('the end of a connection comes behind what it sent, and is dropped with it', () => {
  const { inbox, turn } = inboxOf();
  inbox.push(Buffer.concat([connect(), publish('a')]));
  turn();
  const ended: string[] = [];
  inbox.finish(() => void ended.push('ended'));
  expect([turn(), ended]).toEqual([expect.anything(), []]);
  inbox.release();
  expect([turn(), ended]).toEqual([['a'], ['ended']]);
});

it('a large packet is counted until it is complete', () => {
  const { inbox, turn } = inboxOf();
  inbox.push(connect());
  turn();
  turn();
  inbox.release();
  const large = publish('large', 'x'.repeat(200_000));
  inbox.push(large.subarray(0, 100_000));
  expect(turn()).toContain('much');
  inbox.push(large.subarray(100_000));
  expect(turn()).toEqual(expect.arrayContaining(['large', 'complete']));
  inbox.stop();
  inbox.push(publish('a'));
  expect(turn()).toEqual([]);
});

it('a packet with many filters is worked on in turn with all other connections, before what comes behind it', () => {
  const { inbox, turn } = inboxOf(5);
  inbox.push(connect());
  inbox.release();
  while (turn().length > 0);
  const filters = Array.from({ length: 100 }, () => Buffer.concat([field('a'), Buffer.of(0)]));
  inbox.push(
    Buffer.concat([packet(0x82, [0, 1], ...filters), packet(0xa2, [0, 2], field('a'), field('b')), publish('a')]),
  );
  const turns: string[][] = [];
  while (turns.flat().at(-1) !== 'start') turns.push(turn());
  const seen = turns.flat().filter((text) => text !== 'start' && text !== 'stop');
  expect(seen).toEqual([
    ...Array.from({ length: 99 }, () => ['subscribe', '1 ...']).flat(),
    ...['subscribe', '1', 'unsubscribe', '1 ...', 'unsubscribe', '1', 'a'],
  ]);
  expect(Math.max(...turns.map(({ length }) => length))).toBeLessThan(50);
});
