/** One connection that speaks WAMP, or what looks like it: over a WebSocket or a RawSocket, in any serializer, batched or not. */
import { CODECS, inBatch, splitBatch } from '../support/codec.js';
import type { AnySerializerName as SerializerName } from '../support/codec.js';
import { rawFrame } from '../support/rawsocket-client.js';
import { upgradeLines } from '../support/wamp-client.js';
import { encode } from './encode.js';
import { heavy } from './heavy.js';
import { learnCookies } from './http-streams.js';
import type { KnownCookies } from './http-streams.js';
import type { Odd } from './encode.js';
import type { Target } from './node-config.js';
import { damaged } from './random.js';
import type { Random } from './random.js';
import { WampMessages } from './wamp-messages.js';
import type { KnownIds } from './wamp-messages.js';
import { frame, framesOf, messageFrames, oddFrame } from './websocket-frames.js';
import { A_WHILE_MS, Wire } from './wire.js';

const SERIALIZERS: readonly SerializerName[] = ['json', 'msgpack', 'cbor', 'ubjson'];
const MOST_MESSAGES = 150;
/** How many of the sessions are dear for the node. */
const HEAVY = 0.05;

/** What connections of the past have learned. */
type Known = KnownIds & KnownCookies;

interface Guest {
  readonly target: Target;
  readonly random: Random;
  readonly known: Known;
}

/** What is agreed upon for a connection. */
interface Speech {
  readonly serializer: SerializerName;
  readonly batched: boolean;
  readonly compressed: boolean;
  /** The octets of a message as they go over the wire. */
  readonly framed: (message: Buffer) => Buffer;
  /** Messages in what the node has sent, and what is no whole frame yet. */
  readonly read: (bytes: Buffer) => { readonly messages: readonly Buffer[]; readonly rest: Buffer };
  /** Something between the messages that only this transport has. */
  readonly aside: () => Buffer;
}

/** @returns what the node sent that no router may send, one line each. */
export async function abuseWamp(target: Target, random: Random, known: Known): Promise<string[]> {
  const wire = await Wire.open(target, random);
  const overRawSocket = target.rawsocket && (target.websocket === undefined || random.chance(0.5));
  const speech = overRawSocket ? await rawSocket(wire, random) : await webSocket(wire, { target, random, known });
  const complaints = speech === undefined ? [] : await converse(wire, speech, random, known);
  await wire.end(random);
  return complaints;
}

async function converse(wire: Wire, speech: Speech, random: Random, known: Known): Promise<string[]> {
  const messages = new WampMessages(random, known);
  const complaints: string[] = [];
  const { oddness } = messages;
  await say(wire, speech, [messages.hello()], { random, oddness });
  // Who goes on without waiting is what the time before WELCOME is about.
  if (random.chance(0.8)) await wire.until((received) => received.length > 0, A_WHILE_MS);
  if (messages.hasTicket) {
    await say(wire, speech, [messages.ticket()], { random, oddness });
    await wire.until((received) => received.length > 0, A_WHILE_MS);
  }
  if (random.chance(HEAVY)) {
    for (const batch of heavy(random)) {
      await say(wire, speech, batch(messages), { random, oddness });
      await wire.until((received) => received.length > 0, A_WHILE_MS);
      complaints.push(...listen(wire, speech, messages));
    }
  }
  for (let left = random.size(MOST_MESSAGES); left > 0 && wire.isOpen; left--) {
    complaints.push(...listen(wire, speech, messages));
    const several = Array.from({ length: random.size(10) }, () => messages.message());
    await say(wire, speech, several, { random, oddness });
    if (random.chance(oddness / 4)) await wire.send(speech.aside(), random);
    if (random.chance(0.2)) await wire.until((received) => received.length > 0, A_WHILE_MS);
  }
  complaints.push(...listen(wire, speech, messages));
  return complaints;
}

async function say(
  wire: Wire,
  { serializer, batched, framed }: Speech,
  messages: readonly Odd[],
  { random, oddness }: { readonly random: Random; readonly oddness: number },
): Promise<void> {
  const octets = messages.map((message) => {
    const bytes = encode(serializer, message, random);
    return random.chance(oddness / 20) ? damaged(bytes, random) : bytes;
  });
  const frames = batched ? [Buffer.concat(octets.map((bytes) => inBatch(CODECS[serializer], bytes)))] : octets;
  await wire.send(Buffer.concat(frames.map(framed)), random);
}

