/** Clients of MQTT that read, and answer nothing: what waits for all of them together is bounded, too. */
import { afterEach, expect, it } from 'vitest';
import { startDaemon } from '../../support/daemon.js';
import type { Daemon } from '../../support/daemon.js';
import { MqttPeer, publishPacket } from '../../support/mqtt-peer.js';
import { LOOPBACK, nodeConfig } from '../../support/node-config.js';

const LIMIT_BYTES = 4 * 1024 * 1024;
const CLIENTS = 40;
const MESSAGES = 16;
const PAYLOAD = Buffer.alloc(20 * 1024, 'x');

let daemon: Daemon | undefined;
afterEach(() => daemon?.dispose());

it('those for whom most waits are cut, and who answers goes on', async () => {
  const auth = { anonymous: { type: 'static', role: 'anonymous' } };
  const transports = [{ type: 'mqtt', endpoint: LOOPBACK, options: { realm: 'realm1', auth } }];
  const config = nodeConfig({ transports });
  daemon = await startDaemon({ config: { ...config, controller: { options: { max_unsent_bytes: LIMIT_BYTES } } } });
  const port = Number(daemon.listening()[1]?.['port']);
  const [good, publisher] = [await MqttPeer.join(port), await MqttPeer.join(port)];
  await good.subscribe('#', 1);
  const silent = await Promise.all(
    Array.from({ length: CLIENTS }, async (_, index) => {
      const peer = await MqttPeer.join(port);
      peer.isAnswering = false;
      await peer.subscribe(`to/${index}`, 1);
      return peer;
    }),
  );
  // Each has less than its own bound, and all together would have three times as much as there is for all.
  for (let n = 0; n < MESSAGES; n += 1) {
    for (const index of silent.keys()) {
      publisher.send(publishPacket(`to/${index}`, PAYLOAD, 1));
      await publisher.take('puback');
      const { topic, payload } = await good.message();
      expect([topic, payload.equals(PAYLOAD)]).toEqual([`to/${index}`, true]);
    }
  }
  const line = await daemon.waitForLog('slow consumer disconnected');
  expect(line).toMatchObject({ limitOfNode: LIMIT_BYTES });
  // So much may stay as there is for all.
  const most = Math.floor(LIMIT_BYTES / (MESSAGES * PAYLOAD.length));
  await expect.poll(() => silent.filter(({ isOpen }) => isOpen).length).toBeLessThanOrEqual(most);
  expect(silent.filter(({ isOpen }) => isOpen).length).toBeGreaterThan(0);
  expect([good.isOpen, publisher.isOpen]).toEqual([true, true]);
});
