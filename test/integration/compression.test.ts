/** Compressed WebSocket connections that break the protocol: theirs alone ends. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { deflated, frame, WRONG_FRAMES } from '../support/compressed-frames.js';
import type { Daemon } from '../support/daemon.js';
import { startDaemon } from '../support/daemon.js';
import { nodeConfig } from '../support/node-config.js';
import { upgradeLines, WampClient } from '../support/wamp-client.js';

const TEXT = 0x01;
const COMPRESSED = 0x40;

/** The beginning of a message, in pieces: inflating them one by one takes so long that what follows arrives meanwhile. */
const SLOW = Array.from({ length: 500 }, (_, i) => frame(i === 0 ? COMPRESSED | TEXT : 0, deflated(' ')));
const MORE = frame(0, deflated('x'));

describe('a compressed connection', () => {
  let daemon: Daemon;
  beforeEach(async () => {
    const options = { compression: { deflate: {} } };
    daemon = await startDaemon({ config: nodeConfig({ websocket: { options } }) });
  });
  afterEach(() => daemon.dispose());

  it.each(WRONG_FRAMES)(
    'ends alone when %s comes while the message before it is inflated, and more behind it',
    async (_what, wrong) => {
      for (let round = 0; round < 20; round++) {
        const socket = connect(daemon.port, '127.0.0.1').on('error', () => undefined);
        socket.setNoDelay(true);
        const lines = upgradeLines('/ws', ['Sec-WebSocket-Extensions: permessage-deflate']);
        socket.write(`${lines.join('\r\n')}\r\n\r\n`);
        const [answer] = (await once(socket, 'data')) as [Buffer];
        expect(answer.toString('latin1')).toContain('permessage-deflate');
        socket.write(Buffer.concat(SLOW));
        // Each in a packet of its own, if the node is quick enough to read them so.
        for (const octets of [wrong, ...Array.from({ length: 50 }, () => MORE)]) {
          await turn();
          socket.write(octets);
        }
        socket.end();
        await once(socket.resume(), 'close');
      }
      const client = await WampClient.join(daemon.url('/ws', 'ws'));
      await client.leave();
      expect(await daemon.stop()).toBe(0);
    },
  );
});
