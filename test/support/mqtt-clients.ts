/**
 * Clients of MQTT that others have written, behind one interface: mqtt.js, paho-mqtt of Python, and the programs of mosquitto. Deadlines are
 * failing limits only: nothing passes because time went by.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import type { EventEmitter } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import mqtt from 'mqtt';
import type { IClientOptions, MqttClient } from 'mqtt';
import type { Qos } from '../../src/wamp/message.js';
import { PYTHON } from './python.js';
import { within } from './wamp-client.js';

export const HAS_MOSQUITTO = spawnSync('mosquitto_pub', ['--help']).error === undefined;
export const HAS_PAHO = spawnSync(PYTHON, ['-c', 'import paho.mqtt.client']).status === 0;

const SCRIPT = path.resolve(import.meta.dirname, '../clients/paho_mqtt.py');

export interface MqttWill {
  readonly topic: string;
  readonly payload: string;
  readonly qos: Qos;
  readonly retain: boolean;
}

export interface MqttClientOptions {
  readonly port: number;
  /** 3 is MQTT 3.1, 4 is MQTT 3.1.1. */
  readonly version?: 3 | 4;
  readonly clientId?: string;
  readonly clean?: boolean;
  readonly username?: string;
  readonly password?: string;
  readonly will?: MqttWill;
  /** Seconds. */
  readonly keepalive?: number;
  /** It sends no PUBACK and no PUBREC. */
  readonly mute?: boolean;
  /** It sends no PINGREQ. */
  readonly silent?: boolean;
}

export interface MessageOptions {
  readonly qos?: Qos;
  readonly retain?: boolean;
}

/** As `once` of Node.js, to whose types clients of mqtt.js are no emitters. */
export function onceOf(client: MqttClient, event: string): Promise<unknown[]> {
  return once(client as unknown as EventEmitter, event) as Promise<unknown[]>;
}

/** A client that is connected. Messages are `topic payload q1`, with `retained` and `again` (DUP) behind it. */
export interface TheirClient {
  /** CONNACK said that the session was kept. */
  readonly isPresent: boolean;
  /** Resolves when the connection has ended, however it ended. */
  readonly closed: Promise<unknown>;
  /** @returns the codes of SUBACK. */
  subscribe(...filters: readonly (readonly [filter: string, qos: Qos])[]): Promise<readonly number[]>;
  unsubscribe(filter: string): Promise<void>;
  /** Resolves when the node has answered all that it answers with this QoS. */
  publish(topic: string, payload: string | Buffer, options?: MessageOptions): Promise<void>;
  /** The next messages. */
  take(count: number): Promise<readonly string[]>;
  /** DISCONNECT. */
  leave(): Promise<void>;
  /** The connection ends without it. */
  cut(): Promise<void>;
}

/** How a library connects. @throws (rejects) when it is refused */
export type ConnectTheirs = (options: MqttClientOptions) => Promise<TheirClient>;

/** A list that somebody waits for. */
class Queue<T> {
  readonly #items: T[] = [];
  #wake: () => void = () => undefined;

  put(item: T): void {
    this.#items.push(item);
    this.#wake();
  }

  async take(count: number, what: string): Promise<T[]> {
    const enough = async (): Promise<void> => {
      while (this.#items.length < count) await new Promise<void>((resolve) => (this.#wake = resolve));
    };
    await within(enough(), `${count} ${what}`).catch((cause: unknown) => {
      throw new Error(`${count} ${what} were expected, and there are ${JSON.stringify(this.#items)}`, { cause });
    });
    return this.#items.splice(0, count);
  }
}

function shown(topic: string, payload: Buffer, { qos, retain, dup }: { qos: number; retain: boolean; dup: boolean }) {
  return `${topic} ${payload.toString()} q${qos}${retain ? ' retained' : ''}${dup ? ' again' : ''}`;
}

// What is to be ended when a test is over.
const open = new Set<() => unknown>();

/** Ends all clients and programs that were started. */
export async function endTheirClients(): Promise<void> {
  const ends = [...open];
  open.clear();
  await Promise.all(ends.map((end) => end()));
}

/** mqtt.js. */
export class JsClient implements TheirClient {
  readonly client: MqttClient;
  readonly closed: Promise<unknown>;
  isPresent = false;
  readonly #messages = new Queue<string>();

