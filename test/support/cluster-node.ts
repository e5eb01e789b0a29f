/** A node of a cluster in one process: a member with a router of its own, whose sessions a test plays. */
import { pino } from 'pino';

import { ClusterMember } from '../../src/cluster/member.js';
import type { PatternIdOf } from '../../src/cluster/pattern-id.js';
import type { Engine } from '../../src/engine/engine.js';
import type { MemoryEngine } from '../../src/engine/memory/hub.js';
import type { Scheduler } from '../../src/router/observer.js';
import type { Realm } from '../../src/router/realm.js';
import { Router } from '../../src/router/router.js';
import { realmConfig, testRouterDeps, TIMINGS } from './cluster.js';
import { ALLOW_ALL, ScriptedSession } from './realm.js';

/** Time of day, and timers: a `FakeClock`, or those of the process. */
export type NodeClock = Scheduler & { readonly now: number };

export class ClusterNode<E extends Engine = MemoryEngine> {
  readonly name: string;
  readonly engine: E;
  readonly fenced: string[] = [];
  readonly #clock: NodeClock;
  #member: ClusterMember | undefined;
  #realm: Realm | undefined;

  constructor(name: string, hub: { connect(): E }, clock: NodeClock) {
    this.name = name;
    this.engine = hub.connect();
    this.#clock = clock;
  }

  /** @param idOf how patterns get their ids. */
  async join({ cluster = 'test', idOf }: { cluster?: string; idOf?: PatternIdOf } = {}): Promise<this> {
    const clock = this.#clock;
    const member = await ClusterMember.join({
      ...{ engine: this.engine, cluster, node: this.name, timings: TIMINGS, scheduler: clock },
      clock: () => clock.now,
      log: pino({ level: 'silent' }),
      ...(idOf !== undefined && { idOf }),
      fenced: (why) => void this.fenced.push(why),
    });
    this.#member = member;
    const router = new Router([realmConfig('realm1')], {
      ...testRouterDeps(clock),
      newSessionId: () => member.newSessionId(),
      uplinkOf: (realm) => member.linkOf(realm),
    });
    this.#realm = router.realm('realm1');
    if (this.#realm !== undefined) member.linkOf('realm1').begin(this.#realm);
    return this;
  }

  get member(): ClusterMember {
    if (this.#member === undefined) throw new Error('the node has not joined');
    return this.#member;
  }

  get realm(): Realm {
    if (this.#realm === undefined) throw new Error('the node has not joined');
    return this.#realm;
  }

  session(...features: string[]): ScriptedSession {
    const role = this.realm.role(ALLOW_ALL.name);
    if (role === undefined) throw new Error('there is no role');
    return new ScriptedSession(this.realm, this.member.newSessionId(), role, features);
  }
}
