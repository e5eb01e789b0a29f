/** Ports that the system chose for a process (`"port": 0`): the next one takes them again, and its config has 0 all the same. Pure. */
import type { RouterWorkerConfig, TransportConfig } from '../schema.js';
import type { WorkerOffer } from '../worker.js';

/** id of a transport -> its port */
export type ChosenPorts = ReadonlyMap<string, number>;

/** @param offer what listened where. */
export function chosenPorts(config: RouterWorkerConfig, { listening }: WorkerOffer): ChosenPorts {
  return new Map(
    config.transports.flatMap(({ id, endpoint }): [string, number][] => {
      const port = listening.find(({ transport }) => transport === id)?.port;
      return endpoint?.type === 'tcp' && endpoint.port === 0 && port !== undefined ? [[id, port]] : [];
    }),
  );
}

/** @returns the config with the ports in the place of 0. */
export function withPorts(config: RouterWorkerConfig, chosen: ChosenPorts): RouterWorkerConfig {
  return changed(config, (id, port) => (port === 0 ? chosen.get(id) : undefined));
}

/** @returns the config with 0 in the place of the ports. */
export function withoutPorts(config: RouterWorkerConfig, chosen: ChosenPorts): RouterWorkerConfig {
  return changed(config, (id, port) => (chosen.get(id) === port ? 0 : undefined));
}

type Change = (id: string, port: number) => number | undefined;

function changed(config: RouterWorkerConfig, change: Change): RouterWorkerConfig {
  const transports = config.transports.map((transport): TransportConfig => {
    const { endpoint, id } = transport;
    const port = endpoint?.type === 'tcp' ? change(id, endpoint.port) : undefined;
    return port === undefined ? transport : ({ ...transport, endpoint: { ...endpoint, port } } as TransportConfig);
  });
  return { ...config, transports };
}
