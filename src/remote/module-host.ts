/**
 * The program that runs the JavaScript components of a container, as a process of its own: started by the node, with the control
 * channel as file descriptor 3. See `worker/host/messages.ts` for what is said there.
 */
import { exit, version } from 'node:process';
import { isMainThread } from 'node:worker_threads';

import { setLevel } from '../log/level.js';
import { HostChannel, serveHostChannel } from './host-channel.js';
import { hostLog } from './host-log.js';
import { HostedModule } from './hosted-module.js';
import type { ModuleSpec } from './hosted-module.js';

/** How long components may take to leave. */
const STOP_MS = 2000;

/** What the node says. */
type Order =
  | { readonly type: 'setup'; readonly cbdir: string; readonly loglevel: string }
  | { readonly type: 'level'; readonly loglevel: string }
  | { readonly type: 'start'; readonly component: string; readonly spec: ModuleSpec }
  | { readonly type: 'stop' };

class ModuleHost {
  readonly #channel = new HostChannel(
    new URL(import.meta.url),
    (order) => this.#obey(order as Order),
    () => void this.#stop(),
  );
  /** Those that were started last, by their ids. */
  readonly #components = new Map<string, HostedModule>();
  readonly #send = (message: object): void => this.#channel.send(message);
  #log = hostLog('info', this.#send);
  #cbdir = '/';
  #stopping = false;

  #obey(order: Order): void {
    switch (order.type) {
      case 'setup':
        this.#cbdir = order.cbdir;
        this.#log = hostLog(order.loglevel, this.#send);
        return this.#send({ type: 'hello', versions: { node: version.slice(1) } });
      case 'level':
        return setLevel(this.#log, order.loglevel);
      case 'start':
        return this.#start(order.component, order.spec);
      case 'stop':
        return void this.#stop();
    }
  }

  #start(component: string, spec: ModuleSpec): void {
    if (this.#stopping) return;
    const log = this.#log.child({ component });
    const tell = (message: object): void => this.#send({ ...message, component });
    const hosted = new HostedModule(component, spec, { cbdir: this.#cbdir, log, tell });
    this.#components.set(component, hosted);
    void hosted.run();
  }

  async #stop(): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    const late = new Promise((resolve) => setTimeout(resolve, STOP_MS));
    await Promise.race([late, Promise.all([...this.#components.values()].map((component) => component.stop()))]);
    await this.#channel.flush();
    exit(0);
  }
}

if (isMainThread) new ModuleHost();
else serveHostChannel();
