/**
 * What every transport of WAMP on sockets keeps beside `transport.ts`: ends of a socket, limits, deadlines, pings and slow
 * readers. Where a deadline is tested, the clock is moved by hand.
 */
import { randomBytes } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import { OPENING_TOO_LARGE } from '../../src/session/opening.js';
import { receivedMemory } from '../../src/transport/received-memory.js';
import { MAX_SESSIONS } from '../../src/transport/session-pace.js';
import { CODECS } from '../support/codec.js';
import type { ContractClient } from '../support/transport-world.js';
import { ALL_ROLES } from '../support/wamp-client.js';
import {
  GOODBYE,
  HELLO,
  ID,
  join,
  linesOf,
  PROCEDURE,
  rest,
  several,
  sizeOf,
  stopClock,
  TOPIC,
  until,
} from './transport-tools.js';
import type { SocketTools } from './transport-tools.js';

/** Deadlines of the suite, and one that is not reached. */
const SHORT_MS = 1000;
const LONG_MS = 3_600_000;
/** Filler of an event, which does not get small by compression: the system takes some megabytes before anything waits here. */
const FILLER = randomBytes(45_000).toString('base64');
const MOST_FILLERS = 4096;

export function socketContract(tools: SocketTools): void {
  socketEndings(tools);
  limits(tools);
  deadlines(tools);
  pings(tools);
  slowConsumers(tools);
}

function socketEndings({ subject, opened, acts }: SocketTools): void {
  const code = (number: number): number => (subject.closeCodes ? number : 0);

  describe('the end of a socket', () => {
    it('comes without GOODBYE when the node stops, behind the answers to calls', async () => {
      const world = await opened();
      const [caller, callee, idle] = [await join(world), await join(world), await join(world)];
      await callee.ask([64, 1, {}, PROCEDURE]);
      caller.send([48, 1, {}, PROCEDURE]);
      const [, invocation] = await callee.next();
      const stopped = world.stop();
      expect([await rest(idle), (await idle.closed).code]).toEqual([[], code(1001)]);
      callee.send([70, invocation, {}, ['late']]);
      expect(await rest(caller)).toEqual([[50, 1, {}, ['late']]]);
      expect([await rest(callee), (await callee.closed).code]).toEqual([[], code(1001)]);
      await stopped;
    });

    it.runIf(subject.oneSocket)('follows frames that are none', async () => {
      const world = await opened();
      const client = await join(world);
      acts(client).breakFrame();
      expect((await client.closed).code).toBe(code(1002));
      expect(linesOf(world, 'bad frame, connection closed')).toMatchObject([{ sessionId: client.sessionId }]);
      expect(linesOf(world, 'session left')).toMatchObject([{ reason: 'a frame breaks the protocol' }]);
    });

    it.runIf(subject.oneSocket)('takes the session along when the client is gone without a word', async () => {
      const world = await opened();
      const [client, other] = [await join(world), await join(world)];
      await client.ask([64, 1, {}, PROCEDURE]);
      other.send([48, 1, {}, PROCEDURE]);
      await client.next();
      acts(client).socket.destroy();
      expect((await other.next()).slice(0, 5)).toEqual([8, 48, 1, {}, 'wamp.error.canceled']);
      expect(sizeOf(world)).toMatchObject({ sessions: 1, registrations: 0 });
    });

    it.runIf(subject.oneSocket)('leaves nothing out that a client sent before it ended its half', async () => {
      const world = await opened();
      const [observer, client] = [await join(world), await join(world)];
      await observer.ask([32, 1, {}, TOPIC]);
      for (let i = 0; i < 50; i++) client.send([16, i + 1, {}, TOPIC, [i]]);
      await acts(client).endHalf();
      for (let i = 0; i < 50; i++) expect((await observer.next())[4]).toEqual([i]);
      await until(() => sizeOf(world)?.sessions === 1);
    });
  });
}

