/** What no library sends, and the interoperability suite of Eclipse Paho does, octet by octet: of the daemon. */
import { connect as connectSocket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MqttNode } from '../../support/mqtt-node.js';
import { connect as connectPacket, field } from '../../support/mqtt-packets.js';
import { RawMqtt } from '../../support/mqtt-transport.js';

let node: MqttNode;
beforeAll(async () => {
  node = await MqttNode.start();
});
afterAll(() => node.daemon.dispose());

describe('octets that no library sends', () => {
  async function raw(): Promise<RawMqtt> {
    return RawMqtt.of(connectSocket(node.port(), '127.0.0.1'), 'connect');
  }

  it.each([
    ['MQTT', 4],
    ['MQIsdp', 3],
  ])('no client id and a session that is kept: %s, code 2', async (name, level) => {
    const client = await raw();
    client.write(connectPacket({ name, level, flags: 0, rest: [field('')] }));
    expect(await client.take(2)).toEqual(['connack 2']);
    await client.closed;
  });

  it('a second CONNECT ends the connection', async () => {
    const client = await raw();
    client.write(connectPacket({ rest: [field('me')] }));
    expect(await client.next()).toBe('connack 0');
    client.write(connectPacket({ rest: [field('me')] }));
    expect(await client.next()).toBe('closed');
  });

  it('another protocol ends it without an answer', async () => {
    const client = await raw();
    client.write(connectPacket({ name: 'hj' }));
    expect(await client.next()).toBe('closed');
  });

  it('MQTT 5 is answered in the form of 3.1.1, code 1', async () => {
    const client = await raw();
    client.write(connectPacket({ level: 5 }));
    expect(await client.take(2)).toEqual(['connack 1']);
  });
});
