/**
 * Every message of `messages.json`, in three ways:
 * 1. the JSON serializer reads what clients send and writes it again equal, and writes what routers send as the sample
 *    says;
 * 2. what a client sends goes to the daemon, over every transport, in every serializer and in a state where it fits, and
 *    has its effect;
 * 3. what a router sends is provoked from the daemon, as far as this build can be brought to send it.
 */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { jsonSerializer } from '../../../src/serializer/json.js';
import type { Framing } from '../../../src/serializer/serializer.js';
import type { RoleFeatures, RouterMessage } from '../../../src/wamp/message.js';
import type { Dict } from '../../../src/wamp/payload.js';
import { payloadOf } from '../../../src/wamp/payload.js';
import { BUILT } from '../../support/built.js';
import { CODECS } from '../../support/codec.js';
import type { Daemon } from '../../support/daemon.js';
import { startDaemon } from '../../support/daemon.js';
import { ALLOW_ALL, nodeConfig, openRealm } from '../../support/node-config.js';
import { loadVectors, mismatch } from '../../support/scenario.js';
import type { TransportClient } from '../../support/transports.js';
import { RAWSOCKET_TRANSPORTS, TRANSPORTS } from '../../support/transports.js';
import { ALL_ROLES, ConnectionClosed, WampClient, within } from '../../support/wamp-client.js';

type Wire = readonly unknown[];
interface Sample {
  readonly name: string;
  readonly direction: 'C>R' | 'R>C' | 'both';
  /** Byte strings are `{ $bin: hex }`. */
  readonly message: Wire;
  readonly json: string;
  readonly msgpack_hex: string;
  readonly cbor_hex: string;
}

const { samples } = loadVectors('messages.json') as { readonly samples: readonly Sample[] };
const fromClient = samples.filter(({ direction }) => direction !== 'R>C');
const fromRouter = samples.filter(({ direction }) => direction !== 'C>R');
/** The JSON value: byte strings are NUL and Base64. */
const wire = ({ json }: Sample): Wire => JSON.parse(json) as Wire;
const NO_FRAMING: Framing = { headerBytes: () => 0, writeHeader: () => undefined };

/** The value that the router's code hands to the serializer for a message on the wire. */
function routerMessage([type, a, b, c, d, e, f]: Wire): RouterMessage {
  const [n, m] = [a as number, b as number];
  const payload = (args: unknown, kwargs: unknown) => payloadOf((args ?? []) as unknown[], kwargs as Dict | undefined);
  switch (type) {
    case 2: {
      const { roles, ...details } = b as Dict & { roles: RoleFeatures };
      return { type, session: n, details, roles };
    }
    case 3:
      return { type, details: a as Dict, reason: b as string, payload: payload(c, d) };
    case 4:
      return { type, authmethod: a as string, extra: b as Dict };
    case 6:
      return { type, details: a as Dict, reason: b as string };
    case 8:
      return { type, requestType: n, requestId: m, details: c as Dict, error: d as string, payload: payload(e, f) };
    case 17:
      return { type, requestId: n, publication: m };
    case 33:
      return { type, requestId: n, subscription: m };
    case 35:
    case 67:
      return { type, requestId: n, ...(b !== undefined && { details: b as Dict }) };
    case 36:
      return { type, subscription: n, publication: m, details: c as Dict, payload: payload(d, e), frames: [] };
    case 50:
      return { type, requestId: n, details: b as Dict, payload: payload(c, d) };
    case 65:
      return { type, requestId: n, registration: m };
    case 68:
      return { type, requestId: n, registration: m, details: c as Dict, payload: payload(d, e) };
    case 69:
      return { type, requestId: n, options: b as Dict };
    default:
      throw new Error(`no router message: ${String(type)}`);
  }
}

it('has 52 messages', () => {
  expect([samples.length, fromClient.length, fromRouter.length]).toEqual([52, 31, 26]);
});

describe('the JSON serializer', () => {
  it.each(fromClient)('reads and writes $name', (sample) => {
    const compact = jsonSerializer.decode(Buffer.from(sample.json));
    expect(JSON.parse(jsonSerializer.encode(compact, NO_FRAMING).toString())).toEqual(wire(sample));
    // The same value with other white space is the same message.
    const airy = jsonSerializer.decode(Buffer.from(JSON.stringify(wire(sample), null, 2)));
    expect(JSON.parse(jsonSerializer.encode(airy, NO_FRAMING).toString())).toEqual(wire(sample));
  });

  it('hands every message of a router to a client over a WebSocket', async () => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => 'wamp.2.json' });
    await once(server, 'listening');
    server.on('connection', (socket) => {
      for (const sample of fromRouter) {
        socket.send(jsonSerializer.encode(routerMessage(wire(sample)), NO_FRAMING), { binary: false });
      }
    });
    const client = await WampClient.connect(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
    for (const sample of fromRouter) expect(await client.next(), sample.name).toEqual(sample.message);
    await client.close();
    server.close();
  });
});

