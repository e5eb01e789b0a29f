/** Heartbeats. Those of this node that come back prove that the others can hear it. */
import { EngineError } from '../engine/engine.js';
import { encodeJson } from './json.js';
import type { Engine } from '../engine/engine.js';
import { heartbeatIn } from './nodes-bucket.js';
import { isSame } from './node-ref.js';
import type { Scheduler } from '../router/observer.js';
import type { NodeRef } from './node-ref.js';

export interface OwnHeartbeatsDeps {
  readonly engine: Pick<Engine, 'isUp' | 'publish'>;
  readonly scheduler: Pick<Scheduler, 'elapsed'>;
  readonly subject: string;
  /** After so many milliseconds a heartbeat proves nothing any more. */
  readonly forgetMs: number;
}

export class OwnHeartbeats {
  readonly #deps: OwnHeartbeatsDeps;
  // Heartbeats that have not come back: their number -> when they were sent
  readonly #sent = new Map<number, number>();
  #count = 0;
  #provenMs: number;

  constructor(deps: OwnHeartbeatsDeps) {
    this.#deps = deps;
    this.#provenMs = deps.scheduler.elapsed();
  }

  /** For how long nothing proves that the others hear this node, in milliseconds. */
  get unprovenMs(): number {
    return this.#deps.scheduler.elapsed() - this.#provenMs;
  }

  /** The life of the node begins now. */
  begin(): void {
    this.#provenMs = this.#deps.scheduler.elapsed();
  }

  /** One that the engine does not take is one that does not come back. @param node the key of this node */
  send(node: string): void {
    const { engine, scheduler, subject, forgetMs } = this.#deps;
    const now = scheduler.elapsed();
    for (const [count, sentMs] of this.#sent) if (now - sentMs > forgetMs) this.#sent.delete(count);
    if (!engine.isUp) return;
    try {
      engine.publish(subject, encodeJson({ node, count: ++this.#count }));
      this.#sent.set(this.#count, now);
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
    }
  }

  /** One has come back: everything up to when it was sent is proven. */
  cameBack(count: number): void {
    const sentMs = this.#sent.get(count);
    if (sentMs !== undefined) this.#provenMs = Math.max(this.#provenMs, sentMs);
    for (const earlier of this.#sent.keys()) if (earlier <= count) this.#sent.delete(earlier);
  }
}

export interface HeardDeps {
  readonly engine: Pick<Engine, 'subscribe'>;
  readonly scheduler: Pick<Scheduler, 'after'>;
  readonly subject: string;
  /** How long to listen, in milliseconds. */
  readonly withinMs: number;
}

/** Resolves with true as soon as one of some nodes is heard, and with false when none was. */
export function isHeard(nodes: readonly NodeRef[], deps: HeardDeps): Promise<boolean> {
  return new Promise<boolean>((resolve) => {
    const over = (isAlive: boolean): void => {
      stopTimer();
      end();
      resolve(isAlive);
    };
    const stopTimer = deps.scheduler.after(deps.withinMs, () => over(false));
    const end = deps.engine.subscribe(deps.subject, ({ data }) => {
      const from = heartbeatIn(data)?.from;
      if (from !== undefined && nodes.some((node) => isSame(node, from))) over(true);
    });
  });
}
