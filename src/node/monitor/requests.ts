/**
 * The monitor through the control socket: the requests `monitor.summary`, `monitor.sessions`, `monitor.topics`,
 * `monitor.procedures` and `monitor.refusals`, on either side. Who may open the socket may look.
 */
import type { Monitor, MonitoredRefusal, MonitorSummary } from '../../monitor/monitor.js';
import type { MonitoredProcedure, MonitoredTopic } from '../../monitor/patterns.js';
import type { MonitoredSession, MonitorPage } from '../../monitor/sessions.js';
import type { ControlArguments, ControlClient, ControlHandlers } from '../control.js';

/** The node's side. */
export function monitorRequests(monitor: Monitor): ControlHandlers {
  return {
    'monitor.summary': (request) => monitor.summary(request),
    'monitor.sessions': (request) => monitor.sessions(request),
    'monitor.topics': (request) => monitor.topics(request),
    'monitor.procedures': (request) => monitor.procedures(request),
    'monitor.refusals': (request) => monitor.refusals(request),
  };
}

/** The side of a command. What comes back is the node's own, of the same version or near it, and is not checked again. */
export class RemoteMonitor {
  readonly #client: ControlClient;

  constructor(client: ControlClient) {
    this.#client = client;
  }

  /** All methods throw a NodeError `ERR_NODE_CONTROL` when the node refuses or goes away. */
  async summary(): Promise<MonitorSummary> {
    return (await this.#client.ask('monitor.summary', {})) as MonitorSummary;
  }

  async sessions(request: ControlArguments): Promise<MonitorPage<MonitoredSession>> {
    return (await this.#client.ask('monitor.sessions', request)) as MonitorPage<MonitoredSession>;
  }

  async topics(request: ControlArguments): Promise<MonitorPage<MonitoredTopic>> {
    return (await this.#client.ask('monitor.topics', request)) as MonitorPage<MonitoredTopic>;
  }

  async procedures(request: ControlArguments): Promise<MonitorPage<MonitoredProcedure>> {
    return (await this.#client.ask('monitor.procedures', request)) as MonitorPage<MonitoredProcedure>;
  }

  async refusals(request: ControlArguments): Promise<{ readonly entries: readonly MonitoredRefusal[] }> {
    return (await this.#client.ask('monitor.refusals', request)) as { entries: MonitoredRefusal[] };
  }
}
