/**
 * Two hundred clients whose process is killed while messages are on their way to them: their wills come, once each; those that are not
 * kept are gone, and those that are kept get all that they have not, those of QoS 2 once.
 */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { MetricsText } from '../../support/metrics-text.js';
import { MqttCrowd, remember } from '../../support/mqtt-crowd.js';
import type { CrowdMember, CrowdMemory } from '../../support/mqtt-crowd.js';
import { MqttNode } from '../../support/mqtt-node.js';
import { MqttPeer, publishPacket } from '../../support/mqtt-peer.js';
import type { JoinedClient } from '../../support/wamp-client.js';

const CLIENTS = 200;
/** Those that are published at once, around the kill, and all with those that come when the clients are away. */
const BURST = 50;
const MESSAGES = 80;
const LAST = MESSAGES - 1;
/** They do not come all at once. */
const PADDING = ' '.repeat(2000);

const MEMBERS: readonly CrowdMember[] = Array.from({ length: CLIENTS }, (_, n) => {
  const kind = n % 5;
  const answers = kind === 2 ? 'none' : kind === 3 ? 'half' : 'all';
  return {
    ...{ clientId: `c${n}`, clean: kind === 0, will: `will/${n}`, filter: 'news', answers },
    ...(kind === 4 && { own: `own/${n}` }),
  };
});
const KEPT = MEMBERS.filter(({ clean }) => !clean);
const SENDERS = KEPT.filter(({ own }) => own !== undefined);

let node: MqttNode;
let wamp: JoinedClient;
beforeEach(async () => {
  node = await MqttNode.start({ paths: { metrics: { type: 'metrics' } }, mqtt: [{ hello_timeout: 0 }] });
  wamp = await node.wamp();
});
afterEach(() => node.daemon.dispose());

async function sessions(): Promise<unknown> {
  const [, , , [count] = []] = (await wamp.ask([48, 1, {}, 'wamp.session.count'])) as [50, 1, object, unknown[]?];
  return count;
}

async function metric(name: string): Promise<number> {
  return new MetricsText(await (await fetch(node.daemon.url('/metrics'))).text()).value(name);
}

/** One with QoS 1, and one with QoS 2. */
function publishNews(publisher: MqttPeer, from: number, to: number): void {
  for (let n = from; n < to; n += 1)
    publisher.send(publishPacket('news', `${n}${PADDING}`, n % 2 === 0 ? 1 : 2, n + 1));
}

/** The messages of a client that is there only to hear, until one comes with this payload. */
async function heard(peer: MqttPeer, last: string): Promise<string[]> {
  const messages: string[] = [];
  for (;;) {
    const { topic, payload } = await peer.message();
    if (payload.toString() === last) return messages;
    messages.push(topic);
  }
}

/** Comes back with what it has written down, and stays until it has the last message. */
async function comeBack({ clientId, own }: CrowdMember, memory: CrowdMemory): Promise<void> {
  const peer = await MqttPeer.open(node.port());
  peer.isAnswering = false;
  expect(await peer.connect({ clientId, clean: false })).toMatchObject({ returnCode: 0, sessionPresent: true });
  if (own !== undefined) {
    peer.send({ ...publishPacket(own, clientId, 2, 7), dup: true });
    await peer.take('pubrec');
    peer.send({ cmd: 'pubrel', messageId: 7 });
    await peer.take('pubcomp');
  }
  const { messages, received } = memory;
  while (!messages.some(({ got }) => got === LAST)) {
    const { messageId = 0, payload, qos, dup } = await peer.message();
    remember(memory, { got: Number.parseInt(payload.toString(), 10), qos: qos === 1 ? 1 : 2, messageId, dup });
    peer.send({ cmd: qos === 1 ? 'puback' : 'pubrec', messageId });
  }
  // All those of QoS 2 are let go of, also those that were on their way when it was killed.
  while (received.size > 0) {
    const { messageId = 0 } = await peer.take('pubrel');
    received.delete(messageId);
    peer.send({ cmd: 'pubcomp', messageId });
  }
  await peer.settle();
  expect(peer.rest.filter(({ cmd }) => cmd !== 'pubrel')).toEqual([]);
  await peer.leave();
}

it.each([1, 2000, 5000, 8000])(
  'two hundred clients are killed when they have %i messages: nothing is lost, nor left',
  async (count) => {
    const [heir, publisher, listener] = await Promise.all([1, 2, 3].map(() => MqttPeer.join(node.port())));
    if (heir === undefined || publisher === undefined || listener === undefined) throw new Error('no clients');
    await heir.subscribe('will/#', 2);
    await listener.subscribe('own/+', 2);
    const others = await sessions();
    const crowd = await MqttCrowd.start(node.port(), MEMBERS, count);
    expect(await sessions()).toBe(Number(others) + CLIENTS);

    publishNews(publisher, 0, BURST);
    await crowd.killed;
    const wills: string[] = [];
    while (wills.length < CLIENTS) wills.push((await heir.message()).topic);
    expect(new Set(wills)).toEqual(new Set(MEMBERS.map(({ will }) => will)));
    await expect.poll(sessions).toBe(Number(others) + KEPT.length);
    publishNews(publisher, BURST, MESSAGES);
    for (let n = 1; n < MESSAGES; n += 2) await publisher.take('pubcomp');

    const memories = crowd.memories();
    const heardInAll = [...memories.values()].reduce((sum, { messages }) => sum + messages.length, 0);
    expect(heardInAll).toBe(count);
    const known = KEPT.map((member) => ({ member, memory: memories.get(member.clientId) ?? newMemory() }));
    const before = known.map(({ memory }) => memory.messages.length);
    await Promise.all(known.map(({ member, memory }) => comeBack(member, memory)));
    const all = Array.from({ length: MESSAGES }, (_, n) => n);
    known.forEach(({ memory: { messages } }, at) => {
      // Those of QoS 1 that were on their way come again, and say so.
      const isFirst = messages.map(({ got }, index) => messages.findIndex((other) => other.got === got) === index);
      expect(messages.filter((_, index) => isFirst[index]).map(({ got }) => got)).toEqual(all);
      const again = messages.filter((_, index) => !isFirst[index]);
      expect(again.filter(({ qos, dup }) => qos === 2 || !dup)).toEqual([]);
      expect(again.length).toBeLessThanOrEqual(before[at] ?? 0);
    });
    // Neither a will nor what a client has sent twice has come again.
    publisher.send(publishPacket('will/end', 'end', 1, 1), publishPacket('own/end', 'end', 1, 2));
    expect(await heard(heir, 'end')).toEqual([]);
    const own = await heard(listener, 'end');
    expect(own.toSorted()).toEqual(SENDERS.map((member) => member.own).toSorted());

    await Promise.all([heir, publisher, listener].map((peer) => peer.leave()));
    for (const { clientId } of KEPT) await (await MqttPeer.join(node.port(), { clientId, clean: true })).leave();
    await expect.poll(sessions).toBe(Number(others) - 3);
    for (const name of ['wamp_mqtt_events_dropped_total', 'wamp_mqtt_clients_forgotten_total'])
      expect(await metric(name)).toBe(0);
    expect(node.daemon.logs.filter(({ level }) => level === 'error' || level === 'fatal')).toEqual([]);
  },
);

function newMemory(): CrowdMemory {
  return { messages: [], received: new Set() };
}