  private constructor(client: MqttClient) {
    this.client = client;
    client.on('error', () => undefined);
    this.closed = new Promise<void>((resolve) => client.once('close', () => resolve()));
    client.on('message', (topic, payload, packet) => this.#messages.put(shown(topic, payload, packet)));
  }

  /** @param more options of mqtt.js. `url` is where it connects instead of the port */
  static async connect(
    options: MqttClientOptions,
    { url, ...more }: IClientOptions & { readonly url?: string } = {},
  ): Promise<JsClient> {
    const { port, version = 4, mute = false, silent = false, will, ...same } = options;
    const protocol = version === 3 ? ({ protocolId: 'MQIsdp', protocolVersion: 3 } as const) : {};
    const left = will && { will: { ...will, payload: Buffer.from(will.payload) } };
    // CONNACK comes after this turn, and what was kept right behind it.
    const client = mqtt.connect(url ?? `mqtt://127.0.0.1:${port}`, {
      reconnectPeriod: 0,
      ...protocol,
      ...left,
      ...same,
      ...more,
    });
    const js = new JsClient(client);
    open.add(() => client.endAsync(true));
    if (mute) client.handleMessage = (_packet, _callback) => undefined;
    if (silent) client.sendPing = () => undefined;
    const answered = new Promise<boolean>((resolve, reject) => {
      client.once('connect', ({ sessionPresent }) => resolve(sessionPresent)).once('error', reject);
      client.once('close', () => reject(new Error('the connection was closed')));
    });
    js.isPresent = await within(answered, 'CONNACK');
    return js;
  }

  async subscribe(...filters: readonly (readonly [filter: string, qos: Qos])[]): Promise<readonly number[]> {
    const asked = Object.fromEntries(filters.map(([filter, qos]) => [filter, { qos }]));
    const codes = new Promise<readonly number[]>((resolve, reject) => {
      this.client.subscribe(asked, (error, _granted, packet) => {
        // A refusal is an error of mqtt.js; the packet has the codes.
        const granted = packet?.granted as readonly number[] | undefined;
        if (granted === undefined) reject(error ?? new Error('there is no SUBACK'));
        else resolve(granted);
      });
    });
    return within(codes, 'SUBACK');
  }

  async unsubscribe(filter: string): Promise<void> {
    await within(this.client.unsubscribeAsync(filter), 'UNSUBACK');
  }

  async publish(topic: string, payload: string | Buffer, options: MessageOptions = {}): Promise<void> {
    await within(this.client.publishAsync(topic, payload, options), 'the answer to a PUBLISH');
  }

  take(count: number): Promise<readonly string[]> {
    return this.#messages.take(count, 'messages');
  }

  async leave(): Promise<void> {
    await this.client.endAsync();
  }

  async cut(): Promise<void> {
    this.client.stream.destroy();
    await this.closed;
  }
}

type Line = Readonly<Record<string, unknown>>;

/** The process in which all clients of paho-mqtt are. */
class Paho {
  readonly #child;
  readonly #heard = new Map<number, (line: Line) => void>();

