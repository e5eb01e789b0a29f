/**
 * WAMP clients of one protocol without HTTP, on a transport of their own or beside others: what is built of the config, and takes the
 * place of what was built before.
 */
import { HandedAcceptor } from './handed-acceptor.js';
import type { LiveSessionDeps } from '../../session/deps.js';
import type { Logger } from '../../log/logger.js';
import type { Acceptor } from '../endpoint.js';
import type { Prepared } from './prepared.js';

/** What is built of a config. `A` is the kind of its acceptor. */
export interface BuiltAcceptor<A extends RetiringAcceptor<A>> {
  /** What its sessions are made with, and nobody shares. */
  readonly own: LiveSessionDeps;
  readonly acceptor: A;
  /** Called in the turn in which it takes the place of another one. Never throws. */
  readonly begin?: () => void;
}

/** An acceptor that leaves its place to another one of its kind. */
export interface RetiringAcceptor<A> extends Acceptor {
  /** Resolves when its last connection has gone. */
  retire(successor: A): Promise<void>;
}

/** What is spoken at a place, by one config after the other. */
export interface LivePart<C> {
  /** It goes on when the config changes. */
  readonly acceptor: Acceptor;
  /** @throws (rejects) when a part cannot be set up: all is as before. */
  prepare(next: C): Promise<Prepared>;
}

const UNCHANGED: Prepared = { commit: () => undefined, discard: () => Promise.resolve() };

/**
 * @param first what is in force when the transport starts
 * @param build makes an acceptor without side effects, or throws (rejects) when it cannot be set up.
 * @throws (rejects) what `build` throws.
 */
export async function livePart<C, A extends RetiringAcceptor<A>>(
  first: C,
  build: (config: C) => Promise<BuiltAcceptor<A>>,
  log: Logger,
): Promise<LivePart<C>> {
  let config = first;
  let running = await build(first);
  const acceptor = new HandedAcceptor(running.acceptor, log);
  const prepare = async (next: C): Promise<Prepared> => {
    // What has not changed is the same object.
    if (next === config) return UNCHANGED;
    const built = await build(next);
    return {
      commit: () => {
        const old = running;
        [config, running] = [next, built];
        old.own.follow(built.own);
        built.begin?.();
        acceptor.hand(built.acceptor, () => old.acceptor.retire(built.acceptor));
      },
      discard: () => built.acceptor.stop(),
    };
  };
  return { acceptor, prepare };
}
