/** Packets of MQTT that come in as many pieces as they have octets: were each piece to cost a copy of all, this would take minutes. */
import { expect, it } from 'vitest';

import { loadPacketCodec } from '../../../src/mqtt/packets/packet-codec.js';
import { connect, publish } from '../../support/mqtt-packets.js';

it('a packet of a million pieces is read', async () => {
  const codec = await loadPacketCodec('a test');
  const reader = codec.reader({ maxConnectBytes: 1000, maxBytes: 2_000_000 });
  reader.push(connect());
  expect(reader.next()).toMatchObject({ cmd: 'connect' });
  const bytes = publish('a', Buffer.alloc(1_000_000, 'x'));
  for (let at = 0; at < bytes.length - 1; at++) {
    reader.push(bytes.subarray(at, at + 1));
    if (reader.next() !== undefined) throw new Error('the packet has not come yet');
  }
  reader.push(bytes.subarray(-1));
  const message = reader.next();
  expect(message?.cmd === 'publish' && message.payload.equals(Buffer.alloc(1_000_000, 'x'))).toBe(true);
});
