/** One connection that speaks MQTT, or what looks like it. */
import mqttPacket from 'mqtt-packet';
import type { Target } from './node-config.js';
import { MqttPackets } from './mqtt-packets.js';
import { damaged } from './random.js';
import type { Random } from './random.js';
import { A_WHILE_MS, Wire } from './wire.js';

const MOST_PACKETS = 150;
/** How many of the connections are dear for the node. */
const HEAVY = 0.05;
/** How many send octet by octet, or nothing. */
const IDLE = 0.05;

/** What a node sends. */
const OF_NODES = new Set([
  'connack',
  'publish',
  'puback',
  'pubrec',
  'pubrel',
  'pubcomp',
  'suback',
  'unsuback',
  'pingresp',
]);

/** @returns what the node sent that no server may send, one line each. */
export async function abuseMqtt(target: Target, random: Random): Promise<string[]> {
  const wire = await Wire.open(target, random);
  const complaints = random.chance(IDLE) ? await dawdle(wire, random) : await converse(wire, random);
  await wire.end(random);
  return complaints;
}

/** A CONNECT that comes octet by octet, whole or not. */
async function dawdle(wire: Wire, random: Random): Promise<string[]> {
  const bytes = new MqttPackets(random).connect().subarray(0, 300);
  for (const octet of bytes.subarray(0, random.between(0, bytes.length))) {
    await wire.send(Buffer.of(octet), random);
    await wire.until(() => false, 1);
  }
  return new Ear(new MqttPackets(random)).hear(wire).complaints;
}

async function converse(wire: Wire, random: Random): Promise<string[]> {
  const packets = new MqttPackets(random);
  const ear = new Ear(packets);
  const say = async (batch: readonly Buffer[]): Promise<void> => {
    const octets = batch.map((bytes) => (random.chance(packets.oddness / 20) ? damaged(bytes, random) : bytes));
    await wire.send(Buffer.concat(octets), random);
  };
  if (!random.chance(packets.oddness / 4)) await say([packets.connect()]);
  // Who goes on without waiting is what the time before CONNACK is about.
  if (random.chance(0.8)) await wire.until((received) => received.length > 0, A_WHILE_MS);
  if (random.chance(HEAVY)) {
    for (const batch of packets.heavy()) {
      await say(batch);
      await wire.until((received) => received.length > 0, A_WHILE_MS);
      ear.hear(wire);
    }
  }
  const isGood = random.chance(0.7);
  for (let left = random.size(MOST_PACKETS); left > 0 && wire.isOpen; left--) {
    const answers = ear.hear(wire).answers.splice(0);
    await say([...(isGood ? answers : []), ...Array.from({ length: random.size(10) }, () => packets.packet())]);
    if (random.chance(0.2)) await wire.until((received) => received.length > 0, A_WHILE_MS);
  }
  return ear.hear(wire).complaints;
}

/** Reads what the node sends with a library that others have written. */
class Ear {
  readonly complaints: string[] = [];
  /** What a good client would say to what has come. */
  readonly answers: Buffer[] = [];
  readonly #parser = mqttPacket.parser();

  constructor(packets: MqttPackets) {
    this.#parser.on('error', (error: Error) => this.complaints.push(`no packet: ${error.message}`));
    this.#parser.on('packet', (packet) => {
      const { cmd, messageId = 0 } = packet;
      if (!OF_NODES.has(cmd)) this.complaints.push(`the node sent ${cmd}`);
      if (packet.cmd === 'publish' && packet.qos > 0)
        this.answers.push(packets.acknowledge(packet.qos === 1 ? 4 : 5, messageId));
      if (cmd === 'pubrec') this.answers.push(packets.acknowledge(6, messageId));
      if (cmd === 'pubrel') this.answers.push(packets.acknowledge(7, messageId));
    });
  }

  hear(wire: Wire): this {
    const bytes = wire.take();
    if (bytes.length > 0 && this.complaints.length === 0) this.#parser.parse(bytes);
    return this;
  }
}
