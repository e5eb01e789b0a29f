/** Payloads that have no place in the receiver's serializer: everybody gets an answer, nobody else is harmed. */
import { describe, expect, it } from 'vitest';
import { silentLogger } from '../../../src/log/logger.js';
import { Router } from '../../../src/router/router.js';
import { cborSerializer } from '../../../src/serializer/cbor.js';
import { jsonSerializer } from '../../../src/serializer/json.js';
import { msgpackSerializer } from '../../../src/serializer/msgpack.js';
import type { Serializer } from '../../../src/serializer/serializer.js';
import { Session } from '../../../src/session/session.js';
import type { CloseCause } from '../../../src/session/transport.js';
import type { RouterMessage } from '../../../src/wamp/message.js';
import { everybody } from '../../support/client.js';
import { FakeTransport } from '../../support/fake-transport.js';
import { FORMATS } from '../../support/formats.js';
import { ALLOW_ALL, FakeClock } from '../../support/realm.js';

const UNFRAMED = { headerBytes: () => 0, writeHeader: () => undefined };
const roles = { caller: {}, callee: { features: {} }, publisher: {}, subscriber: {} };
const ID = expect.any(Number) as unknown;
const DEEP = `${'['.repeat(70)}${']'.repeat(70)}`;

/** What it cannot write it refuses, as transports with a serializer do. */
class WritingTransport extends FakeTransport {
  readonly inbox: unknown[] = [];
  readonly #written: (message: RouterMessage) => unknown;

  constructor(written: (message: RouterMessage) => unknown) {
    super();
    this.#written = written;
  }

  override send(message: RouterMessage): void {
    this.inbox.push(this.#written(message));
  }

  override close(cause: CloseCause): void {
    this.inbox.push(cause);
  }
}

function peers() {
  let lastId = 100;
  const deps = { randomId: () => ++lastId, clock: Date.now, scheduler: new FakeClock() };
  const router = new Router([{ name: 'realm1', roles: [ALLOW_ALL] }], deps);
  return (serializer: Serializer) => {
    const format = FORMATS.find(({ type }) => type === serializer.type);
    if (format === undefined) throw new Error('no such format');
    const transport = new WritingTransport((message) => format.read(serializer.encode(message, UNFRAMED)));
    const { inbox } = transport;
    const session = new Session(transport, { router, log: silentLogger(), authMethods: everybody() });
    const say = (fields: unknown[] | string) => {
      session.receive(serializer.decode(typeof fields === 'string' ? Buffer.from(fields) : format.write(fields)));
      return inbox.splice(0);
    };
    say([1, 'realm1', { roles }]);
    return { say, take: () => inbox.splice(0) };
  };
}

const refused = (...head: unknown[]) => [...head, 'wamp.error.invalid_argument', ['the payload is nested too deep']];

describe.each([msgpackSerializer, cborSerializer])('nested too deep for a peer with $type', (binary) => {
  it('as arguments: the caller is told, and the callee hears nothing', async () => {
    const join = peers();
    const callee = join(binary);
    const caller = join(jsonSerializer);
    callee.say([64, 1, {}, 'a.b']);
    expect(caller.say(`[48,1,{},"a.b",${DEEP}]`)).toEqual([]);
    await Promise.resolve();
    expect(caller.take()).toEqual([refused(8, 48, 1, {})]);
    expect(callee.take()).toEqual([]);
    caller.say('[48,2,{},"a.b",["x"]]');
    expect(callee.take()).toEqual([[68, 2, ID, {}, ['x']]]);
    callee.say([70, 2, {}, ['y']]);
    expect(caller.take()).toEqual([[50, 2, {}, ['y']]]);
  });

  it('as a result or an error: the caller is told instead', () => {
    const join = peers();
    const callee = join(jsonSerializer);
    const caller = join(binary);
    callee.say([64, 1, {}, 'a.b']);
    caller.say([48, 1, {}, 'a.b']);
    expect(callee.say(`[70,1,{},${DEEP}]`)).toEqual([[68, 1, ID, {}]]);
    expect(caller.take()).toEqual([refused(8, 48, 1, {})]);
    caller.say([48, 2, {}, 'a.b']);
    callee.say(`[8,68,2,{},"my.error",${DEEP}]`);
    expect(caller.take()).toEqual([[8, 48, 2, {}, 'my.error', ['the payload is nested too deep']]]);
  });

  it('as an event: this subscriber misses it, others get it', () => {
    const join = peers();
    const [first, second, third, publisher] = [
      join(jsonSerializer),
      join(binary),
      join(jsonSerializer),
      join(jsonSerializer),
    ];
    for (const subscriber of [first, second, third]) subscriber.say([32, 1, {}, 'a.b']);
    expect(publisher.say(`[16,1,{"acknowledge":true},"a.b",${DEEP}]`)).toEqual([[17, 1, ID]]);
    expect([first.take().length, second.take().length, third.take().length]).toEqual([1, 0, 1]);
    publisher.say('[16,2,{},"a.b",["x"]]');
    expect(second.take()).toEqual([[36, ID, ID, {}, ['x']]]);
  });
});
