/** Nodes of a cluster in one process, over the engine in memory, with clocks that a test sets. */
import { pino } from 'pino';
import { Membership } from '../../src/cluster/membership.js';
import type { MembershipTimings } from '../../src/cluster/membership-deps.js';
import type { Bucket, Change } from '../../src/engine/engine.js';
import { MemoryHub } from '../../src/engine/memory/hub.js';
import type { MemoryEngine } from '../../src/engine/memory/hub.js';
import type { NodeRef } from '../../src/cluster/node-ref.js';
import type { Scheduler } from '../../src/router/observer.js';
import type { RouterDeps } from '../../src/router/router.js';
import type { RealmConfig } from '../../src/router/schema.js';
import { ALLOW_ALL } from './realm.js';
import type { FakeClock } from './realm.js';

const REALM_OPTIONS = { uri_check: 'loose', event_dispatching_chunk_size: 100, bridge_meta_api: false } as const;

export const TIMINGS: MembershipTimings = { heartbeatMs: 1000, suspectMs: 3000, fenceMs: 3000, removeMs: 5000 };

/** Everything that is under way arrives. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** A realm that everybody may use. */
export function realmConfig(name: string): RealmConfig {
  return { name, roles: [ALLOW_ALL], options: REALM_OPTIONS };
}

/** What a router in a cluster is made with, but for what joins it to the others. */
export function testRouterDeps(
  clock: Scheduler & { readonly now: number },
): Pick<RouterDeps, 'randomId' | 'clock' | 'scheduler'> {
  return { randomId: () => 1 + Math.floor(Math.random() * 2 ** 53), clock: () => clock.now, scheduler: clock };
}

export function testHub(): MemoryHub {
  return new MemoryHub({ pace: (proceed) => queueMicrotask(() => proceed()) });
}

/** A member, and what it was told. */
export class TestMember {
  readonly told: string[] = [];
  /** What `clean` does. */
  clean: (node: NodeRef) => Promise<void> = () => Promise.resolve();
  /** What it is told of its own key waits for this. */
  ownKeyTold: Promise<void> | undefined;
  /** Milliseconds that the node was stopped for: its clock goes on, and its timers do not. */
  stoppedMs = 0;
  membership: Membership | undefined;
  readonly #name: string;
  readonly engine: MemoryEngine;
  readonly #clock: FakeClock;

  constructor(name: string, hub: MemoryHub, clock: FakeClock) {
    this.#name = name;
    this.engine = hub.connect();
    this.#clock = clock;
  }

  async join(): Promise<this> {
    const clock = this.#clock;
    this.membership = await Membership.join({
      engine: this.engine,
      bucket: await this.#bucket(),
      subject: 'w.test.hb',
      name: this.#name,
      clock: () => clock.now,
      scheduler: {
        elapsed: () => clock.elapsed() + this.stoppedMs,
        after: (ms, callback) => clock.after(ms, callback),
      },
      timings: TIMINGS,
      log: pino({ level: 'silent' }),
      listener: {
        joined: ({ name }) => void this.told.push(`joined ${name}`),
        removed: ({ name }) => void this.told.push(`removed ${name}`),
        clean: (node) => {
          this.told.push(`clean ${node.name}`);
          return this.clean(node);
        },
        fenced: (why) => void this.told.push(`fenced: ${why}`),
      },
    });
    return this;
  }

  async #bucket(): Promise<Bucket> {
    const bucket = await this.engine.bucket('nodes', { durable: true });
    const told = this.ownKeyTold;
    if (told === undefined) return bucket;
    return {
      get: (key) => bucket.get(key),
      create: (key, value) => bucket.create(key, value),
      put: (key, value) => bucket.put(key, value),
      delete: (key) => bucket.delete(key),
      erase: (key) => bucket.erase(key),
      watch: (onChange, onGone) => {
        const late = (change: Change): void => void told.then(() => onChange(change));
        return bucket.watch((change) => (change.key.startsWith(`n.${this.#name}.`) ? late : onChange)(change), onGone);
      },
    };
  }

  /** Takes out what was told since the last look. */
  news(): string[] {
    return this.told.splice(0);
  }
}
