/** The transport `mqtt` on real sockets, and clients that send octets. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import mqttPacket from 'mqtt-packet';
import { HAS_OPENSSL } from '../../support/certificates.js';
import { connect, field, packet, publish } from '../../support/mqtt-packets.js';
import { MqttTransport } from '../../support/mqtt-transport.js';
import type { MqttTransportOptions, RawMqtt } from '../../support/mqtt-transport.js';
import { itNeeds } from '../../support/needs.js';

const PING = Buffer.of(0xc0, 0);
const DISCONNECT = Buffer.of(0xe0, 0);

const open: MqttTransport[] = [];

async function start(options: MqttTransportOptions = {}): Promise<MqttTransport> {
  const transport = await MqttTransport.start(options);
  open.push(transport);
  return transport;
}

afterEach(async () => {
  vi.useRealTimers();
  await Promise.all(open.splice(0).map((transport) => transport.stop()));
});

/** CONNECT with a keep-alive in seconds. */
function hello(clientId: string, keepalive = 0): Buffer {
  return packet(0x10, field('MQTT'), [4, 2, keepalive >> 8, keepalive & 255], field(clientId));
}

function subscribe(topic: string, qos: number): Buffer {
  return packet(0x82, [0, 1], field(topic), [qos]);
}

function publishQos1(topic: string, payload: string | Buffer, id: number): Buffer {
  return packet(0x32, field(topic), [id >> 8, id & 255], Buffer.from(payload));
}

async function join(transport: MqttTransport, clientId: string, keepalive = 0): Promise<RawMqtt> {
  const client = (await transport.open()).write(hello(clientId, keepalive));
  expect(await client.next()).toBe('connack 0');
  return client;
}

describe.each(['tcp', 'unix', 'tls'] as const)('over %s', (endpoint) => {
  itNeeds('openssl', endpoint !== 'tls' || HAS_OPENSSL)('a client is let in, and its messages go round', async () => {
    const transport = await start({ endpoint });
    const client = await join(transport, 'me');
    client.write(subscribe('a/+', 1), publishQos1('a/b', 'hello', 7), publish('a/c', 'world'));
    expect(await client.take(4)).toEqual(['suback 1: 1', 'a/b hello q1 #1', 'puback 7', 'a/c world']);
    expect(transport.counts.connections.mqtt).toBe(1);
    client.write(DISCONNECT);
    await client.closed;
    expect(transport.said('session joined')[0]).toMatchObject({ authmethod: 'anonymous' });
  });
});

