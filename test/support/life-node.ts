/** A node of a cluster in one process with all its lives, and a router whose realms come and go: what `node/cluster/` makes of a config. */
import { pino } from 'pino';

import { ClusterLives } from '../../src/cluster/lives.js';
import type { MemoryEngine, MemoryHub } from '../../src/engine/memory/hub.js';
import type { Realm } from '../../src/router/realm.js';
import { Router } from '../../src/router/router.js';
import { settle, realmConfig, testRouterDeps, TIMINGS } from './cluster.js';
import { ALLOW_ALL, ScriptedSession } from './realm.js';
import type { FakeClock } from './realm.js';

/** The session of a client, whose connection is closed when the node may not serve. */
export class ClientSession extends ScriptedSession {
  cutBy: string | undefined;

  cut(text: string): void {
    this.cutBy = text;
    this.leave();
  }
}

/** The session of a component, which stays. */
export class PartSession extends ScriptedSession {
  readonly isOfNode = true;
}

export class LifeNode {
  readonly name: string;
  readonly engine: MemoryEngine;
  /** What its listener was told. */
  readonly told: string[] = [];
  readonly #clock: FakeClock;
  #lives: ClusterLives | undefined;
  #router: Router | undefined;

  constructor(name: string, hub: MemoryHub, clock: FakeClock) {
    this.name = name;
    this.engine = hub.connect();
    this.#clock = clock;
  }

  /** @param realms that there are from the start. */
  async join(realms: readonly string[] = ['realm1']): Promise<this> {
    const clock = this.#clock;
    const lives = (this.#lives = await ClusterLives.join({
      ...{ engine: this.engine, cluster: 'test', node: this.name, timings: TIMINGS, scheduler: clock },
      clock: () => clock.now,
      log: pino({ level: 'silent' }),
      listener: {
        fenced: (why) => void this.told.push(`fenced: ${why}`),
        stillAway: (error) => void this.told.push(`away: ${error instanceof Error ? error.message : 'no error'}`),
        joinedAgain: ({ name }) => void this.told.push(`joined again as ${name}`),
      },
    }));
    this.#router = new Router(realms.map(realmConfig), {
      ...testRouterDeps(clock),
      newSessionId: () => lives.newSessionId(),
      uplinkOf: (realm) => lives.uplinkOf(realm),
      realmAdded: (realm) => lives.begin(realm),
      realmRemoved: ({ name }) => lives.end(name),
    });
    return this;
  }

  get lives(): ClusterLives {
    if (this.#lives === undefined) throw new Error('the node has not joined');
    return this.#lives;
  }

  get router(): Router {
    if (this.#router === undefined) throw new Error('the node has not joined');
    return this.#router;
  }

  realm(name = 'realm1'): Realm {
    const realm = this.router.realm(name);
    if (realm === undefined) throw new Error(`there is no realm ${name}`);
    return realm;
  }

  addRealm(name: string): void {
    this.router.addRealm(realmConfig(name));
  }

  client(realm?: string): ClientSession {
    return this.#session(ClientSession, realm);
  }

  part(realm?: string): PartSession {
    return this.#session(PartSession, realm);
  }

  /** Takes out what was told since the last look. */
  news(): string[] {
    return this.told.splice(0);
  }

  #session<S>(kind: new (...args: ConstructorParameters<typeof ScriptedSession>) => S, name?: string): S {
    const realm = this.realm(name);
    const role = realm.role(ALLOW_ALL.name);
    if (role === undefined) throw new Error('there is no role');
    return new kind(realm, this.router.newSessionId(), role, []);
  }
}

/** Time goes on, and everything that is under way arrives. */
export async function pass(clock: FakeClock, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 250) {
    clock.advance(Math.min(left, 250));
    await settle();
  }
}

/** The link of a node is down for so long that it is fenced. */
export async function fence(node: LifeNode, clock: FakeClock): Promise<void> {
  node.engine.cut();
  await pass(clock, TIMINGS.fenceMs + TIMINGS.heartbeatMs);
}

/** @returns the keys of a bucket, without numbers at their end. */
export async function keysOf({ engine }: LifeNode, bucket: string): Promise<string[]> {
  const keys = new Set<string>();
  const known = await engine.bucket(`test_${bucket}`, { durable: true });
  const end = await known.watch(({ key, value }) => (value === undefined ? keys.delete(key) : keys.add(key)));
  end();
  return [...keys].map((key) => key.replace(/\.\d+$/, '')).sort();
}

const [CALL, ERROR, RESULT, INVOCATION, YIELD] = [48, 8, 50, 68, 70];
let lastRequest = 100;

/** @returns which of the callees answers a call, as their index; the URI of the error where none does. */
export async function answerer(caller: ScriptedSession, uri: string, ...callees: ScriptedSession[]): Promise<unknown> {
  caller.heard();
  caller.tell(CALL, ++lastRequest, {}, uri);
  await settle();
  for (const [index, callee] of callees.entries()) {
    for (const [code, id] of callee.heard()) if (code === INVOCATION) callee.tell(YIELD, id, {}, [index]);
  }
  await settle();
  const answer = caller.heard().find(([code, first]) => code === RESULT || (code === ERROR && first === CALL));
  return answer?.[0] === RESULT ? (answer[3] as unknown[])[0] : answer?.[4];
}
