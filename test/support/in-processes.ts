/**
 * The config of a node with each router worker in a process of its own (`options.process`). A config of which something cannot be in other processes stays as it is.
 */

interface Transport {
  readonly endpoint?: { readonly type: string; readonly shared?: boolean };
}

interface Worker {
  readonly type: string;
  readonly id?: string;
  readonly instances?: number;
  readonly options?: object;
  readonly realms?: readonly { readonly cluster?: boolean }[];
  readonly transports?: readonly Transport[];
}

interface Config {
  readonly controller?: { readonly options?: { readonly audit?: object } };
  readonly workers?: readonly Worker[];
}

/** @returns the same node with processes; undefined where it has nothing that could be in one. */
export function inProcesses(config: object): object | undefined {
  const { controller, workers = [] } = config as Config;
  if (controller?.options?.audit !== undefined) return undefined;
  if (workers.some(({ type, instances }) => type === 'proxy' && instances === undefined)) return undefined;
  const fronts = workers.filter(({ type }) => type === 'proxy');
  const isApart = (worker: Worker): boolean =>
    worker.type === 'router' && canBeApart(worker) && fronts.every(canLeadApart);
  if (!workers.some(isApart)) return undefined;
  const placed = workers.map((worker) =>
    isApart(worker) ? { ...worker, options: { ...worker.options, process: true } } : worker,
  );
  return { ...config, workers: placed };
}

function canBeApart({ realms = [], transports = [] }: Worker): boolean {
  const isOwn = ({ endpoint }: Transport): boolean => endpoint?.shared !== true && endpoint?.type !== 'systemd';
  return realms.every(({ cluster }) => cluster !== true) && transports.every(isOwn);
}

/** Web services of fronts are with the process of the node, which does not have these realms. */
function canLeadApart({ transports = [] }: Worker): boolean {
  const text = JSON.stringify(transports, (key, value: unknown) => (key === 'auth' ? undefined : value));
  return !/"realm":|"type":"(longpoll|login)"/.test(text);
}
