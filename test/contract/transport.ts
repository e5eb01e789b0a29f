/**
 * What every transport of WAMP keeps, whatever its frames are: sessions on a connection, and the causes for which it is
 * closed; what comes with sockets is in `transport-sockets.ts`. Call it from a test for each kind; the router, the host and
 * the sockets are real ones.
 */
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { ContractClient, TransportSubject, TransportWorld, WorldOptions } from '../support/transport-world.js';
import { socketContract } from './transport-sockets.js';
import { HELLO, GOODBYE, ID, join, linesOf, PROCEDURE, rest, sizeOf, TOPIC } from './transport-tools.js';
import type { Tools } from './transport-tools.js';

export function transportContract(name: string, subject: TransportSubject): void {
  describe(`${name} as a transport`, () => {
    let world: TransportWorld | undefined;
    afterEach(async () => {
      vi.useRealTimers();
      await world?.stop();
      const faults = world?.logs.filter(({ level }) => level === 'error' || level === 'fatal');
      world = undefined;
      expect(faults ?? []).toEqual([]);
    });

    const opened = async (options: WorldOptions = {}): Promise<TransportWorld> => (world = await subject.open(options));
    const tools = { subject, opened };
    sessions(tools);
    endings(tools);
    if (subject.acts !== undefined) socketContract({ ...tools, acts: subject.acts });
  });
}

function sessions({ subject, opened }: Tools): void {
  describe('a session', () => {
    it('publishes and subscribes, calls and is called, across connections', async () => {
      const world = await opened();
      const [first, second] = [await join(world), await join(world)];
      const [, , subscription] = await first.ask([32, 1, {}, TOPIC]);
      await first.ask([64, 2, {}, PROCEDURE]);
      expect(await second.ask([16, 1, { acknowledge: true }, TOPIC, ['é', 1], { k: null }])).toEqual([17, 1, ID]);
      expect(await first.next()).toEqual([36, subscription, ID, {}, ['é', 1], { k: null }]);
      second.send([48, 2, {}, PROCEDURE, [1]]);
      const [type, request] = await first.next();
      expect(type).toBe(68);
      first.send([70, request, {}, [2]]);
      expect(await second.next()).toEqual([50, 2, {}, [2]]);
    });

    it('keeps the order of a burst that comes with its HELLO', async () => {
      const world = await opened();
      const subscriber = await join(world);
      const [, , subscription] = await subscriber.ask([32, 1, {}, TOPIC]);
      const sender = await world.connect();
      sender.send(HELLO);
      for (let i = 1; i <= 500; i++) {
        if (i % 10 === 0) sender.send([48, i, {}, 'com.example.none']);
        else sender.send([16, i, { acknowledge: true }, TOPIC, [i]]);
      }
      expect((await sender.next())[0]).toBe(2);
      for (let i = 1; i <= 500; i++) {
        const [type, request, id] = await sender.next();
        expect(i % 10 === 0 ? [type, id] : [type, request]).toEqual(i % 10 === 0 ? [8, i] : [17, i]);
      }
      for (let i = 1; i <= 500; i++) {
        if (i % 10 !== 0) expect(await subscriber.next()).toEqual([36, subscription, ID, {}, [i]]);
      }
    });

    it.runIf(subject.framing !== undefined)('is told to others with the facts of its connection', async () => {
      const world = await opened();
      const [asker, other] = [await join(world), await join(world)];
      const [, , , args] = await asker.ask([48, 1, {}, 'wamp.session.get', [other.sessionId]]);
      const [{ transport }] = args as [{ transport: unknown }];
      expect(transport).toMatchObject({
        channel_framing: subject.framing,
        channel_serializer: subject.serializer,
        peer: expect.any(String) as string,
      });
    });

    it.runIf(subject.acts !== undefined)('follows another one on the same connection, at once', async () => {
      const world = await opened();
      const client = await join(world);
      await client.ask([32, 1, {}, TOPIC]);
      for (const message of [GOODBYE, HELLO, [32, 1, {}, TOPIC]]) client.send(message);
      expect(await client.next()).toEqual([6, {}, 'wamp.close.goodbye_and_out']);
      const [type, sessionId] = await client.next();
      expect([type, sessionId === client.sessionId]).toEqual([2, false]);
      expect((await client.next())[0]).toBe(33);
      expect(sizeOf(world)).toMatchObject({ sessions: 1, subscriptions: 1 });
    });
  });
}

function endings({ subject, opened }: Tools): void {
  /** Waits for the end. */
  const closedWith = async (client: ContractClient, code: number): Promise<void> => {
    expect((await client.closed).code).toBe(subject.closeCodes ? code : 0);
  };

  describe('a connection is closed', () => {
    // A component cannot make the others: what it is asked to send is checked before.
    const offences = [
      { what: 'a second HELLO', message: HELLO },
      { what: 'what only a router says', message: [2, 1, {}] },
      { what: 'a message without its request id', message: [32, 'x', {}, TOPIC] },
    ].slice(0, subject.acts === undefined ? 1 : undefined);

    it.each(offences)('for $what: ABORT, and nothing is left', async ({ message }) => {
      const world = await opened();
      const [witness, offender] = [await join(world), await join(world)];
      await offender.ask([32, 1, {}, TOPIC]);
      offender.send(message);
      const [type, , reason] = await offender.next();
      expect([type, reason]).toEqual([3, 'wamp.error.protocol_violation']);
      expect(await rest(offender)).toEqual([]);
      await closedWith(offender, 1002);
      expect(sizeOf(world)).toMatchObject({ sessions: 1, subscriptions: 0 });
      expect(linesOf(world, 'protocol violation')).toMatchObject([{ level: 'warn', sessionId: offender.sessionId }]);
      expect((await witness.ask([32, 1, {}, TOPIC]))[0]).toBe(33);
    });

    it('when its session is killed, behind its own GOODBYE', async () => {
      const world = await opened();
      const [killer, victim] = [await join(world), await join(world)];
      killer.send([48, 1, {}, 'wamp.session.kill', [victim.sessionId], { reason: 'com.example.enough' }]);
      expect(await victim.next()).toEqual([6, {}, 'com.example.enough']);
      expect((await killer.next()).slice(0, 2)).toEqual([50, 1]);
      expect(sizeOf(world)).toMatchObject({ sessions: 1 });
      victim.send([6, {}, 'wamp.close.goodbye_and_out']);
      await closedWith(victim, 1000);
    });

    it('when the client gives up with ABORT; a call that it was to answer fails', async () => {
      const world = await opened();
      const [caller, callee] = [await join(world), await join(world)];
      await callee.ask([64, 1, {}, PROCEDURE]);
      caller.send([48, 1, {}, PROCEDURE]);
      expect((await callee.next())[0]).toBe(68);
      callee.send([3, {}, 'com.example.tired']);
      await closedWith(callee, 1000);
      expect((await caller.next()).slice(0, 5)).toEqual([8, 48, 1, {}, 'wamp.error.canceled']);
    });

    it('when the node stops, with GOODBYE where it says so', async () => {
      const world = await opened({ saysGoodbye: true });
      const client = await join(world);
      const stopped = world.stop();
      const [type, , reason] = await client.next();
      expect([type, reason]).toEqual([6, 'wamp.close.system_shutdown']);
      client.send([6, {}, 'wamp.close.goodbye_and_out']);
      await closedWith(client, 1001);
      await stopped;
      expect(sizeOf(world)).toMatchObject({ sessions: 0 });
    });
  });
}