function limits({ subject, opened, acts }: SocketTools): void {
  const MAX = 2048;
  const codec = CODECS[subject.serializer];
  const tooLarge = subject.closeCodes ? { code: 1009, reason: OPENING_TOO_LARGE } : { code: 0, reason: '' };

  /** A PUBLISH of exactly so many bytes. */
  const publishOf = (bytes: number): readonly unknown[] => {
    const withText = (length: number) => [16, 7, { acknowledge: true }, TOPIC, ['x'.repeat(length)]];
    const overhead = codec.encode(withText(bytes / 2)).length - bytes / 2 + (subject.overhead ?? 0);
    return withText(bytes - overhead);
  };

  describe('limits', () => {
    it('a message of max_message_size is taken, one byte more ends the connection', async () => {
      const world = await opened({ options: { max_message_size: MAX } });
      const client = await join(world);
      expect(codec.encode(publishOf(MAX)).length + (subject.overhead ?? 0)).toBe(MAX);
      expect(await client.ask(publishOf(MAX))).toEqual([17, 7, ID]);
      client.send(publishOf(MAX + 1));
      expect(await rest(client)).toEqual([]);
      expect((await client.closed).code).toBe(subject.closeCodes ? 1009 : 0);
      expect(linesOf(world, 'message too large, connection closed')).toMatchObject([{ sessionId: client.sessionId }]);
      expect(linesOf(world, 'session left')).toMatchObject([{ reason: 'the message is larger than max_message_size' }]);
    });

    it('a stranger is not sent away for a large message without a word', async () => {
      const world = await opened();
      const client = await world.connect();
      client.send([1, 'realm1', { roles: ALL_ROLES, authextra: 'x'.repeat(65_536) }]);
      const [type, details, reason] = await client.next();
      expect([type, details, reason]).toEqual([3, { message: OPENING_TOO_LARGE }, 'wamp.error.protocol_violation']);
      expect(await client.closed).toEqual(tooLarge);
    });

    it('a large message of a stranger is refused for its first bytes', async () => {
      const world = await opened();
      const client = await world.connect();
      acts(client).beginMessage(65_537);
      expect(await client.next()).toEqual([3, { message: OPENING_TOO_LARGE }, 'wamp.error.protocol_violation']);
      expect(await client.closed).toEqual(tooLarge);
    });

    it('a client that is being challenged, or whose session is over, is a stranger', async () => {
      const world = await opened();
      const [challenged, left] = [await world.connect(), await join(world)];
      challenged.send([1, 'realm1', { roles: ALL_ROLES, authmethods: ['ticket'], authid: 'joe' }]);
      expect((await challenged.next())[0]).toBe(4);
      challenged.send([5, 'x'.repeat(65_536), {}]);
      expect(await challenged.next()).toEqual([3, { message: OPENING_TOO_LARGE }, 'wamp.error.protocol_violation']);
      left.send(GOODBYE);
      expect((await left.next())[0]).toBe(6);
      acts(left).beginMessage(65_537);
      expect(await left.next()).toEqual([3, { message: OPENING_TOO_LARGE }, 'wamp.error.protocol_violation']);
      await left.closed;
    });

    it('the log says once of an address that its messages are too large', async () => {
      const world = await opened();
      for (let i = 0; i < 3; i++) {
        const client = await world.connect();
        acts(client).beginMessage(65_537);
        await client.closed;
      }
      const [line, ...others] = linesOf(world, 'message too large, connection closed');
      expect(line).toMatchObject({ level: 'warn', reason: OPENING_TOO_LARGE });
      expect(others.map(({ level }) => level)).toEqual(['debug', 'debug']);
    });

    it('a message of a session may be large as soon as the session is there', async () => {
      const world = await opened();
      const client = await join(world);
      const text = 'é'.repeat(100_000);
      const [, , subscription] = await client.ask([32, 1, {}, TOPIC]);
      const other = await join(world);
      expect(await other.ask([16, 1, { acknowledge: true }, TOPIC, [text]])).toEqual([17, 1, ID]);
      expect(await client.next()).toEqual([36, subscription, ID, {}, [text]]);
    });

    it.runIf(subject.oneSocket)(
      'of many large messages that do not end, those that began first are given up',
      async () => {
        const limit = receivedMemory.limitBytes;
        try {
          const world = await opened();
          const [first, second, third] = [await join(world), await join(world), await join(world)];
          receivedMemory.limitBytes = 500_000;
          acts(first).beginMessage(300_000);
          await until(() => receivedMemory.bytes > 290_000);
          acts(second).beginMessage(300_000);
          expect(await first.closed).toEqual(
            subject.closeCodes
              ? { code: 1013, reason: 'too many large messages at once, please try again later' }
              : { code: 0, reason: '' },
          );
          expect(linesOf(world, 'too many large messages at once, the oldest given up')).toMatchObject([
            { level: 'warn', sessionId: first.sessionId },
          ]);
          expect((await third.ask([16, 1, { acknowledge: true }, TOPIC, ['x'.repeat(100_000)]]))[0]).toBe(17);
          acts(second).socket.destroy();
          await until(() => receivedMemory.bytes === 0);
        } finally {
          receivedMemory.limitBytes = limit;
        }
      },
    );

    it('the connection that waited longest for a session makes room', async () => {
      const world = await opened({ options: { max_unauthenticated: 2 } });
      const joined = await join(world);
      const waiting = await Promise.all(several(2, () => world.connect()));
      const third = await world.connect();
      const { code } = await Promise.race(waiting.map((client) => client.closed));
      expect(code).toBe(subject.closeCodes ? 1013 : 0);
      expect((await third.hello()).sessionId).toBeGreaterThan(joined.sessionId);
      expect((await joined.ask([32, 1, {}, TOPIC]))[0]).toBe(33);
      expect(waiting.filter(({ isOpen }) => isOpen)).toHaveLength(1);
    });

    it('nobody is let in where all places are taken by sessions', async () => {
      const world = await opened({ options: { max_connections: 1 } });
      const only = await join(world);
      await expect(world.connect()).rejects.toThrow('refused');
      acts(only).socket.destroy();
      await until(() => sizeOf(world)?.sessions === 0);
      let next: ContractClient | undefined;
      while (next === undefined) next = await world.connect().catch(() => undefined);
      expect((await next.hello()).sessionId).toEqual(ID);
    });

    it('after many sessions in a second the next HELLO waits', async () => {
      stopClock();
      const world = await opened({ options: { hello_timeout: LONG_MS } });
      const client = await join(world);
      for (let i = 1; i < MAX_SESSIONS; i++) {
        client.send(GOODBYE);
        await client.next();
        await client.hello();
      }
      client.send(GOODBYE);
      expect((await client.next())[0]).toBe(6);
      client.send(HELLO);
      const [asker] = [await join(world)];
      // The witness has asked more often than the other one, and has been answered.
      for (let i = 1; i <= 20; i++) await asker.ask([32, i, {}, `${TOPIC}.${i}`]);
      expect(sizeOf(world)).toMatchObject({ sessions: 1 });
      vi.advanceTimersByTime(SHORT_MS + 50);
      expect((await client.next())[0]).toBe(2);
    });
  });
}