describe('octets', () => {
  it('come one at a time', async () => {
    const transport = await start();
    const client = await transport.open();
    for (const octet of Buffer.concat([hello('me'), subscribe('a', 0), publish('a', 'x'), PING])) {
      client.socket.write(Buffer.of(octet));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await client.take(4)).toEqual(['connack 0', 'suback 1: 0', 'a x', 'pingresp']);
  });

  it('that come before the answer to CONNECT wait for it', async () => {
    const transport = await start();
    const client = (await transport.open()).write(hello('me'), subscribe('a', 0), publish('a', 'x'), PING);
    expect(await client.take(4)).toEqual(['connack 0', 'suback 1: 0', 'a x', 'pingresp']);
  });

  it('of a client that has closed already count, when it was let in', async () => {
    const transport = await start();
    const other = await join(transport, 'other');
    other.write(subscribe('a', 0));
    expect(await other.next()).toBe('suback 1: 0');
    const client = await join(transport, 'me');
    const messages = Array.from({ length: 2000 }, (_, n) => publish('a', String(n)));
    client.socket.end(Buffer.concat(messages));
    expect(await other.take(2000)).toEqual(messages.map((_, n) => `a ${n}`));
  });

  it('of 1,000 pings in one piece are all answered', async () => {
    const transport = await start();
    const client = await join(transport, 'me');
    client.write(Buffer.concat(Array.from({ length: 1000 }, () => PING)));
    expect(new Set(await client.take(1000))).toEqual(new Set(['pingresp']));
  });

  it.each([
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n'), 'the first packet is no CONNECT', 'bad frame'],
    ['zeros', Buffer.alloc(10), 'a client sends no packet of type 0', 'bad frame'],
    ['a large CONNECT', packet(0x10, Buffer.alloc(70_000)), '70004 bytes; 65536 are allowed', 'packet too large'],
  ])('that are %s end the connection', async (_name, octets, reason, fault) => {
    const transport = await start();
    const client = (await transport.open()).write(octets);
    expect(await client.next()).toBe('closed');
    const said = transport.said(`${fault}, connection closed`);
    expect(said).toMatchObject([{ reason: expect.stringContaining(reason) as unknown }]);
    const { closed } = transport.counts;
    await vi.waitFor(() => expect(closed[fault === 'bad frame' ? 'protocol' : 'limit']).toBe(1));
    expect(transport.counts.connections.mqtt).toBe(0);
  });

  it('of MQTT 5 are told which versions are spoken', async () => {
    const transport = await start();
    const client = (await transport.open()).write(connect({ level: 5 }));
    expect(await client.take(2)).toEqual(['connack 1']);
  });

  it('beyond the bound, or wrong ones, end a session and fire its will', async () => {
    const transport = await start({ options: { max_packet_size: 1000 } });
    const other = await join(transport, 'other');
    other.write(subscribe('will', 0));
    expect(await other.next()).toBe('suback 1: 0');
    const client = await transport.open();
    client.write(connect({ flags: 6, rest: [field('me'), field('will'), field('gone')] }));
    expect(await client.next()).toBe('connack 0');
    client.write(publish('a', 'x'.repeat(2000)));
    expect(await client.next()).toBe('closed');
    expect(await other.next()).toBe('will gone');
    expect(transport.sessions).toBe(1);
  });
});

describe('time', () => {
  const fake = (): void => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });

  it.each([
    ['says nothing', Buffer.alloc(0)],
    ['does not end its CONNECT', hello('me').subarray(0, 5)],
  ])('is short for a client that %s', async (_name, octets) => {
    fake();
    const transport = await start();
    const client = (await transport.open()).write(octets);
    await vi.waitFor(() => expect(transport.counts.connections.mqtt).toBe(1));
    await vi.advanceTimersByTimeAsync(5200);
    await client.closed;
    expect(transport.said('no session in time, connection closed')).toHaveLength(1);
  });

  it('of one and a half keep-alives without a packet is too long, unless it is 0', async () => {
    fake();
    const transport = await start();
    const silent = await join(transport, 'silent', 10);
    const patient = await join(transport, 'patient', 0);
    const lively = await join(transport, 'lively', 10);
    await vi.advanceTimersByTimeAsync(14_000);
    expect(await lively.write(PING).next()).toBe('pingresp');
    await vi.advanceTimersByTimeAsync(1300);
    await silent.closed;
    expect(await lively.write(PING).next()).toBe('pingresp');
    expect(transport.said('no packet within the keep-alive, connection dropped')).toHaveLength(1);
    expect(transport.counts.closed.idle).toBe(1);
    await vi.advanceTimersByTimeAsync(15_300);
    await lively.closed;
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(await patient.write(PING).next()).toBe('pingresp');
  });
});

