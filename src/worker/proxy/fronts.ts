/**
 * The fronts of one proxy worker, as the node sees them. Its router takes over the halves of the transports that fronts do not have
 * (`front-config.ts`); clients of fronts come in by links on a socket file that nobody else can open.
 *
 *     start: the halves of the router -> the link -> the parent, which starts the fronts -> each listens everywhere
 *     a front ends       its clients have left, the parent starts another one
 *     a front is silent  it is killed
 */
import { rm } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { FRONT_PROGRAM } from '../../front/program-file.js';
import { Congestion } from '../../front/congestion.js';
import { FrontLink } from '../../front/front-link.js';
import { LinkListener } from '../../front/link-listener.js';
import { Kind } from '../../front/records.js';
import { followLevel } from '../../log/level.js';
import { killHard } from '../../system/process/kill.js';
import { FRONT } from '../../metrics/catalogue.js';
import { sample } from '../../metrics/metric.js';
import { makePrivateDirectory } from '../../system/private-directory.js';
import { startProcess } from '../../system/process/supervised.js';
import { placesOnly, routerEndpoint } from '../../transport/apart/halves.js';
import { listeningSummary } from '../listening.js';
import { KeptProcess } from '../process/kept-process.js';
import { aborted } from '../process/aborted.js';
import { passLine } from '../process/passed-log.js';
import { logOutput } from '../process/process-log.js';
import { transportTypeOf } from '../transports.js';
import { WorkerError } from '../worker.js';
import { offersOf } from './offers.js';
import { failureIn, helloIn, listeningIn, logLineIn, pulseIn } from './front-shapes.js';
import type { Place } from '../../transport/apart/apart.js';
import type { Sample } from '../../metrics/metric.js';
import type { MonitoredFront } from '../../monitor/source.js';
import type { ListeningSummary } from '../summary.js';
import type { TransportConfig } from '../schema.js';
import type { RunningRouter, WorkerDeps } from '../worker.js';
import type {
  FrontFailure,
  FrontHello,
  FrontListening,
  FrontLogLine,
  FrontPulse,
  FrontRouter,
  FrontSetup,
} from './front-shapes.js';
import type { VisitedTransport } from '../apart/visit-order.js';
import type { ProxyRoutes } from './schema.js';

export interface FrontsConfig {
  /** The id of the worker. */
  readonly id: string;
  readonly count: number;
  readonly routes: ProxyRoutes;
  /** The workers with processes of their own, by their realms. */
  readonly apart: Readonly<Record<string, string>>;
  /** With the index that each has in the config. */
  readonly transports: readonly { readonly index: number; readonly config: TransportConfig }[];
}

/** How much may wait for one front before it is given up. */
const MAX_UNSENT_BYTES = 256 * 1024 * 1024;
/** So often the node looks whether fronts live. So many looks in a row without a word, and a front is killed. */
const LOOK_MS = 1000;
const MAX_SILENT = 10;
/** How long the parent and its fronts have to end: answers of HTTP that a front has begun get five seconds. */
const GRACE_MS = 8000;
/** The path of a socket file has no more. */
const MAX_PATH = 90;

/** A front that is there. */
interface Running {
  readonly link: FrontLink;
  hello: FrontHello | undefined;
  pulse: FrontPulse | undefined;
  isReady: boolean;
  /** Looks since its last word. */
  silent: number;
}

export class Fronts {
  readonly #config: FrontsConfig;
  readonly #deps: WorkerDeps;
  readonly #places = new Map<string, Place>();
  readonly #running = new Set<Running>();
  readonly #congestion = new Congestion();
  readonly #listening = new Map<number, ListeningSummary>();
  /** What fronts serve, in the order of the transports. */
  readonly #halves: TransportConfig[] = [];
  /** The ports that the system chose for fronts that have all ended: the next ones take them again. */
  readonly #chosen = new Map<number, number>();
  #directory: string | undefined;
  #listener: LinkListener | undefined;
  #parent: KeptProcess | undefined;
  #looks: NodeJS.Timeout | undefined;
  #isStopping = false;
  #unfollow: () => void = () => undefined;
  #endSamples: () => void = () => undefined;
  /** Where fronts find the routers of realms that are not in this process. */
  #routers: readonly FrontRouter[] = [];
  /** How many have gone by themselves. */
  #lost = 0;
  /** Called when a front listens everywhere, or cannot. */
  #onReady: (problem?: string) => void = () => undefined;

