/**
 * A node with every kind of transport, a client on it that behaves, and what must be true after any abuse: the node lives
 * and says nothing of a fault of its own, the good client was answered all the time, and what strangers left behind is gone.
 */
import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Daemon, LogRecord } from '../support/daemon.js';
import { startDaemon, temporaryDirectory } from '../support/daemon.js';
import { Certificates } from '../support/certificates.js';
import { ALL_ROLES, WampClient } from '../support/wamp-client.js';
import { abusedConfig, targetsOf, TICKET } from './node-config.js';
import type { Target } from './node-config.js';

/** The longest that the node may keep its event loop to one thing, in milliseconds of processor time. */
const LONGEST_TURN_MS = 100;
/** What is still there then is taken for left behind. */
const SETTLE_MS = 15_000;
const POLL_MS = 20;
/** An answer to the good client that takes longer is none; nodes of a loaded machine are slow, but not that slow. */
const ANSWER_MS = 10_000;
/** How much more may be in use at the end: compiled code, caches of the engine, accounts of the log. */
const SPARE_BYTES = 12 * 1024 * 1024;
/** Classes of which there is an object for each connection, request, session or what these make. */
const CLASSES = [
  ...['Session', 'Opening', 'Subscription', 'Registration', 'LiveCookie', 'Outbox', 'Inbox', 'Receiver', 'Socket'],
  ...['WampConnection', 'WampWebSocket', 'RawSocketWire', 'IncomingMessage', 'ServerResponse', 'TLSSocket'],
  ...[
    'MqttConnection',
    'MqttSession',
    'MqttClient',
    'MqttSubscriptions',
    'Outgoing',
    'Incoming',
    'PacketReader',
    'PacketInbox',
  ],
  ...['Pipeline', 'SendStream', 'ReadStream', 'InflateRaw', 'DeflateRaw'],
];

/** What others can see of the node. */
interface Alone {
  readonly descriptors: number;
  readonly state: string;
}

interface Held extends Alone {
  readonly objects: Readonly<Record<string, number>>;
  readonly bytes: number;
}

export class AbusedNode {
  readonly targets: readonly Target[];
  readonly daemon: Daemon;
  readonly #honest: WampClient;
  #alone: Alone = { state: '', descriptors: 0 };
  #before: Held | undefined;
  #requestId = 10;
  #isOver = false;
  #goodLife: Promise<number> | undefined;

  private constructor(daemon: Daemon, honest: WampClient, ca: string) {
    this.daemon = daemon;
    this.#honest = honest;
    this.targets = targetsOf(daemon, ca);
  }

  static async start(): Promise<AbusedNode> {
    const certificates = new Certificates(temporaryDirectory());
    const daemon = await startDaemon({ config: abusedConfig(certificates), probed: true });
    const node = new AbusedNode(daemon, await goodClient(daemon), certificates.text('root.pem'));
    await node.daemon.ask('longest-turn');
    node.#alone = { state: await node.#state(), descriptors: node.#descriptors() };
    return node;
  }

  /** What the node holds now counts as what it holds when nobody is there. Call it after some abuse: much is made once. */
  async remember(): Promise<void> {
    this.#before = await this.#settled();
    const { state, descriptors } = this.#before;
    if (state !== this.#alone.state || descriptors > this.#alone.descriptors) {
      throw new Error(`left behind by the first clients: ${descriptors} descriptors, ${state}`);
    }
    await this.daemon.ask('longest-turn');
    this.#goodLife = this.#live();
    // Told by `complaints`; until then nobody waits for it.
    this.#goodLife.catch(() => undefined);
  }

  /** @returns what is not as it must be after abuse, one line each. */
  async complaints(): Promise<string[]> {
    const before = this.#before;
    if (before === undefined) throw new Error('nothing was remembered');
    const turn = await this.daemon.ask<number>('longest-turn');
    this.#isOver = true;
    const answered = (await this.#goodLife) ?? 0;
    const after = await this.#emptied(before);
    process.stdout.write(
      `  answered meanwhile: ${answered}; longest turn ${turn.toFixed(0)} ms; ` +
        `heap ${mib(before.bytes)} -> ${mib(after.bytes)} MiB; descriptors ${before.descriptors} -> ${after.descriptors}\n`,
    );
    return [
      ...(answered === 0 ? ['the good client was never answered'] : []),
      ...(turn > LONGEST_TURN_MS ? [`the event loop was kept for ${turn.toFixed(0)} ms`] : []),
      ...(after.descriptors > before.descriptors
        ? [`${after.descriptors - before.descriptors} descriptors are left`]
        : []),
      ...(after.state === before.state ? [] : [`left behind in the realm: ${after.state}`]),
      ...leftObjects(before.objects, after.objects),
      ...(after.bytes > before.bytes + SPARE_BYTES ? [`${mib(after.bytes - before.bytes)} MiB are left`] : []),
    ];
  }

  /** Ends the node. @returns what it said of faults of its own, and whether it ended as it should. */
  async stop(): Promise<{
    readonly code: number | null;
    readonly faults: readonly LogRecord[];
    readonly stderr: string;
  }> {
    const code = await this.daemon.stop();
    const { logs, stderr } = this.daemon;
    await this.daemon.dispose();
    return { code, stderr, faults: logs.filter(({ level }) => level === 'error' || level === 'fatal') };
  }

  /** A client that calls its own procedure and hears its own news, all the time. @returns how often it was answered. */
  async #live(): Promise<number> {
    let answered = 0;
    while (!this.#isOver) {
      const id = ++this.#requestId;
      this.#honest.send([48, id, {}, 'honest.add', [id, 1]]);
      await this.#answerUntil((message) => message[0] === 50 && message[1] === id, [id + 1]);
      this.#honest.send([16, id, { exclude_me: false }, 'honest.news', [id]]);
      await this.#answerUntil((message) => message[0] === 36, [id]);
      answered += 1;
      await sleep(POLL_MS);
    }
    return answered;
  }

