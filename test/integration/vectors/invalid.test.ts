/**
 * Every sample of `invalid-messages.json`, each on a connection of its own (samples for `any` state on two), over both
 * transports, in batches too, and in every serializer that can say it: what is valid JSON is translated, what is broken stays in its own
 * serializer, and what is wrong with a WebSocket frame stays on WebSockets. With the answer the vectors ask for: an
 * ABORT is followed by the close of the transport and nothing else, an ERROR or silence leaves the session usable, and
 * after each of them the router serves the next client.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SerializerName } from '../../support/codec.js';
import { CODECS, inBatch } from '../../support/codec.js';
import type { Daemon } from '../../support/daemon.js';
import { startDaemon } from '../../support/daemon.js';
import { nodeConfig } from '../../support/node-config.js';
import { loadVectors } from '../../support/scenario.js';
import type { TransportClient, TransportName } from '../../support/transports.js';
import { RAWSOCKET_TRANSPORTS, TRANSPORTS } from '../../support/transports.js';
import type { CloseInfo } from '../../support/wamp-client.js';
import { ConnectionClosed, isAnswer, QUESTION, WampClient, within } from '../../support/wamp-client.js';

const PROTOCOL_VIOLATION = 'wamp.error.protocol_violation';

interface Sample {
  readonly name: string;
  readonly state: 'new' | 'established' | 'any';
  readonly json?: string;
  /** The fault is the kind of the WebSocket frame; other transports have no kinds of frames. */
  readonly frame?: 'binary';
  readonly hex?: string;
  readonly serializer?: SerializerName;
  readonly expect: string;
}

interface Case {
  readonly name: string;
  readonly in: 'new' | 'established';
  readonly expect: string;
  /** What is sent, and whether in a binary frame. */
  readonly bytes: Buffer;
  readonly isBinary: boolean;
}

const { samples } = loadVectors('invalid-messages.json') as { readonly samples: readonly Sample[] };
const jsonSamples = samples.filter(({ json }) => json !== undefined);

/** The JSON text as another serializer writes its value; undefined when the fault is in the text itself. */
function translated(json: string, serializer: SerializerName): Buffer | undefined {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    // Broken JSON has no value: it says nothing about another serializer.
    return undefined;
  }
  return CODECS[serializer].encode(value as readonly unknown[]);
}

function bytesOf(sample: Sample, serializer: SerializerName): Buffer | undefined {
  if (sample.hex !== undefined) return sample.serializer === serializer ? Buffer.from(sample.hex, 'hex') : undefined;
  const { json = '', frame } = sample;
  if (serializer === 'json') return Buffer.from(json);
  return frame === undefined ? translated(json, serializer) : undefined;
}

/** The samples as a serializer says them on a transport, those for any state twice. */
function casesOf(transport: TransportName, serializer: SerializerName): readonly Case[] {
  return samples.flatMap((sample) => {
    if (sample.frame !== undefined && transport !== 'WebSocket') return [];
    const bytes = bytesOf(sample, serializer);
    if (bytes === undefined) return [];
    const isBinary = CODECS[serializer].isBinary || sample.frame === 'binary';
    const states = sample.state === 'any' ? (['new', 'established'] as const) : [sample.state];
    const sent = transport === 'WebSocket, batched' ? inBatch(CODECS[serializer], bytes) : bytes;
    return states.map((state) => ({ ...sample, in: state, bytes: sent, isBinary }));
  });
}

/** What the router did: an answer, the end of the connection, or nothing. */
type Outcome = { readonly message: readonly unknown[] } | { readonly closed: CloseInfo } | 'silence';

/** @param maySilent an answer may stay away: then another question, which is behind it, is answered first. */
async function outcome(client: TransportClient, maySilent: boolean): Promise<Outcome> {
  if (maySilent && client.isOpen) client.send(QUESTION);
  try {
    const message = await client.next();
    if (maySilent && isAnswer(message)) return 'silence';
    if (maySilent && message[0] !== 3) expect(isAnswer(await client.next())).toBe(true);
    return { message };
  } catch (error) {
    if (error instanceof ConnectionClosed) return { closed: error.info };
    throw error;
  }
}

/** `abort:a|b` is `abort:a` or `abort:b`; the other alternatives are complete in themselves. */
function alternatives(expected: string): readonly string[] {
  return expected.split('|').map((word) => (word.startsWith('wamp.') ? `abort:${word}` : word));
}

/** The outcome in the words of the vectors: `abort:URI`, `error:TYPE:URI`, `reply:TYPE`, `silence`, `close`. */
function describeOutcome(found: Outcome): string {
  if (found === 'silence') return 'silence';
  if ('closed' in found) return 'close';
  const [type, first, , , fourth] = found.message;
  if (type === 3) return `abort:${String(found.message[2])}`;
  if (type === 8) return `error:${String(first)}:${String(fourth)}`;
  return `reply:${String(type)}`;
}