/** Learns ids from what has come. Every text of the node must be JSON, whoever the payload in it is from. */
function listen(wire: Wire, { serializer, batched, read }: Speech, known: WampMessages): string[] {
  const codec = CODECS[serializer];
  const complaints: string[] = [];
  const { messages, rest } = read(wire.take());
  wire.untake(rest);
  for (const bytes of messages.flatMap((frame) => (batched ? splitBatch(codec, frame) : [frame]))) {
    try {
      known.learn(readerOf(serializer)(bytes) as readonly unknown[]);
    } catch (error) {
      // The payload in a binary message may be what the libraries of the tests cannot read.
      if (serializer === 'json') complaints.push(`${String(error)} in ${bytes.toString('latin1').slice(0, 200)}`);
    }
  }
  return complaints;
}

/** Without a look inside the payload, which may be deeper than our own programs can go. */
function readerOf(serializer: SerializerName): (bytes: Buffer) => unknown {
  return serializer === 'json'
    ? (bytes) => JSON.parse(bytes.toString()) as unknown
    : (bytes) => CODECS[serializer].decode(bytes);
}

/** @returns undefined when the node does not want it. */
async function webSocket(wire: Wire, { target, random, known }: Guest): Promise<Speech | undefined> {
  const serializer = random.pick(SERIALIZERS);
  const batched = random.chance(0.3);
  const path = random.pick(target.websocket ?? []);
  const compressed = path === '/deflate' && random.chance(0.7);
  const lines = upgradeLines(path, [
    `Sec-WebSocket-Protocol: wamp.2.${serializer}${batched ? '.batched' : ''}`,
    ...(compressed ? ['Sec-WebSocket-Extensions: permessage-deflate'] : []),
    ...(known.cookies.length > 0 && random.chance(0.5) ? [`Cookie: ${random.pick(known.cookies)}`] : []),
  ]);
  await wire.send(Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), random);
  await wire.until((received) => received.includes('\r\n\r\n'));
  const answer = wire.take();
  const end = answer.indexOf('\r\n\r\n');
  if (!answer.subarray(0, 12).equals(Buffer.from('HTTP/1.1 101'))) return undefined;
  learnCookies(known, answer.toString('latin1', 0, end + 2));
  wire.untake(answer.subarray(end + 4));
  const isBinary = serializer !== 'json';
  return {
    ...{ serializer, batched, compressed, read: framesOf },
    framed: (message) =>
      message.length > 1_000_000
        ? frame(isBinary ? 2 : 1, message, random)
        : messageFrames(message, isBinary, random, compressed),
    aside: () => oddFrame(random),
  };
}

/** @returns undefined when the node does not want it. */
async function rawSocket(wire: Wire, random: Random): Promise<Speech | undefined> {
  const serializer = random.pick(SERIALIZERS);
  const id = CODECS[serializer].rawSocketId;
  await wire.send(Buffer.of(0x7f, ((random.chance(0.9) ? 15 : random.between(0, 15)) << 4) | id, 0, 0), random);
  await wire.until((received) => received.length >= 4);
  if (wire.take()[0] !== 0x7f) return undefined;
  return {
    ...{ serializer, batched: false, compressed: false, read: rawFramesOf },
    framed: (message) => rawFrame(0, message),
    aside: () => {
      const length = random.pick([0, 5, 5, 5, 2 ** 20, 2 ** 24 - 1, 2 ** 24]);
      return rawFrame(random.between(0, 15), random.bytes(5), length);
    },
  };
}

function rawFramesOf(bytes: Buffer): { readonly messages: readonly Buffer[]; readonly rest: Buffer } {
  const messages: Buffer[] = [];
  let rest = bytes;
  while (rest.length >= 4) {
    const end = 4 + rest.readUIntBE(1, 3);
    if (rest.length < end) break;
    if ((rest[0] ?? 0) % 8 === 0) messages.push(rest.subarray(4, end));
    rest = rest.subarray(end);
  }
  return { messages, rest };
}
