/** The worker `websocket-testee`: one echo on a port of its own. A router has it as one of its transports. */
import { messageOf } from '../../system/error.js';
import { createTesteeServer } from '../../webservice/server.js';
import { testeeOffer } from '../../webservice/transport-types.js';
import { listeningSummary } from '../listening.js';
import { WorkerError } from '../worker.js';
import type { EndpointServer } from '../../transport/endpoint.js';
import type { ListeningSummary } from '../summary.js';
import type { Worker, WorkerDeps, WorkerOffer, WorkerType } from '../worker.js';
import type { TesteeWorkerConfig } from './schema.js';

class TesteeWorker implements Worker {
  readonly #config: TesteeWorkerConfig;
  readonly #deps: WorkerDeps;
  readonly #server: EndpointServer;
  readonly #listening: ListeningSummary[] = [];

  constructor(config: TesteeWorkerConfig, deps: WorkerDeps) {
    this.#config = config;
    this.#deps = deps;
    this.#server = createTesteeServer(config.transport, deps);
  }

  get summary(): WorkerOffer {
    return { listening: [...this.#listening], realms: [], components: [] };
  }

  async start(): Promise<void> {
    const { id: worker, type, transport } = this.#config;
    const { pointer, log } = this.#deps;
    try {
      const bound = await this.#server.start();
      const names = { transport: transport.id, worker, type };
      const listening = listeningSummary(names, bound, testeeOffer(transport, bound));
      this.#listening.push(listening);
      log.info(listening, 'transport started');
    } catch (cause) {
      throw new WorkerError(`transport ${transport.id} (${pointer}/transport): ${messageOf(cause)}`, { cause });
    }
  }

  stop(): Promise<void> {
    return this.#server.stop();
  }
}

/** The config word `websocket-testee`. */
export const testeeWorkerType: WorkerType<TesteeWorkerConfig> = {
  type: 'websocket-testee',
  create: (config, deps) => new TesteeWorker(config, deps),
  cookieSections: () => [],
  privateFiles: ({ transport: { endpoint } }) => ('tls' in endpoint ? [endpoint.tls.key] : []),
};
