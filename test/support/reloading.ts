/** A daemon whose config changes while it runs: what is written is taken over by its control socket, as `crossbar-ts reload` does it. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { ControlClient } from '../../src/node/control.js';
import { RemoteNode } from '../../src/node/process-control.js';
import type { ReloadReport } from '../../src/node/reload/report.js';
import { placedConfig, startDaemon } from './daemon.js';
import type { Daemon, DaemonOptions } from './daemon.js';
import { freePorts } from './ports.js';

/** A transport with an endpoint of its own on this machine. */
export const endpointAt = (port: number): object => ({ type: 'tcp', port, interface: '127.0.0.1' });

export class ReloadedDaemon {
  readonly daemon: Daemon;
  /** Free when it was started: for endpoints. */
  readonly ports: readonly number[];
  readonly #client: ControlClient;

  private constructor(daemon: Daemon, ports: readonly number[], client: ControlClient) {
    this.daemon = daemon;
    this.ports = ports;
    this.#client = client;
  }

  /** @param config made with as many free ports as it takes; ports of the config must not be 0: they would stay what they are. */
  static async start(
    config: object | ((ports: readonly number[]) => object),
    options: DaemonOptions & { readonly portCount?: number } = {},
  ): Promise<ReloadedDaemon> {
    const ports = await freePorts(options.portCount ?? 0);
    const daemon = await startDaemon({ ...options, config: typeof config === 'function' ? config(ports) : config });
    const client = await ControlClient.connect(daemon.cbdir);
    if (client === undefined) throw new Error('the node has no control socket');
    return new ReloadedDaemon(daemon, ports, client);
  }

  get node(): RemoteNode {
    return new RemoteNode(this.#client);
  }

  write(config: object | string): void {
    const text = typeof config === 'string' ? config : JSON.stringify(placedConfig(config));
    writeFileSync(path.join(this.daemon.cbdir, 'config.json'), text);
  }

  reload(config: object | string): Promise<ReloadReport> {
    this.write(config);
    return this.node.reload();
  }

  /** {@link reload}, of a config that is taken over as a whole. @throws Error when it is not. */
  async take(config: object): Promise<ReloadReport> {
    const report = await this.reload(config);
    if (!report.ok || report.pending.length > 0) {
      throw new Error(`not taken over: ${JSON.stringify([report.problems, report.pending])}`);
    }
    return report;
  }

  async dispose(): Promise<void> {
    this.#client.close();
    await this.daemon.dispose();
  }
}
