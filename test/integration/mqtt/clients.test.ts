/** Clients of MQTT that others have written, on the transport `mqtt`: mqtt.js and those of mosquitto. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import mqtt from 'mqtt';
import type { IClientOptions, MqttClient } from 'mqtt';
import { MqttTransport } from '../../support/mqtt-transport.js';
import type { MqttTransportOptions } from '../../support/mqtt-transport.js';
import { describeNeeds } from '../../support/needs.js';
import { within } from '../../support/wamp-client.js';

const HAS_MOSQUITTO = spawnSync('mosquitto_pub', ['--help']).error === undefined;

const open: { readonly stop: () => Promise<unknown> }[] = [];

afterEach(async () => {
  for (const { stop } of open.splice(0).reverse()) await stop();
});

async function start(options: MqttTransportOptions = {}): Promise<MqttTransport> {
  const transport = await MqttTransport.start(options);
  open.push({ stop: () => transport.stop() });
  return transport;
}

const TICKETS = {
  ticket: { type: 'static', principals: { joe: { ticket: 'secret', role: 'anonymous' } } },
} as const;

/** A client of mqtt.js, and what it gets. */
class Js {
  readonly client: MqttClient;
  readonly #got: string[] = [];
  #wake: () => void = () => undefined;

  private constructor(client: MqttClient) {
    this.client = client;
    client.on('error', () => undefined);
    client.on('message', (topic, payload, { qos, retain, dup }) => {
      this.#got.push(`${topic} ${payload.toString()} q${qos}${retain ? ' retained' : ''}${dup ? ' again' : ''}`);
      this.#wake();
    });
  }

  static async connect(transport: MqttTransport, options: IClientOptions = {}): Promise<Js> {
    const client = mqtt.connect(`mqtt://127.0.0.1:${transport.port}`, { reconnectPeriod: 0, ...options });
    // What waits for it comes right behind CONNACK.
    const js = new Js(client);
    await within(new Promise<void>((resolve) => client.once('connect', () => resolve())), 'CONNACK');
    open.push({ stop: () => client.endAsync(true) });
    return js;
  }