function deadlines({ subject, opened }: SocketTools): void {
  const OPTIONS = { hello_timeout: SHORT_MS };
  const late = subject.closeCodes
    ? { code: 1008, reason: `no session within ${SHORT_MS} ms` }
    : { code: 0, reason: '' };

  describe('a HELLO that does not come', () => {
    it('ends the connection, without ABORT, which clients take for final', async () => {
      stopClock();
      const world = await opened({ options: OPTIONS });
      const [silent, talking] = [await world.connect(), await join(world)];
      vi.advanceTimersByTime(SHORT_MS + 50);
      expect([await rest(silent), await silent.closed]).toEqual([[], late]);
      expect(linesOf(world, 'no session in time, connection closed')).toMatchObject([{ level: 'info' }]);
      expect((await talking.ask([32, 1, {}, TOPIC]))[0]).toBe(33);
    });

    it('has as much time behind a GOODBYE', async () => {
      stopClock();
      const world = await opened({ options: OPTIONS });
      const client = await join(world);
      vi.advanceTimersByTime(10 * SHORT_MS);
      client.send(GOODBYE);
      expect((await client.next())[0]).toBe(6);
      vi.advanceTimersByTime(SHORT_MS - 50);
      await client.hello();
      client.send(GOODBYE);
      expect((await client.next())[0]).toBe(6);
      vi.advanceTimersByTime(SHORT_MS + 50);
      expect(await client.closed).toEqual(late);
    });

    it('is no longer waited for when the client does not answer the GOODBYE of a kill', async () => {
      stopClock();
      const world = await opened({ options: OPTIONS });
      const [killer, victim] = [await join(world), await join(world)];
      killer.send([48, 1, {}, 'wamp.session.kill', [victim.sessionId]]);
      expect((await victim.next())[0]).toBe(6);
      vi.advanceTimersByTime(SHORT_MS + 50);
      expect((await victim.closed).code).toBe(subject.closeCodes ? 1008 : 0);
    });
  });
}

