/**
 * One component in a host, from the order to start it to its end.
 *
 *     start: the host loads it -> it joins its realm, within a minute -> `onJoin` ends, or five seconds are over
 *
 * Some components never come to the end of `onJoin`, because they do their work there. What goes wrong later is a line in the log.
 */
import { scheduled } from './scheduled.js';
import type { ComponentHost } from './component-host.js';
import type { ComponentFailure, ComponentLeft, JoinedFacts } from './messages.js';
import type { Logger } from '../../log/logger.js';

/** How long a component may take, in milliseconds. */
export interface HostedTimes {
  readonly joinMs: number;
  readonly readyMs: number;
}

/** A minute to join; five seconds more to be ready. */
export const HOSTED_TIMES: HostedTimes = { joinMs: 60_000, readyMs: 5000 };

/** What is started. */
export interface HostedComponentParts {
  readonly id: string;
  readonly host: ComponentHost;
  /** As the host takes it. */
  readonly spec: Readonly<Record<string, unknown>>;
  /** Has the component in its fields. */
  readonly log: Logger;
  /** What the log says of it. */
  readonly facts: Readonly<Record<string, unknown>>;
  readonly times?: HostedTimes;
}

/** One component. `start` once. */
export class HostedComponent {
  readonly #parts: HostedComponentParts;
  readonly #log: Logger;
  /** From then on it is no news that it leaves. */
  #stopping = false;
  #joined: (facts: JoinedFacts) => void = () => undefined;
  #ready: (isReady: boolean) => void = () => undefined;
  #failed: (error: Error) => void = () => undefined;

  constructor(parts: HostedComponentParts) {
    this.#parts = parts;
    this.#log = parts.log;
  }

  /** @throws Error with one line for the operator, when it has failed or is late; the reason of the signal (rejects). */
  async start(signal?: AbortSignal): Promise<void> {
    const { id, host, spec, facts, times = HOSTED_TIMES } = this.#parts;
    const failed = new Promise<never>((_resolve, reject) => (this.#failed = reject));
    const joined = new Promise<JoinedFacts>((resolve) => (this.#joined = resolve));
    const ready = new Promise<boolean>((resolve) => (this.#ready = resolve));
    const giveUp = (): void => this.#failed(signal?.reason as Error);
    signal?.addEventListener('abort', giveUp);
    host.startComponent(id, spec, {
      joined: (of) => this.#joined(of),
      ready: () => this.#ready(true),
      failed: (failure) => this.#onFailed(failure),
      left: (end) => this.#onLeft(end),
    });
    try {
      const { session } = await scheduled(Promise.race([failed, joined]), times.joinMs, () => this.#lateToJoin());
      const isReady = await scheduled(Promise.race([failed, ready]), times.readyMs, () => false);
      this.#log.info({ ...facts, sessionId: session }, 'component started');
      if (!isReady) this.#log.warn({ waitedMs: times.readyMs }, 'component goes on with onJoin: it is not waited for');
    } finally {
      signal?.removeEventListener('abort', giveUp);
    }
  }

  /** The node stops: from now on it is no news that it leaves. */
  stopping(): void {
    this.#stopping = true;
  }

  #lateToJoin(): never {
    const { times = HOSTED_TIMES, facts } = this.#parts;
    const problem = `it did not join within ${times.joinMs / 1000} seconds`;
    this.#log.error({ stage: 'join', problem, ...facts }, 'component failed');
    throw new Error(`join: ${problem}`);
  }

  #onFailed({ stage, problem, trace }: ComponentFailure): void {
    const facts = { stage, problem, ...this.#parts.facts, ...(trace !== undefined && { trace }) };
    if (!this.#stopping) this.#log.error(facts, 'component failed');
    this.#failed(new Error(`${stage}: ${problem}`));
  }

  /** It may leave before it was ready: that is an end, and no failure. */
  #onLeft({ reason, clean }: ComponentLeft): void {
    if (!this.#stopping) this.#log[clean ? 'warn' : 'error']({ reason }, 'component left its realm');
    if (clean) this.#ready(true);
    else this.#failed(new Error(reason));
  }
}