/** `ignored` and `accepted` are the vectors' words for a session that goes on, without and with an answer. */
function fits(found: string, alternative: string): boolean {
  if (alternative === 'ignored') return found === 'silence';
  if (alternative === 'accepted') return found === 'silence' || found.startsWith('reply:');
  return found === alternative;
}

/** A REGISTER, CALL, INVOCATION, YIELD, RESULT round trip of one session with itself. */
async function roundTrip(client: TransportClient, uri: string): Promise<void> {
  const [registered] = await client.ask([64, 101, {}, uri]);
  const [called, invocation] = await client.ask([48, 102, {}, uri, ['ping']]);
  const [answered, , , args] = await client.ask([70, invocation, {}, ['pong']]);
  expect([registered, called, answered, args]).toEqual([65, 68, 50, ['pong']]);
}

it('has every sample of the file', () => {
  const twice = jsonSamples.filter(({ state }) => state === 'any');
  expect([jsonSamples.length, twice.length, samples.length]).toEqual([149, 12, 160]);
  const counts = (transport: TransportName): readonly number[] =>
    (['json', 'msgpack', 'cbor'] as const).map((serializer) => casesOf(transport, serializer).length);
  expect(counts('WebSocket')).toEqual([161, 161, 160]);
  // Without the binary frame on a text subprotocol, in both states.
  expect(counts('RawSocket')).toEqual([159, 161, 160]);
  expect(counts('WebSocket, batched')).toEqual([159, 161, 160]);
});

let daemon: Daemon;
beforeAll(async () => {
  daemon = await startDaemon({ config: nodeConfig({ transports: RAWSOCKET_TRANSPORTS }) });
});
afterAll(async () => {
  const faults = daemon.logs.filter(({ level }) => level === 'error' || level === 'fatal');
  await daemon.dispose();
  expect(faults).toEqual([]);
});

describe.each(TRANSPORTS)('invalid messages over $transport, $serializer', (row) => {
  const { transport, serializer } = row;
  const connect = (): Promise<TransportClient> => row.connect(daemon);
  async function join(): Promise<TransportClient> {
    const client = await connect();
    await client.hello();
    return client;
  }

  it.concurrent.each(casesOf(transport, serializer))('$in: $name -> $expect', async (sample) => {
    const client = sample.in === 'established' ? await join() : await connect();
    sendOctets(client, sample);

    const accepted = alternatives(sample.expect);
    // Only where there is a session, which can be asked.
    const maySilent = accepted.some((word) => ['silence', 'ignored', 'accepted'].includes(word));
    const found = await outcome(client, maySilent);
    const description = describeOutcome(found);
    expect(
      accepted.filter((word) => fits(description, word)),
      `got ${description}`,
    ).not.toHaveLength(0);

    if (description.startsWith('abort:')) await expectEndAfterAbort(client, found as { message: unknown[] });
    else if (description !== 'close') await expectUsable(client, sample.in);
    await client.drop();

    const next = await connect();
    const { sessionId } = await next.hello();
    await roundTrip(next, `com.example.next${sessionId}`);
    await next.leave();
  });

  function sendOctets(client: TransportClient, { bytes, isBinary }: Case): void {
    if (client instanceof WampClient) client.socket.send(bytes, { binary: isBinary });
    else client.send(bytes);
  }

  async function expectEndAfterAbort(client: TransportClient, { message }: { message: readonly unknown[] }) {
    const [, details, reason] = message;
    // A person reads the details; they say something, and nothing of our insides.
    expect(details).toEqual({ message: expect.any(String) as string });
    expect(JSON.stringify(details)).not.toMatch(/\bat .*\.[jt]s|node_modules|\/src\//);
    const { code } = await within(client.closed, 'close after ABORT');
    // A RawSocket ends without a word.
    if (client instanceof WampClient) expect(code).toBe(reason === PROTOCOL_VIOLATION ? 1002 : 1000);
    await expect(client.next()).rejects.toThrow(ConnectionClosed);
  }

  async function expectUsable(client: TransportClient, state: Case['in']): Promise<void> {
    if (state === 'new') await client.hello();
    await roundTrip(client, `com.example.same${Math.random().toString(36).slice(2)}`);
  }

  it('answers a pipeline after a violation with nothing: what follows the offence has no effect', async () => {
    const watcher = await join();
    await watcher.ask([32, 1, {}, 'com.example.after']);
    const offender = await join();
    offender.send([]);
    offender.send([16, 1, { acknowledge: true }, 'com.example.after', ['must not arrive']]);
    expect((await offender.next())[2]).toBe(PROTOCOL_VIOLATION);
    await within(offender.closed, 'close after ABORT');
    await expect(offender.next()).rejects.toThrow(ConnectionClosed);
    await watcher.silent();
    await watcher.leave();
  });
});