  /** Serves as callee until the answer to its own request comes. @throws when it has other arguments. */
  async #answerUntil(isAnswer: (message: readonly unknown[]) => boolean, args: readonly unknown[]): Promise<void> {
    for (;;) {
      const message = await this.#next();
      if (message[0] === 68) {
        const [a, b] = (message[4] ?? []) as readonly unknown[];
        // Strangers may call it, too, with anything.
        const sum = typeof a === 'number' && typeof b === 'number' ? a + b : 0;
        this.#honest.send([70, message[1], {}, [Number.isFinite(sum) ? sum : 0]]);
      } else if (isAnswer(message)) {
        const found = JSON.stringify(message.at(-1));
        if (found !== JSON.stringify(args)) throw new Error(`expected ${JSON.stringify(args)}, got ${found}`);
        return;
      } else throw new Error(`nobody asked for ${JSON.stringify(message)}`);
    }
  }

  /** What the node holds once everybody but the good client has gone, or when that does not happen. */
  async #settled(): Promise<Held> {
    const end = performance.now() + SETTLE_MS;
    const alone = this.#alone;
    let state = await this.#state();
    while ((state !== alone.state || this.#descriptors() > alone.descriptors) && performance.now() < end) {
      await sleep(POLL_MS);
      state = await this.#state();
    }
    const objects = await this.daemon.ask<Record<string, number>>('objects', { classes: CLASSES });
    const { heapUsed, external } = await this.daemon.ask<{ heapUsed: number; external: number }>('memory');
    return { state, descriptors: this.#descriptors(), objects, bytes: heapUsed + external };
  }

  /** What the node holds once nothing is left, or when that does not happen: a thread may still work on the last octets. */
  async #emptied(before: Held): Promise<Held> {
    const end = performance.now() + SETTLE_MS;
    let after = await this.#settled();
    while (leftObjects(before.objects, after.objects).length > 0 && performance.now() < end)
      after = await this.#settled();
    return after;
  }

  /** What the realm knows of its clients. */
  async #state(): Promise<string> {
    const answers = [];
    for (const what of ['session.count', 'registration.list', 'subscription.list']) {
      answers.push(`${what} ${JSON.stringify(await this.#call(`wamp.${what}`))}`);
    }
    return answers.join(', ');
  }

  async #call(procedure: string): Promise<readonly unknown[]> {
    const id = ++this.#requestId;
    this.#honest.send([48, id, {}, procedure]);
    for (;;) {
      const message = await this.#next();
      if (message[0] === 50 && message[1] === id) return message[3] as readonly unknown[];
      if (message[0] !== 68 && message[0] !== 36) throw new Error(`${procedure}: ${JSON.stringify(message)}`);
      if (message[0] === 68) this.#honest.send([70, message[1], {}]);
    }
  }

  /** Strangers may call it with values that are deeper than the codecs of the tests go; the parser of JSON takes any. */
  async #next(): Promise<readonly unknown[]> {
    return JSON.parse(await this.#honest.nextText(ANSWER_MS)) as readonly unknown[];
  }

  #descriptors(): number {
    return readdirSync(`/proc/${this.daemon.pid}/fd`).length;
  }
}

/** May do what strangers must not, and is not theirs to end. */
async function goodClient(daemon: Daemon): Promise<WampClient> {
  const client = await WampClient.connect(daemon.url('/good', 'ws'));
  const challenge = await client.ask([1, 'realm1', { roles: ALL_ROLES, authmethods: ['ticket'], authid: 'good' }]);
  if (challenge[0] !== 4) throw new Error(`no challenge: ${JSON.stringify(challenge)}`);
  const welcome = await client.ask([5, TICKET, {}]);
  if (welcome[0] !== 2) throw new Error(`no welcome: ${JSON.stringify(welcome)}`);
  await client.ask([64, 1, {}, 'honest.add']);
  await client.ask([32, 2, {}, 'honest.news']);
  // Large messages have a thread, which is made for the first of them and has descriptors of its own.
  await client.ask([16, 3, { acknowledge: true }, 'honest.news', ['x'.repeat(300_000)]]);
  return client;
}

function leftObjects(before: Held['objects'], after: Held['objects']): string[] {
  return Object.entries(after)
    .map(([name, count]) => ({ name, left: count - (before[name] ?? 0) }))
    .filter(({ left }) => left > 0)
    .map(({ name, left }) => `${left} objects of class ${name} are left`);
}

function mib(bytes: number): string {
  return (bytes / 1024 / 1024).toFixed(1);
}