  constructor() {
    const child = spawn(PYTHON, [SCRIPT], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#child = child;
    child.stdin.on('error', () => undefined);
    createInterface({ input: child.stdout }).on('line', (text) => {
      const line = JSON.parse(text) as Line;
      this.#heard.get(Number(line['client']))?.(line);
    });
    child.once('close', () => {
      for (const hear of this.#heard.values()) hear({ closed: true });
    });
  }

  /** @returns what tells a new client what to do. */
  add(hear: (line: Line) => void): (line: object) => void {
    const client = this.#heard.size;
    this.#heard.set(client, hear);
    return (line) => void this.#child.stdin.write(`${JSON.stringify({ client, ...line })}\n`);
  }

  end(): void {
    this.#child.kill('SIGKILL');
  }
}

let paho: Paho | undefined;
// The net: nothing outlives the test process.
process.on('exit', () => paho?.end());

/** paho-mqtt. */
export class PahoClient implements TheirClient {
  readonly closed: Promise<unknown>;
  isPresent = false;
  readonly #write: (line: object) => void;
  readonly #messages = new Queue<string>();
  readonly #answers = new Queue<Line>();

  private constructor(options: MqttClientOptions) {
    paho ??= new Paho();
    let ended: () => void = () => undefined;
    this.closed = new Promise<void>((resolve) => (ended = resolve));
    this.#write = paho.add((line) => {
      if ('closed' in line) ended();
      if ('topic' in line) this.#messages.put(messageOf(line));
      else this.#answers.put(line);
    });
    open.add(() => this.#write({ do: 'leave' }));
    this.#write({ do: 'connect', options: { version: 4, ...options } });
  }

  static async connect(options: MqttClientOptions): Promise<PahoClient> {
    const client = new PahoClient(options);
    const line = await client.#answer('CONNACK');
    if (line['connack'] !== 0) throw new Error(`Connection refused: ${JSON.stringify(line)}`);
    client.isPresent = line['present'] === true;
    return client;
  }

  async subscribe(...filters: readonly (readonly [filter: string, qos: Qos])[]): Promise<readonly number[]> {
    this.#write({ do: 'subscribe', filters });
    return (await this.#answer('SUBACK'))['granted'] as readonly number[];
  }

  async unsubscribe(filter: string): Promise<void> {
    this.#write({ do: 'unsubscribe', filter });
    await this.#answer('UNSUBACK');
  }

  async publish(
    topic: string,
    payload: string | Buffer,
    { qos = 0, retain = false }: MessageOptions = {},
  ): Promise<void> {
    this.#write({ do: 'publish', topic, payload: Buffer.from(payload).toString('base64'), qos, retain });
    await this.#answer('the answer to a PUBLISH');
  }

  take(count: number): Promise<readonly string[]> {
    return this.#messages.take(count, 'messages');
  }

  async leave(): Promise<void> {
    this.#write({ do: 'leave' });
    await within(this.closed, 'the end of the connection');
  }

  async cut(): Promise<void> {
    this.#write({ do: 'cut' });
    await within(this.closed, 'the end of the connection');
  }

  async #answer(what: string): Promise<Line> {
    return (await this.#answers.take(1, what))[0] ?? {};
  }
}

function messageOf({ topic, payload, qos, retain, dup }: Line): string {
  const marks = { qos: Number(qos), retain: retain === true, dup: dup === true };
  return shown(String(topic), Buffer.from(String(payload), 'base64'), marks);
}

/** A program of mosquitto that runs. */
export interface Program {
  /** Waits until a text is in what it writes, which is counted from the last one on. */
  seen(text: string): Promise<void>;
  /** Its exit code, and all that it wrote. */
  ended(): Promise<{ readonly code: number | null; readonly output: string }>;
  kill(signal?: NodeJS.Signals): void;
}

/** Starts `mosquitto_pub` or `mosquitto_sub`. */
export function runMosquitto(command: 'mosquitto_pub' | 'mosquitto_sub', args: readonly string[]): Program {
  // What is written to a pipe would come at the end.
  const child = spawn('stdbuf', ['-oL', command, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  open.add(() => child.kill('SIGKILL'));
  let output = '';
  let from = 0;
  let wake: () => void = () => undefined;
  const read = (chunk: Buffer): void => {
    output += chunk.toString();
    wake();
  };
  child.stdout.on('data', read);
  child.stderr.on('data', read);
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, output }));
  return {
    seen: (text) =>
      within(
        (async () => {
          while (!output.includes(text, from)) await new Promise<void>((resolve) => (wake = resolve));
          from = output.indexOf(text, from) + text.length;
        })(),
        `"${text}" of ${command}`,
      ),
    ended: () => within(ended, `the end of ${command}`),
    kill: (signal = 'SIGKILL') => void child.kill(signal),
  };
}
