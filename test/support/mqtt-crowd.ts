/** A process with many clients of MQTT that is killed, and what its clients know when they come back: as much as they have written down. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { temporaryDirectory } from './daemon.js';
import { within } from './wamp-client.js';

const SCRIPT = path.join(import.meta.dirname, 'mqtt-crowd-process.js');

/** A client of the crowd. */
export interface CrowdMember {
  readonly clientId: string;
  readonly clean: boolean;
  /** The topic of its will, which has its client id as payload. */
  readonly will: string;
  /** What it subscribes to, with QoS 2. */
  readonly filter: string;
  /** `half`: it says PUBACK and PUBREC, and never PUBCOMP. */
  readonly answers: 'all' | 'half' | 'none';
  /** Where it publishes its client id once, with QoS 2 and packet id 7, without PUBREL. */
  readonly own?: string;
}

/** A message that a member has got. */
export interface CrowdMessage {
  /** The number that it begins with. */
  readonly got: number;
  readonly qos: 1 | 2;
  readonly messageId: number;
  readonly dup: boolean;
}

/** What a member knows. */
export interface CrowdMemory {
  /** In the order in which they came. */
  readonly messages: CrowdMessage[];
  /** The packet ids of messages of QoS 2 that it has, and whose PUBREL has not come. */
  readonly received: Set<number>;
}

type Entry = { readonly clientId: string } & (CrowdMessage | { readonly released: number });

const running = new Set<ChildProcess>();
// The net: nothing outlives the test process.
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export class MqttCrowd {
  /** Resolves when it has been killed. */
  readonly killed: Promise<unknown>;
  readonly #journal = path.join(temporaryDirectory(), 'journal');
  readonly #ready: Promise<unknown>;

  private constructor(port: number, members: readonly CrowdMember[], most: number) {
    const args = [SCRIPT, String(port), this.#journal, String(most), JSON.stringify(members)];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    running.add(child);
    this.killed = once(child, 'close').then(([code, signal]) => {
      running.delete(child);
      if (signal !== 'SIGKILL') throw new Error(`the crowd has ended with ${String(code)}`);
    });
    this.killed.catch(() => undefined);
    this.#ready = Promise.race([once(child.stdout, 'data'), this.killed]);
  }

  /**
   * Resolves when all members are subscribed, and what they publish is taken.
   * @param most how many messages they get together: with the last one of them the process is killed
   */
  static async start(port: number, members: readonly CrowdMember[], most: number): Promise<MqttCrowd> {
    const crowd = new MqttCrowd(port, members, most);
    await within(crowd.#ready, 'a crowd that is ready');
    return crowd;
  }

  /** What the members have written down. */
  memories(): ReadonlyMap<string, CrowdMemory> {
    const memories = new Map<string, CrowdMemory>();
    // The last line may have no end: then it was not written down.
    for (const line of readFileSync(this.#journal, 'utf8').split('\n').slice(0, -1)) {
      const { clientId, ...entry } = JSON.parse(line) as Entry;
      const memory = memories.get(clientId) ?? { messages: [], received: new Set() };
      memories.set(clientId, memory);
      if ('released' in entry) memory.received.delete(entry.released);
      else remember(memory, entry);
    }
    return memories;
  }
}

/** @returns false when it is one of QoS 2 that the client has already. */
export function remember({ messages, received }: CrowdMemory, message: CrowdMessage): boolean {
  if (message.qos === 2 && received.has(message.messageId)) return false;
  messages.push(message);
  if (message.qos === 2) received.add(message.messageId);
  return true;
}