  async take(count: number): Promise<string[]> {
    const enough = async (): Promise<void> => {
      while (this.#got.length < count) await new Promise<void>((resolve) => (this.#wake = resolve));
    };
    await within(enough(), `${count} messages`);
    return this.#got.splice(0, count);
  }
}

describe('mqtt.js', () => {
  it.each([0, 1, 2] as const)('gets and sends messages of QoS %i', async (qos) => {
    const transport = await start();
    const [sender, receiver] = [await Js.connect(transport), await Js.connect(transport)];
    expect(await receiver.client.subscribeAsync('a/#', { qos })).toMatchObject([{ topic: 'a/#', qos }]);
    const texts = Array.from({ length: 300 }, (_, n) => String(n));
    await Promise.all(texts.map((text) => sender.client.publishAsync('a/b', text, { qos })));
    expect(await receiver.take(300)).toEqual(texts.map((text) => `a/b ${text} q${qos}`));
  });

  it('large messages come whole', async () => {
    const transport = await start();
    const client = await Js.connect(transport);
    await client.client.subscribeAsync('a', { qos: 1 });
    const texts = [100_000, 900_000].map((length) => 'x'.repeat(length));
    for (const text of texts) {
      await client.client.publishAsync('a', text, { qos: 1 });
      expect(await client.take(1)).toEqual([`a ${text} q1`]);
    }
  });

  it('is told what was retained, until that is cleared', async () => {
    const transport = await start();
    const sender = await Js.connect(transport);
    await sender.client.publishAsync('a/b', 'kept', { qos: 1, retain: true });
    const first = await Js.connect(transport);
    await first.client.subscribeAsync('a/+', { qos: 1 });
    expect(await first.take(1)).toEqual(['a/b kept q1 retained']);
    await sender.client.publishAsync('a/b', '', { qos: 1, retain: true });
    const second = await Js.connect(transport);
    await second.client.subscribeAsync('a/+', { qos: 1 });
    await sender.client.publishAsync('a/c', 'now', { qos: 1 });
    expect(await second.take(1)).toEqual(['a/c now q1']);
  });

  it('leaves a will when it is cut off, and none when it says DISCONNECT', async () => {
    const transport = await start();
    const heir = await Js.connect(transport);
    await heir.client.subscribeAsync('will/#', { qos: 1 });
    const will = (name: string): IClientOptions => ({
      will: { topic: `will/${name}`, payload: Buffer.from('gone'), qos: 1, retain: false },
    });
    const polite = await Js.connect(transport, will('polite'));
    await polite.client.endAsync();
    const cut = await Js.connect(transport, will('cut'));
    cut.client.stream.destroy();
    expect(await heir.take(1)).toEqual(['will/cut gone q1']);
  });

  it('finds what came while it was away', async () => {
    const transport = await start();
    const options = { clientId: 'me', clean: false };
    const before = await Js.connect(transport, options);
    await before.client.subscribeAsync('a', { qos: 2 });
    await before.client.endAsync();
    const sender = await Js.connect(transport);
    await sender.client.publishAsync('a', 'once', { qos: 1 });
    await sender.client.publishAsync('a', 'twice', { qos: 2 });
    const after = await Js.connect(transport, options);
    expect(await after.take(2)).toEqual(['a once q1', 'a twice q2']);
  });

  it('is closed when another one comes with its client id', async () => {
    const transport = await start();
    const before = await Js.connect(transport, { clientId: 'me' });
    const closed = new Promise<void>((resolve) => before.client.once('close', resolve));
    await Js.connect(transport, { clientId: 'me' });
    await within(closed, 'the end of the first connection');
  });

  it('is let in with its password only', async () => {
    const transport = await start({ auth: TICKETS });
    const joe = await Js.connect(transport, { username: 'joe', password: 'secret' });
    expect(joe.client.connected).toBe(true);
    await expect(
      mqtt.connectAsync(`mqtt://127.0.0.1:${transport.port}`, { username: 'joe', password: 'x', reconnectPeriod: 0 }),
    ).rejects.toMatchObject({ code: 4 });
    await expect(mqtt.connectAsync(`mqtt://127.0.0.1:${transport.port}`, { reconnectPeriod: 0 })).rejects.toMatchObject(
      { code: 5 },
    );
  });

  it('and a session of WAMP hear each other', async () => {
    const transport = await start({ options: { payload_mapping: { '': { type: 'native', serializer: 'json' } } } });
    const wamp = await transport.wamp();
    const js = await Js.connect(transport);
    await js.client.subscribeAsync('to/mqtt', { qos: 1 });
    const [, , subscription] = await wamp.ask([32, 1, { match: 'prefix' }, 'from.']);
    await js.client.publishAsync('from/mqtt', JSON.stringify({ args: ['hello', 1], kwargs: { a: true } }), { qos: 1 });
    expect(await wamp.next()).toMatchObject([
      36,
      subscription,
      expect.any(Number),
      { topic: 'from.mqtt' },
      ['hello', 1],
      { a: true },
    ]);
    wamp.send([16, 2, {}, 'to.mqtt', ['back'], { b: 2 }]);
    const [message = ''] = await js.take(1);
    const [, payload = ''] = /^to\/mqtt (.*) q0$/.exec(message) ?? [];
    expect(JSON.parse(payload)).toEqual({ args: ['back'], kwargs: { b: 2 } });
  });

  it('bytes reach a session of WAMP in JSON, and come back', async () => {
    const transport = await start();
    const wamp = await transport.wamp();
    const js = await Js.connect(transport);
    await js.client.subscribeAsync('to/mqtt', { qos: 1 });
    await wamp.ask([32, 1, {}, 'from.mqtt']);
    await js.client.publishAsync('from/mqtt', 'hello', { qos: 1 });
    const [, , , details, args] = await wamp.next();
    expect(details).toMatchObject({ enc_algo: 'mqtt' });
    expect(args).toEqual({ $bin: Buffer.from('hello').toString('hex') });
    wamp.send([16, 2, {}, 'to.mqtt', ['back']]);
    expect(await js.take(1)).toEqual(['to/mqtt back q0']);
  });
});

describeNeeds('mosquitto-clients', HAS_MOSQUITTO)('the clients of mosquitto', () => {
  interface Ended {
    readonly code: number | null;
    readonly output: string;
  }

  /** @param until resolves `seen` when it is in what the program writes. */
  function run(
    command: string,
    args: readonly string[],
    until = '',
  ): { seen: () => Promise<void>; ended: () => Promise<Ended> } {
    // What is written to a pipe would come at the end.
    const child = spawn('stdbuf', ['-oL', command, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    open.push({ stop: () => Promise.resolve(child.kill('SIGKILL')) });
    let output = '';
    const seen = new Promise<void>((resolve) => {
      const read = (chunk: Buffer): void => {
        output += chunk.toString();
        if (output.includes(until)) resolve();
      };
      child.stdout.on('data', read);
      child.stderr.on('data', read);
    });
    const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, output }));
    return {
      seen: () => within(seen, `"${until}" of ${command}`),
      ended: () => within(ended, `the end of ${command}`),
    };
  }

  it.each(['mqttv311', 'mqttv31'])('send and get messages of each QoS over %s', async (version) => {
    const transport = await start();
    const at = ['-p', String(transport.port), '-V', version];
    const sub = run('mosquitto_sub', [...at, '-d', '-C', '3', '-q', '2', '-t', 'a/#', '-F', 'got %t %p %q'], 'SUBACK');
    await sub.seen();
    for (const qos of ['0', '1', '2']) {
      const { ended } = run('mosquitto_pub', [...at, '-q', qos, '-t', `a/${qos}`, '-m', 'x']);
      expect(await ended()).toMatchObject({ code: 0 });
    }
    const { output } = await sub.ended();
    expect(output.match(/got .*/g)).toEqual(['got a/0 x 0', 'got a/1 x 1', 'got a/2 x 2']);
  });

  it('are told why they are not let in', async () => {
    const transport = await start({ auth: TICKETS });
    const at = ['-p', String(transport.port), '-t', 'a', '-m', 'x'];
    expect((await run('mosquitto_pub', [...at, '-u', 'joe', '-P', 'wrong']).ended()).output).toMatch(
      /bad user name or password/i,
    );
    expect((await run('mosquitto_pub', [...at, '-u', 'joe', '-P', 'secret']).ended()).code).toBe(0);
    expect((await run('mosquitto_pub', [...at, '-V', 'mqttv5']).ended()).output).toMatch(/protocol version/i);
  });
});