  constructor(config: FrontsConfig, deps: WorkerDeps) {
    this.#config = config;
    this.#deps = deps;
  }

  /** What listens where, in the order of the config. */
  get listening(): readonly ListeningSummary[] {
    return [...this.#listening].sort(([a], [b]) => a - b).map(([, listening]) => listening);
  }

  /** Those that are there. */
  get list(): readonly MonitoredFront[] {
    return [...this.#running].flatMap(({ hello, link, pulse }) => {
      if (hello === undefined) return [];
      const { number: front, pid } = hello;
      const { rssBytes: memory_bytes = 0, cpuMs = 0 } = pulse ?? {};
      const { size: connections, unsentBytes: unsent_bytes } = link;
      return [
        {
          ...{ worker: this.#config.id, front, pid, connections, unsent_bytes },
          ...{ memory_bytes, cpu_seconds: cpuMs / 1000 },
        },
      ];
    });
  }

  /** @throws WorkerError (rejects) when a transport cannot start; the reason of `signal`. */
  async start(router: RunningRouter, signal?: AbortSignal): Promise<void> {
    const directory = await makePrivateDirectory('crossbar-ts-fronts-', MAX_PATH);
    this.#directory = directory;
    const { id: worker, routes, transports } = this.#config;
    const { families } = this.#deps;
    const visited: VisitedTransport[] = [];
    const elsewhere = this.#elsewhere;
    for (const [at, { index, config }] of transports.entries()) {
      signal?.throwIfAborted();
      const pointer = `${this.#deps.pointer}/transports/${index}`;
      const halves = transportTypeOf(config, families).halves?.(config, `${directory}/${index}.sock`, families);
      if (halves === undefined) throw new WorkerError(`transport ${config.id} (${pointer}): cannot be in fronts`);
      this.#halves.push(halves.atFront);
      if (halves.atRouter === undefined) continue;
      visited.push({ index, pointer, config: placesOnly(halves.atRouter) });
      const behindFronts = offersOf(halves.atRouter, at, this.#places, elsewhere);
      await router.takeOver(halves.atRouter, { worker, pointer, routes, behindFronts });
    }
    this.#routers = await this.#lead(visited, directory);
    const link = `${directory}/link.sock`;
    this.#listener = new LinkListener((socket) => this.#accept(socket), this.#deps.log);
    await this.#listener.start(link);
    const ready = new Promise<string | undefined>((resolve) => (this.#onReady = resolve));
    await this.#startParent(link);
    this.#endSamples = this.#deps.metrics.add(() => this.#samples());
    this.#deps.monitor.addFronts(() => this.list);
    this.#looks = setInterval(() => this.#look(), LOOK_MS).unref();
    this.#unfollow = followLevel(this.#deps.log, (level) => {
      for (const { link: each } of this.#running) each.tell(Kind.LEVEL, Buffer.from(level));
    });
    const problem = await Promise.race([ready, aborted(signal)]);
    signal?.throwIfAborted();
    if (problem !== undefined) throw new WorkerError(problem);
  }

  /** Idempotent; never rejects. Clients that are left are cut. */
  async stop(): Promise<void> {
    clearInterval(this.#looks);
    this.#endSamples();
    this.#unfollow();
    this.#isStopping = true;
    this.#listener?.end();
    await this.#parent?.stop();
    for (const { link } of this.#running) link.end();
    if (this.#directory !== undefined) await rm(this.#directory, { recursive: true, force: true });
  }

  get #elsewhere(): Place['elsewhere'] {
    const apart = new Map(Object.entries(this.#config.apart));
    return apart.size === 0 ? undefined : (realm) => apart.get(realm);
  }

  *#samples(): Generator<Sample> {
    for (const { worker, front, connections, unsent_bytes, memory_bytes, cpu_seconds } of this.list) {
      const names = [worker, String(front)];
      yield sample(FRONT.connections, connections, ...names);
      yield sample(FRONT.unsent, unsent_bytes, ...names);
      yield sample(FRONT.cpu, cpu_seconds, ...names);
      yield sample(FRONT.memory, memory_bytes, ...names);
    }
    yield sample(FRONT.lost, this.#lost, this.#config.id);
  }

  /** @returns for the workers with processes of their own to which realms lead, their names and where fronts find them. */
  async #lead(halves: readonly VisitedTransport[], directory: string): Promise<FrontRouter[]> {
    const { id: worker, routes, apart } = this.#config;
    const routers: FrontRouter[] = [];
    for (const [at, name] of [...new Set(Object.values(apart))].entries()) {
      const there = this.#deps.apart.processes.of(name);
      if (there === undefined) {
        throw new WorkerError(
          `proxy worker ${worker} (${this.#deps.pointer}): the worker ${name} that it leads to is switched off`,
        );
      }
      const link = `${directory}/router${at}.sock`;
      const transports = halves.map((half) => ({
        ...half,
        config: {
          ...half.config,
          endpoint: routerEndpoint(`${directory}/${half.index}-${at}.sock`),
        } as TransportConfig,
      }));
      const own = Object.entries(routes).filter(([realm]) => apart[realm] === name);
      await there.takeVisits({ worker, routes: Object.fromEntries(own), link, transports });
      routers.push({ name, link });
    }
    return routers;
  }

  async #startParent(link: string): Promise<void> {
    const { log, cbdir: cwd, warden, env } = this.#deps;
    const { program: file, file: script } = FRONT_PROGRAM;
    const command = {
      ...{ file, arguments: [script, link, String(this.#config.count)], cwd, env },
      ...({ stdin: true, stdout: 'read', stderr: 'read' } as const),
    };
    const worker = this.#config.id;
    const parent = new KeptProcess({
      restart: 'always',
      graceMs: GRACE_MS,
      start: () => startProcess(command, warden),
      onStarted: (started) => logOutput(started, log.child({ worker, pid: started.pid })),
      onStartFailed: (error) => log.error({ err: error, worker }, 'fronts could not be started'),
      onEnded: ({ pid }, { code, signal }, asked) => {
        if (asked) return;
        log.error({ worker, pid, exitCode: code, signal }, 'the process that keeps the fronts has ended');
        this.#keepPorts();
      },
      onRestart: (waitMs) => log.info({ worker, waitMs }, 'fronts are started again'),
      onKilled: ({ pid }) => log.warn({ worker, pid }, 'fronts killed: they did not stop'),
      onGone: () => undefined,
    });
    this.#parent = parent;
    await parent.start();
  }

  #accept(socket: Socket): void {
    const { log } = this.#deps;
    const running: Running = {
      link: new FrontLink(socket, {
        log,
        places: this.#places,
        congestion: this.#congestion,
        maxUnsentBytes: MAX_UNSENT_BYTES,
        onControl: (kind, content) => this.#heard(running, kind, content),
        gone: (why) => this.#gone(running, why),
      }),
      ...{ hello: undefined, pulse: undefined, isReady: false, silent: 0 },
    };
    this.#running.add(running);
  }

  #heard(running: Running, kind: Kind, content: Buffer): void {
    running.silent = 0;
    if (kind === Kind.HELLO) this.#greet(running, helloIn(content));
    else if (kind === Kind.ALIVE) this.#lives(running, pulseIn(content));
    else if (kind === Kind.LISTENING) this.#listens(listeningIn(content));
    else if (kind === Kind.READY) this.#ready(running);
    else if (kind === Kind.FAILED) this.#failed(running, failureIn(content));
    else if (kind === Kind.LOG) this.#logged(running, logLineIn(content));
  }

  #lives(running: Running, pulse: FrontPulse): void {
    running.pulse = pulse;
    running.link.waits(pulse.waiting);
  }

  #greet(running: Running, hello: FrontHello): void {
    running.hello = hello;
    const { log, nodeInfo, proxyTrust, privatePaths } = this.#deps;
    const { id, version, startedMs } = nodeInfo;
    const known = { ...(id && { id }), ...(version && { version }), ...(startedMs && { startedMs }) };
    const setup: FrontSetup = {
      transports: this.#halves.map((half, at) => withPort(half, this.#chosen.get(this.#indexOf(at)))),
      logLevel: log.level,
      nodeInfo: known,
      proxyTrust,
      privatePaths,
      routers: this.#routers,
    };
    running.link.say(Kind.CONFIG, setup);
  }

  /** All fronts listen at the same places. */
  #listens({ index: at, bound }: FrontListening): void {
    const { transports, id: worker } = this.#config;
    const { index, config } = transports[at] ?? {};
    if (index === undefined || config === undefined || this.#listening.has(index)) return;
    const { log, families } = this.#deps;
    const names = { transport: config.id, worker, type: config.type };
    const listening = listeningSummary(names, bound, transportTypeOf(config, families).offer(config, bound));
    this.#listening.set(index, listening);
    const paths = listening.paths.map(({ path, type }) => ({ path, type }));
    log.info({ ...listening, wamp: undefined, paths }, 'transport started');
  }

  #ready(running: Running): void {
    running.isReady = true;
    const { hello } = running;
    this.#deps.log.info({ worker: this.#config.id, front: hello?.number, pid: hello?.pid }, 'front started');
    const count = [...this.#running].filter(({ isReady }) => isReady).length;
    if (count >= this.#config.count) this.#onReady();
  }

  #failed({ hello }: Running, { index: at, problem }: FrontFailure): void {
    const { index, config } = this.#config.transports[at] ?? {};
    const text = `transport ${config?.id ?? ''} (${this.#deps.pointer}/transports/${String(index)}): ${problem}`;
    this.#deps.log.error({ worker: this.#config.id, front: hello?.number, problem: text }, 'front cannot serve');
    this.#onReady(text);
  }

  #logged({ hello }: Running, { line }: FrontLogLine): void {
    passLine(this.#deps.log, line, { front: hello?.number });
  }

  #gone(running: Running, why: string | undefined): void {
    this.#running.delete(running);
    const { hello, link } = running;
    // It is asked to end before the parent has ended, too.
    if (this.#isStopping) return;
    this.#lost += 1;
    if (this.#running.size === 0) this.#keepPorts();
    const facts = { worker: this.#config.id, front: hello?.number, pid: hello?.pid, clients: link.size, reason: why };
    this.#deps.log.error(facts, 'front is gone');
    if (why !== undefined) this.#kill(running);
  }

  /** A process that was stopped for a while has read nothing meanwhile either: it looks once for each turn of its loop. */
  #look(): void {
    for (const running of this.#running) {
      // Of the others nothing is read at present.
      if (this.#congestion.isOn && !running.link.isSlow) continue;
      running.silent += 1;
      if (running.silent > MAX_SILENT) running.link.end(`says nothing for ${MAX_SILENT} s`);
    }
  }

  /** Nobody has the sockets any more. */
  #keepPorts(): void {
    for (const [index, { port }] of this.#listening) if (port !== undefined) this.#chosen.set(index, port);
  }

  #indexOf(at: number): number {
    return this.#config.transports[at]?.index ?? at;
  }

  #kill({ hello }: Running): void {
    if (hello !== undefined) killHard(hello.pid);
  }
}

function withPort(config: TransportConfig, port: number | undefined): TransportConfig {
  const { endpoint } = config;
  if (port === undefined || endpoint?.type !== 'tcp') return config;
  return { ...config, endpoint: { ...endpoint, port } } as TransportConfig;
}