function pings({ subject, opened, acts }: SocketTools): void {
  const OPTIONS = { auto_ping_interval: SHORT_MS, auto_ping_timeout: SHORT_MS, hello_timeout: LONG_MS };

  describe.runIf(subject.oneSocket)('pings', () => {
    it('of the client are answered with the same bytes', async () => {
      const world = await opened();
      const client = await join(world);
      expect(String(await acts(client).ping(Buffer.from('are you there?')))).toBe('are you there?');
      expect(String(await acts(client).ping(Buffer.alloc(0)))).toBe('');
    });

    it('of the router that stay unanswered cut the connection', async () => {
      stopClock();
      const world = await opened({ options: OPTIONS });
      const [dead, alive] = [await join(world, { autoPong: false }), await join(world)];
      while (dead.isOpen) {
        vi.advanceTimersByTime(SHORT_MS + 50);
        // The first answer is behind a ping, the second question is behind its pong.
        await alive.settle();
        await alive.settle();
      }
      expect(acts(dead).pings).toBe(1);
      expect(await rest(dead)).toEqual([]);
      expect(linesOf(world, 'no pong, connection dropped')).toMatchObject([{ sessionId: dead.sessionId }]);
      await until(() => linesOf(world, 'session left').length > 0);
      expect(linesOf(world, 'session left')).toMatchObject([{ reason: 'no answer to a ping' }]);
      expect((await alive.ask([32, 1, {}, TOPIC]))[0]).toBe(33);
    });
  });
}

function slowConsumers({ opened, acts }: SocketTools): void {
  /** Publishes until `isEnough`, and does not get ahead of the router. @returns how many there were. */
  const flood = async (publisher: ContractClient, isEnough: () => boolean): Promise<number> => {
    for (let sent = 0; sent < MOST_FILLERS; sent++) {
      if (isEnough()) return sent;
      await publisher.ask([16, sent + 1, { acknowledge: true }, TOPIC, [sent, FILLER]]);
    }
    throw new Error('a quarter of a gigabyte was kept for a client that does not read');
  };

  describe('a client that does not read', () => {
    it('is cut when more than max_unsent_bytes wait, and others go on', async () => {
      const world = await opened({ options: { max_unsent_bytes: 65_536 } });
      const [publisher, stuck] = [await join(world), await join(world)];
      await stuck.ask([32, 1, {}, TOPIC]);
      acts(stuck).socket.pause();
      await flood(publisher, () => sizeOf(world)?.sessions === 1);
      expect(linesOf(world, 'slow consumer disconnected')).toMatchObject([
        { level: 'warn', sessionId: stuck.sessionId, maxUnsentBytes: 65_536 },
      ]);
      expect(linesOf(world, 'session left')).toMatchObject([{ reason: 'slow consumer' }]);
      expect((await publisher.ask([32, 1, {}, 'com.example.other']))[0]).toBe(33);
      acts(stuck).socket.resume();
      await stuck.closed;
    });

    it('loses events where slow_consumer says so, and nothing else', async () => {
      const options = { max_unsent_bytes: 1_048_576, slow_consumer: 'drop_events' };
      const world = await opened({ options });
      const [publisher, slow] = [await join(world), await join(world)];
      await slow.ask([32, 1, {}, TOPIC]);
      await slow.ask([64, 2, {}, PROCEDURE]);
      acts(slow).socket.pause();
      const sent = await flood(publisher, () => linesOf(world, 'slow consumer, events dropped').length > 0);
      publisher.send([48, 1, {}, PROCEDURE, ['still there?']]);
      acts(slow).socket.resume();
      const numbers: number[] = [];
      let message = await slow.next();
      for (; message[0] === 36; message = await slow.next()) numbers.push((message[4] as [number])[0]);
      slow.send([70, message[1], {}, message[4]]);
      expect(await publisher.next()).toEqual([50, 1, {}, ['still there?']]);
      expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
      expect(numbers.length).toBeLessThan(sent);
      await until(() => linesOf(world, 'slow consumer has caught up').length > 0);
      await publisher.ask([16, 1, { acknowledge: true }, TOPIC, ['again']]);
      expect((await slow.next())[4]).toEqual(['again']);
    });
  });
}
