/**
 * One JavaScript component in a host, from its module to its end.
 *
 *     import -> connect -> join (`joined`) -> the function is called, and what it returns is waited for (`ready`) -> `left`
 *     each of these steps may end it with `failed`
 *     its end, whatever the reason: `onleave` -> `stop` of what the function returned
 */
import { CallError, Result } from '../client/api.js';
import type { ComponentHooks } from '../client/api.js';
import { nativeFunction } from '../component/native.js';
import type { Logger } from '../log/logger.js';
import { messageOf } from '../system/error.js';
import { loadFunction } from '../system/module.js';
import { RemoteClient, TRANSPORT_LOST } from './client.js';
import type { RemotePrincipal } from './client.js';

/** As the node tells it: a module, unless its type is a component that we ship. */
export interface ModuleSpec extends RemotePrincipal {
  readonly type: string;
  readonly module?: string;
  readonly name?: string;
  readonly extra?: unknown;
}

/** Who is told of it; the messages of the control channel, without the component. */
export type Tell = (message: object) => void;

/** The steps, as messages call them. */
type Stage = 'import' | 'connect' | 'join' | 'onJoin';

/** A component that runs, or did. */
export class HostedModule {
  readonly #id: string;
  readonly #spec: ModuleSpec;
  readonly #cbdir: string;
  readonly #log: Logger;
  readonly #tell: Tell;
  #client: RemoteClient | undefined;
  #hooks: ComponentHooks | undefined;
  /** When its own `stop` is done. */
  #cleaned: Promise<void> = Promise.resolve();
  #stage: Stage = 'import';
  #isOver = false;

  constructor(id: string, spec: ModuleSpec, { cbdir, log, tell }: { cbdir: string; log: Logger; tell: Tell }) {
    this.#id = id;
    this.#spec = spec;
    this.#cbdir = cbdir;
    this.#log = log;
    this.#tell = tell;
  }

  /** Never rejects. */
  async run(): Promise<void> {
    try {
      await this.#run();
    } catch (error) {
      const trace = error instanceof Error && this.#stage !== 'connect' ? error.stack : undefined;
      const failure = { stage: this.#stage, problem: messageOf(error), ...(trace !== undefined && { trace }) };
      // Who left while its function was at work has ended already, and no more is to be told than why.
      if (this.#isOver) this.#log.error({ err: error }, 'component failed after it had left');
      else this.#end({ type: 'failed', ...failure });
      this.#client?.session.leave();
    }
  }

  /** Never rejects; has no limit of its own. */
  async stop(): Promise<void> {
    const session = this.#client?.session;
    if (session?.isOpen === true) await session.close();
    await this.#cleanUp();
  }

  async #run(): Promise<void> {
    const { type, module = '', name = '', realm, extra } = this.#spec;
    const run = await (nativeFunction(type) ?? loadFunction(this.#cbdir, module, name));
    this.#stage = 'connect';
    this.#client = await RemoteClient.connect(this.#spec, this.#log);
    this.#stage = 'join';
    const { session } = this.#client;
    await this.#client.join(realm);
    const { authid, authrole } = session.details;
    this.#tell({ type: 'joined', session: session.id, realm: session.realm, authid, authrole });
    this.#stage = 'onJoin';
    void session.over.then((reason) => this.#left(reason));
    const context = { id: this.#id, extra, cbdir: this.#cbdir, log: this.#log, CallError, Result };
    const hooks: unknown = await run(session, context);
    if (typeof hooks === 'object' && hooks !== null) this.#hooks = hooks;
    if (this.#isOver) await this.#cleanUp();
    else this.#tell({ type: 'ready' });
  }

  #left(reason: string): void {
    const clean = reason !== TRANSPORT_LOST && !reason.startsWith('wamp.error.');
    this.#end({ type: 'left', reason, clean });
    void this.#cleanUp();
  }

  /** Once: what it keeps open must not outlive it, as it may be started again in this process. Never rejects. */
  #cleanUp(): Promise<void> {
    const hooks = this.#hooks;
    if (hooks === undefined) return this.#cleaned;
    this.#hooks = undefined;
    this.#cleaned = this.#stopped(hooks);
    return this.#cleaned;
  }

  async #stopped(hooks: ComponentHooks): Promise<void> {
    try {
      await hooks.stop?.();
    } catch (err) {
      this.#log.error({ err }, 'component failed to stop');
    }
  }

  #end(message: object): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#tell(message);
  }
}