describe('a client that does not read', () => {
  it('loses messages with QoS 0, and hears the others', async () => {
    const transport = await start({ options: { max_unsent_bytes: 1_048_576 } });
    const slow = await join(transport, 'slow');
    slow.write(subscribe('a', 0));
    expect(await slow.next()).toBe('suback 1: 0');
    slow.socket.pause();
    const sender = await join(transport, 'sender');
    const large = 'x'.repeat(50_000);
    for (let sent = 0; transport.counts.slowDropping === 0; sent += 20) {
      expect(sent).toBeLessThan(5000);
      sender.write(...Array.from({ length: 20 }, () => publish('a', large)), PING);
      expect(await sender.next()).toBe('pingresp');
    }
    slow.write(PING);
    slow.socket.resume();
    for (let got = ''; got !== 'pingresp'; got = await slow.next()) expect(got).not.toBe('closed');
    expect(transport.counts.slowCut).toBe(0);
  });

  it('gets the others when it reads again, in order and as far as there was room, and is not cut', async () => {
    const options = { max_unsent_bytes: 65_536, max_inflight: 65_535, max_queued_bytes: 1_000_000, max_queued: 20 };
    const transport = await start({ options });
    const slow = await join(transport, 'slow');
    slow.write(subscribe('a', 1));
    expect(await slow.next()).toBe('suback 1: 1');
    slow.socket.pause();
    const sender = await join(transport, 'sender');
    const sent = Array.from({ length: 100 }, (_, n) => String(n + 1).padStart(10_000));
    sender.write(...sent.map((text, n) => publishQos1('a', text, n + 1)));
    await sender.take(100);
    slow.socket.resume();
    // Three are in flight: they have half of what may wait for its socket.
    const got: string[] = [];
    while (got.length < 23) {
      const [, text = '', id = ''] = / *(\S+) q1 #(\S+)$/.exec(await slow.next()) ?? [];
      got.push(text);
      slow.write(packet(0x40, [Number(id) >> 8, Number(id) & 255]));
    }
    expect(got).toEqual(sent.slice(0, 23).map((text) => text.trim()));
    sender.write(publishQos1('a', 'later', 1));
    expect(await slow.next()).toContain('later');
    expect(transport.counts.slowCut).toBe(0);
    expect(transport.counts.mqtt?.fullEvents).toBe(77);
    const text = (await transport.metrics.text('prometheus')).toString();
    expect(text).toContain('wamp_mqtt_events_dropped_total{transport="transport001",reason="queue"} 77\n');
  });
});

describe('many clients', () => {
  it('have no more connections than there may be', async () => {
    const transport = await start({ options: { max_connections: 1 } });
    const first = await join(transport, 'first');
    const second = (await transport.open()).write(hello('second'));
    expect(await second.next()).toBe('closed');
    expect(transport.counts.refused.limit).toBe(1);
    expect(await first.write(PING).next()).toBe('pingresp');
  });

  it('have one connection for each client id', async () => {
    const transport = await start();
    const before = await join(transport, 'me');
    const after = await join(transport, 'me');
    expect(await before.next()).toBe('closed');
    expect(await after.write(PING).next()).toBe('pingresp');
    await vi.waitFor(() => expect(transport.counts.closed.ended).toBe(1));
  });

  it('end with their transport', async () => {
    const transport = await start();
    const clients = [await join(transport, 'one'), await join(transport, 'two'), await transport.open()];
    await vi.waitFor(() => expect(transport.counts.connections.mqtt).toBe(3));
    await transport.stop();
    await Promise.all(clients.map((client) => client.closed));
    expect([transport.sessions, transport.counts.closed.drain]).toEqual([0, 3]);
  });

  it('keep what is theirs when the config has other options', async () => {
    const transport = await start();
    const kept = packet(0x10, field('MQTT'), [4, 0, 0, 0], field('me'));
    const before = (await transport.open()).write(kept, subscribe('a', 1));
    expect(await before.take(2)).toEqual(['connack 0', 'suback 1: 1']);
    const other = await join(transport, 'other');
    await transport.reload({ max_inflight: 1 });
    const after = (await transport.open()).write(kept);
    expect([await before.next(), await after.next()]).toEqual(['closed', 'connack 0 present']);
    other.write(publishQos1('a', '1', 1), publishQos1('a', '2', 2));
    expect(await after.next()).toBe('a 1 q1 #1');
    after.write(Buffer.from(mqttPacket.generate({ cmd: 'puback', messageId: 1 })));
    expect(await after.next()).toBe('a 2 q1 #2');
  });
});