describe('the serializers of the tests', () => {
  it.each(samples)('read the three forms of $name and write them', ({ message, json, msgpack_hex, cbor_hex }) => {
    const forms = {
      json: Buffer.from(json),
      msgpack: Buffer.from(msgpack_hex, 'hex'),
      cbor: Buffer.from(cbor_hex, 'hex'),
    };
    for (const name of ['json', 'msgpack', 'cbor'] as const) {
      const codec = CODECS[name];
      expect(codec.decode(forms[name]), name).toEqual(message);
      expect(codec.decode(codec.encode(message)), name).toEqual(message);
    }
  });
});

let daemon: Daemon;
beforeAll(async () => {
  const disclosed = {
    name: 'anonymous',
    permissions: [{ ...ALLOW_ALL[0], disclose: { caller: true, publisher: true } }],
  };
  const realms = [openRealm('realm1'), openRealm('com.example.realm'), { name: 'disclosed', roles: [disclosed] }];
  daemon = await startDaemon({ config: nodeConfig({ realms, transports: RAWSOCKET_TRANSPORTS }) });
});
afterAll(() => daemon.dispose());

describe.each(TRANSPORTS)('to the daemon over $transport, $serializer', (row) => {
  let clients: TransportClient[] = [];

  afterEach(async () => {
    await Promise.all(clients.map((client) => client.drop()));
    clients = [];
  });

  async function connect(): Promise<TransportClient> {
    const client = await row.connect(daemon);
    clients.push(client);
    return client;
  }
  async function join(realm = 'realm1', roles: object = ALL_ROLES): Promise<TransportClient> {
    const client = await connect();
    await client.hello(realm, { roles });
    return client;
  }
  /** The session goes on: it gets an answer to a request of its own. */
  async function expectAlive(client: TransportClient): Promise<void> {
    const answer = await client.ask([48, 900, {}, 'com.example.none']);
    expect(answer.slice(0, 5)).toEqual([8, 48, 900, {}, 'wamp.error.no_such_procedure']);
  }
  /** A callee with `uri` registered and a caller whose CALL with `requestId` waits for it. */
  async function pendingCall(requestId: number, calls = 1, roles: object = ALL_ROLES, uri = 'com.example.pending') {
    const callee = await join('realm1', roles);
    const caller = await join();
    const [, , registration] = await callee.ask([64, 1, {}, uri]);
    let invocation: Wire = [];
    for (let i = 0; i < calls; i++) {
      caller.send([48, requestId - calls + 1 + i, {}, uri]);
      invocation = await callee.next();
    }
    return { callee, caller, registration, invocation, invocationId: invocation[1] };
  }

  // --- What the checks of several samples share.

  async function abort(sample: Wire): Promise<void> {
    const { callee, caller } = await pendingCall(1);
    callee.send(sample);
    // The session is gone with all it had; nothing is said to the one who left.
    expect((await caller.next()).slice(0, 5)).toEqual([8, 48, 1, {}, 'wamp.error.canceled']);
    expect((await caller.ask([48, 2, {}, 'com.example.pending']))[4]).toBe('wamp.error.no_such_procedure');
    await within(callee.closed, 'close after the ABORT of the client');
    await expect(callee.next()).rejects.toThrow(ConnectionClosed);
  }
  async function goodbye(sample: Wire): Promise<void> {
    const client = await join();
    expect(await client.ask(sample)).toEqual([6, {}, 'wamp.close.goodbye_and_out']);
  }
  async function publish(sample: Wire): Promise<void> {
    const [, , , topic, ...payload] = sample;
    const [publisher, subscriber] = [await join(), await join()];
    const [, , subscription] = await subscriber.ask([32, 1, {}, topic]);
    publisher.send(sample);
    const [type, to, , details, ...received] = await subscriber.next();
    expect([type, to, details, received]).toEqual([36, subscription, {}, payload]);
    await expectAlive(publisher);
  }
  /** A request of this type and id is granted: the answer has the next code, the same id, and an id of the router. */
  async function granted(sample: Wire): Promise<void> {
    const [type, requestId] = sample;
    const client = await join();
    expect(await client.ask(sample)).toEqual([(type as number) + 1, requestId, expect.any(Number)]);
    await expectAlive(client);
  }
  /** Whether WELCOME announces a feature; one of `built.ts` must be announced. */
  async function announces(role: 'broker' | 'dealer', feature: string): Promise<boolean> {
    const [, , details] = await (await connect()).ask([1, 'realm1', { roles: ALL_ROLES }]);
    const { roles } = details as { roles: Record<string, { features: Record<string, boolean> }> };
    const announced = roles[role]?.features[feature] === true;
    const built = role === 'broker' ? BUILT.hasBroker(feature) : BUILT.hasDealer(feature);
    expect(announced || !built, `${role} feature ${feature} is announced`).toBe(true);
    return announced;
  }
  /** The sample asks for a feature: it is granted where WELCOME announces it, and refused with an ERROR otherwise. */
  function asking(role: 'broker' | 'dealer', feature: string): (sample: Wire) => Promise<void> {
    return async (sample) => {
      if (await announces(role, feature)) return granted(sample);
      const [type, requestId] = sample;
      const client = await join();
      const error = await client.ask(sample);
      expect(error.slice(0, 5)).toEqual([8, type, requestId, {}, 'wamp.error.option_not_allowed']);
      await expectAlive(client);
    };
  }
  async function call(sample: Wire, realm = 'realm1'): Promise<void> {
    const [, requestId, , procedure, ...payload] = sample;
    const [caller, callee] = [await join(realm), await join(realm)];
    const [, , registration] = await callee.ask([64, 1, {}, procedure]);
    caller.send(sample);
    const [type, invocationId, to, , ...received] = await callee.next();
    expect([type, to, received]).toEqual([68, registration, payload]);
    callee.send([70, invocationId, {}, ['done']]);
    expect(await caller.next()).toEqual([50, requestId, {}, ['done']]);
    await expectAlive(caller);
  }
  async function answer(sample: Wire, result: Wire): Promise<void> {
    // Invocation ids count up from 1, so as many calls make the sample's id a real one.
    const { callee, caller, invocationId } = await pendingCall(10, sample[1] as number);
    expect(invocationId).toBe(sample[1]);
    callee.send(sample);
    expect(await caller.next()).toEqual(result);
    await expectAlive(callee);
  }

  /** What every sample of a client must bring about. */
  const effects: Readonly<Record<string, (sample: Wire) => Promise<void>>> = {
    'HELLO basic': async (sample) => {
      const client = await connect();
      expect((await client.ask(sample))[0]).toBe(2);
      await expectAlive(client);
    },
    'HELLO auth': async (sample) => {
      const client = await connect();
      const [type, , details] = await client.ask(sample);
      // Of the offered methods only `anonymous` is configured; the requested authid does not count for it.
      expect([type, details]).toEqual([2, expect.objectContaining({ realm: sample[1], authmethod: 'anonymous' })]);
      expect((details as Dict)['authid']).not.toBe('joe');
      await expectAlive(client);
    },
    ABORT: abort,
    'ABORT args': abort,
    'ABORT kwargs': abort,
    // No method of this build sends a CHALLENGE, so there is no state in which it fits: it is read, and refused for
    // its time, not for its form.
    AUTHENTICATE: async (sample) => {
      const client = await join();
      const [type, details, reason] = await client.ask(sample);
      expect([type, reason]).toEqual([3, 'wamp.error.protocol_violation']);
      expect(details).toEqual({ message: expect.stringMatching(/not allowed in an established session/) as string });
    },
    GOODBYE: goodbye,
    'GOODBYE message': goodbye,
    'ERROR invocation args kwargs': async ([type, requestType, , details, ...rest]) => {
      // The sample's invocation id would take six million calls: it is replaced by a real one.
      const { callee, caller, invocationId } = await pendingCall(1);
      callee.send([type, requestType, invocationId, details, ...rest]);
      expect(await caller.next()).toEqual([8, 48, 1, {}, ...rest]);
      await expectAlive(callee);
    },
    'PUBLISH min': publish,
    'PUBLISH ack args': async (sample) => {
      const [, requestId, , topic, args] = sample;
      const publisher = await join();
      const [, , subscription] = await publisher.ask([32, 1, {}, topic]);
      publisher.send(sample);
      // Not excluded and acknowledged: both arrive at the publisher, with one publication id.
      const received = [await publisher.next(), await publisher.next()];
      const published = received.find(([type]) => type === 17) ?? [];
      expect(received).toContainEqual([17, requestId, expect.any(Number)]);
      expect(received).toContainEqual([36, subscription, published[2], {}, args]);
    },
    'PUBLISH kwargs only': publish,
    'PUBLISH filters': async (sample) => {
      const [, , , topic] = sample;
      const [publisher, subscriber] = [await join(), await join()];
      await subscriber.ask([32, 1, {}, topic]);
      publisher.send(sample);
      publisher.send([16, 5, {}, topic, ['for all']]);
      // Nobody is on the white lists, so the next publication is the first that arrives.
      expect((await subscriber.next())[4]).toEqual(['for all']);
      await expectAlive(publisher);
    },
    'PUBLISH binary': publish,
    'PUBLISH unicode': publish,
    'PUBLISH retain': publish,
    'PUBLISH big integers': publish,
    SUBSCRIBE: granted,
    // It asks for what was retained, too.
    'SUBSCRIBE prefix': async (sample) => {
      const [publisher, subscriber] = [await join(), await join()];
      await publisher.ask([16, 1, { retain: true, acknowledge: true }, 'com.myapp.state', ['kept']]);
      const [type, requestId, subscription] = await subscriber.ask(sample);
      expect([type, requestId]).toEqual([33, sample[1]]);
      const [event, to, , details, ...payload] = await subscriber.next();
      expect([event, to, details]).toEqual([36, subscription, { topic: 'com.myapp.state', retained: true }]);
      expect(payload).toEqual([['kept']]);
      await expectAlive(subscriber);
    },
    'SUBSCRIBE wildcard': asking('broker', 'pattern_based_subscription'),
    UNSUBSCRIBE: async ([type, requestId, unknown]) => {
      const client = await join();
      const [, , subscription] = await client.ask([32, 1, {}, 'com.example.topic']);
      expect(await client.ask([type, requestId, subscription])).toEqual([35, requestId]);
      const error = await client.ask([type, requestId, unknown]);
      expect(error.slice(0, 5)).toEqual([8, 34, requestId, {}, 'wamp.error.no_such_subscription']);
      await expectAlive(client);
    },
    'CALL min': (sample) => call(sample),
    // It says `disclose_me`, which only a realm that allows it grants.
    'CALL options': (sample) => call(sample, 'disclosed'),
    'CALL kwargs': (sample) => call(sample),
    CANCEL: async (sample) => {
      const { callee, caller, invocationId } = await pendingCall(sample[1] as number);
      caller.send(sample);
      if (await announces('dealer', 'call_canceling')) {
        // The callee cannot cancel, so there is nothing to wait for: the caller has its answer.
        expect((await caller.next()).slice(0, 5)).toEqual([8, 48, sample[1], {}, 'wamp.error.canceled']);
        return expectAlive(caller);
      }
      await expectAlive(caller);
      // Without call canceling the call runs to its end.
      callee.send([70, invocationId, {}, ['not canceled']]);
      expect(await caller.next()).toEqual([50, sample[1], {}, ['not canceled']]);
    },
    REGISTER: granted,
    'REGISTER shared': asking('dealer', 'shared_registration'),
    UNREGISTER: async ([type, requestId, unknown]) => {
      const client = await join();
      const [, , registration] = await client.ask([64, 1, {}, 'com.example.procedure']);
      expect(await client.ask([type, requestId, registration])).toEqual([67, requestId]);
      const error = await client.ask([type, requestId, unknown]);
      expect(error.slice(0, 5)).toEqual([8, 66, requestId, {}, 'wamp.error.no_such_registration']);
      await expectAlive(client);
    },
    'YIELD min': (sample) => answer(sample, [50, 10, {}]),
    // Progressive results are not announced and nobody asked for them: only the final one goes on to the caller.
    'YIELD progress': async (sample) => {
      const { callee, caller, invocationId } = await pendingCall(10, sample[1] as number);
      callee.send(sample);
      callee.send([70, invocationId, {}, ['final']]);
      expect([invocationId, await caller.next()]).toEqual([sample[1], [50, 10, {}, ['final']]]);
      await expectAlive(callee);
    },
    'YIELD kwargs': (sample) => answer(sample, [50, 10, {}, [], { userid: 123, karma: 10 }]),
  };

  it('knows the effect of every message of a client', () => {
    expect(Object.keys(effects)).toEqual(fromClient.map(({ name }) => name));
  });
  it.each(fromClient)('client: $name', async (sample) => {
    await effects[sample.name]!(sample.message);
  });

  async function event(realm: string, payload: Wire): Promise<Wire> {
    const [publisher, subscriber] = [await join(realm), await join(realm)];
    await subscriber.ask([32, 1, {}, 'com.example.topic']);
    publisher.send([16, 1, {}, 'com.example.topic', ...payload]);
    return subscriber.next();
  }
  async function result(requestId: number, payload: Wire): Promise<Wire> {
    const { callee, caller, invocationId } = await pendingCall(requestId);
    callee.send([70, invocationId, {}, ...payload]);
    return caller.next();
  }

  /**
   * How the daemon is brought to send a sample, and what of it the daemon decides: `$name` stands for an id of its
   * own. Samples that are not here are written by the serializer above, but nothing in this build sends them yet.
   */
  const provoked: Readonly<Record<string, { readonly expect: Wire; readonly provoke: () => Promise<Wire> }>> = {
    WELCOME: {
      expect: [
        2,
        '$session',
        {
          roles: { broker: { features: {} }, dealer: { features: {} } },
          realm: 'realm1',
          authid: '?',
          authrole: 'anonymous',
          authmethod: 'anonymous',
          authprovider: 'static',
        },
      ],
      provoke: async () => (await connect()).ask([1, 'realm1', { roles: ALL_ROLES }]),
    },
    ABORT: {
      expect: [3, { message: '?' }, 'wamp.error.no_such_realm'],
      provoke: async () => (await connect()).ask([1, 'no.such.realm', { roles: ALL_ROLES }]),
    },
    GOODBYE: {
      expect: [6, {}, 'wamp.close.goodbye_and_out'],
      provoke: async () => (await join()).ask([6, {}, 'wamp.close.normal']),
    },
    'ERROR call': {
      expect: [8, 48, 1, {}, 'wamp.error.no_such_procedure'],
      provoke: async () => (await (await join()).ask([48, 1, {}, 'com.example.none'])).slice(0, 5),
    },
    PUBLISHED: {
      expect: [17, 1, '$publication'],
      provoke: async () => (await join()).ask([16, 1, { acknowledge: true }, 'com.example.topic']),
    },
    SUBSCRIBED: {
      expect: [33, 713845233, '$subscription'],
      provoke: async () => (await join()).ask([32, 713845233, {}, 'com.example.topic']),
    },
    UNSUBSCRIBED: {
      expect: [35, 2],
      provoke: async () => {
        const client = await join();
        const [, , subscription] = await client.ask([32, 1, {}, 'com.example.topic']);
        return client.ask([34, 2, subscription]);
      },
    },
    'EVENT min': { expect: [36, '$subscription', '$publication', {}], provoke: () => event('realm1', []) },
    'EVENT args': {
      expect: [
        36,
        '$subscription',
        '$publication',
        { publisher: '$session', publisher_authid: '?', publisher_authrole: 'anonymous' },
        ['Hello'],
      ],
      provoke: () => event('disclosed', [['Hello']]),
    },
    'EVENT kwargs': {
      expect: [36, '$subscription', '$publication', {}, [], { color: 'orange' }],
      provoke: () => event('realm1', [[], { color: 'orange' }]),
    },
    'RESULT min': { expect: [50, 1, {}], provoke: () => result(1, []) },
    'RESULT kwargs': { expect: [50, 3, {}, [], { userid: 123 }], provoke: () => result(3, [[], { userid: 123 }]) },
    REGISTERED: {
      expect: [65, 25349185, '$registration'],
      provoke: async () => (await join()).ask([64, 25349185, {}, 'com.example.procedure']),
    },
    UNREGISTERED: {
      expect: [67, 3],
      provoke: async () => {
        const client = await join();
        const [, , registration] = await client.ask([64, 1, {}, 'com.example.procedure']);
        return client.ask([66, 3, registration]);
      },
    },
    'INVOCATION min': {
      expect: [68, 1, '$registration', {}],
      provoke: async () => (await pendingCall(1)).invocation,
    },
    'INVOCATION details': {
      expect: [
        68,
        1,
        '$registration',
        { caller: '$session', caller_authid: '?', caller_authrole: 'anonymous' },
        ['Hello'],
      ],
      provoke: async () => {
        const client = await join('disclosed');
        await client.ask([64, 1, {}, 'com.example.procedure']);
        return client.ask([48, 2, {}, 'com.example.procedure', ['Hello']]);
      },
    },
    INTERRUPT: {
      expect: [69, 1, { mode: 'killnowait' }],
      provoke: async () => {
        const canceling = { ...ALL_ROLES, callee: { features: { call_canceling: true } } };
        const { callee, caller } = await pendingCall(1, 1, canceling);
        await caller.drop();
        return callee.next();
      },
    },
  };

  it('provokes messages that are in the vectors', () => {
    const names = fromRouter.map(({ name }) => name);
    expect(Object.keys(provoked).filter((name) => !names.includes(name))).toEqual([]);
  });
  it.each(Object.entries(provoked))('router: %s', async (_name, { expect: pattern, provoke }) => {
    expect(mismatch(pattern, await provoke(), new Map())).toBeUndefined();
  });
});
