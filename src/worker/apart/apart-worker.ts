/**
 * A router worker in a process of its own, as its node sees it: `options.process` of the config. The process is a node of this worker alone
 * (`router-program/`), which is told all that it has to know on a channel that nobody else can open.
 *
 *     start     the process -> its order -> it serves, or says what is wrong
 *     it ends   its clients were cut, and come back to the next one, which is started after a while and takes the same ports
 *     it hangs  nothing was heard of it for ten seconds: it is killed
 *     stop      SIGTERM: it ends as a node does, and is killed when it takes too long
 */
import { RELOAD } from './order.js';
import { orderOf, realmsOf } from './order-of.js';
import type { OrderFacts } from './order-of.js';
import type { VisitOrder } from './visit-order.js';
import { VISIT } from './visit-order.js';
import { Channel } from './channel.js';
import { CountedElsewhere } from './counted.js';
import { chosenPorts, withoutPorts, withPorts } from './chosen-ports.js';
import { ROUTER_PROGRAM } from '../router-program-file.js';
import { ROUTER_PROCESS } from '../../metrics/catalogue.js';
import { sample } from '../../metrics/metric.js';
import { followLevel } from '../../log/level.js';
import { messageOf } from '../../system/error.js';
import { killHard } from '../../system/process/kill.js';
import { startProcess } from '../../system/process/supervised.js';
import { ErrorUri, WampError } from '../../wamp/error.js';
import { KeptProcess } from '../process/kept-process.js';
import { aborted } from '../process/aborted.js';
import { passLine } from '../process/passed-log.js';
import { logOutput } from '../process/process-log.js';
import { WorkerError } from '../worker.js';
import type { Sample } from '../../metrics/metric.js';
import type { MonitoredProcess } from '../../monitor/source.js';
import type { ProcessEnd, SupervisedProcess } from '../../system/process/supervised.js';
import type { RouterWorkerConfig, TransportConfig } from '../schema.js';
import { lendTo } from './lend-to.js';
import type { LentStores } from './deps.js';
import type { ChosenPorts } from './chosen-ports.js';
import type { PreparedWorker, ReloadFacts, ReloadLoss, Worker, WorkerDeps, WorkerOffer } from '../worker.js';
import type { Question } from './channel.js';
import type { WrittenSample } from './counted.js';
import type { DoneOrder, NodeWord, PreparedOrder, ProcessPulse, ProcessWord, RouterOrder } from './order.js';
import type { ProcessOfRouter } from './processes.js';

/** So often the node looks whether the process lives. So many looks in a row without a word, and it is killed. */
const LOOK_MS = 1000;
const MAX_SILENT = 10;
/** Who asks by a command, or for metrics, waits so long for a process that does not answer. */
const ANSWER_MS = 1000;
/** Beside the time that connections have to end. */
const GRACE_MS = 3000;

export class ApartWorker implements Worker, ProcessOfRouter {
  readonly worker: string;
  #config: RouterWorkerConfig;
  #facts: OrderFacts;
  readonly #deps: WorkerDeps;
  readonly #kept: KeptProcess;
  readonly #counted = new CountedElsewhere();
  #child: SupervisedProcess | undefined;
  #channel: Channel | undefined;
  #pulse: ProcessPulse | undefined;
  #isServing = false;
  #offer: WorkerOffer;
  /** The ports that the system chose for a process before, by transports: this one was told to take them. */
  #given: ChosenPorts = new Map();
  /** What the process was told of the node last. */
  #told = '';
  #silent = 0;
  readonly #visits: VisitOrder[] = [];
  #lent: LentStores | undefined;
  /** How many have gone by themselves. */
  #lost = 0;
  #looks: NodeJS.Timeout | undefined;
  #unfollow: () => void = () => undefined;
  /** Called when it serves, or cannot. */
  #onServes: (problem?: string) => void = () => undefined;
  #onPrepared: (prepared: PreparedOrder) => void = () => undefined;
  #stopped: Promise<void> | undefined;

  constructor(config: RouterWorkerConfig, deps: WorkerDeps) {
    this.worker = config.id;
    this.#config = config;
    this.#deps = deps;
    this.#facts = { ...deps, node: deps.apart.node };
    this.#offer = { listening: [], realms: realmsOf(config), components: [] };
    this.#kept = this.#keptProcess();
  }

  get summary(): WorkerOffer {
    return this.#offer;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  get realms(): readonly string[] {
    return this.#pulse?.realms ?? this.#config.realms.map(({ name }) => name);
  }

  get sessions(): number {
    return this.#pulse?.sessions ?? 0;
  }

  get problem(): string | undefined {
    if (!this.#isServing) return 'its process is being started';
    return Object.values(this.#pulse?.checks ?? {}).find((found) => found !== 'ok');
  }

  get running(): MonitoredProcess | undefined {
    const { pid } = this;
    if (pid === undefined) return undefined;
    const { rssBytes: memory_bytes = 0, cpuMs = 0 } = this.#pulse ?? {};
    return { worker: this.worker, pid, sessions: this.sessions, memory_bytes, cpu_seconds: cpuMs / 1000 };
  }

  /** See {@link Worker.start}. */
  async start(signal?: AbortSignal): Promise<void> {
    const { apart, log, metrics } = this.#deps;
    const serves = new Promise<string | undefined>((resolve) => (this.#onServes = resolve));
    apart.processes.add(this);
    await this.#lend(this.#config.transports);
    await this.#kept.start();
    this.#looks = setInterval(() => this.#look(), LOOK_MS).unref();
    const unfollow = followLevel(log, (level) => this.#say({ level }));
    const unwish = metrics.followWishes(() => this.#wish());
    this.#unfollow = () => [unfollow, unwish].forEach((end) => end());
    const problem = await Promise.race([serves, aborted(signal)]);
    signal?.throwIfAborted();
    if (problem !== undefined) throw new WorkerError(problem);
  }

  /** See {@link Worker.stop}. Its connections end as those of the node do, at the same time. */
  stop(drained?: Promise<unknown>): Promise<void> {
    this.#stopped ??= this.#shutDown(drained);
    return this.#stopped;
  }

  async #shutDown(drained: Promise<unknown> | undefined): Promise<void> {
    this.#unfollow();
    await Promise.all([drained, this.#kept.stop()]);
    clearInterval(this.#looks);
    this.#channel?.close();
  }

  /** See {@link Worker.readinessChanged}. */
  async readinessChanged(): Promise<void> {
    this.#tellOfNode();
    // What was said before is heard before. One that does not answer has nobody who could ask it.
    await this.ask('heard', {}).catch(() => undefined);
  }

  /** See {@link ProcessOfRouter.ask}. */
  async ask(name: string, request: object): Promise<unknown> {
    return this.askFor(name, request, { signal: AbortSignal.timeout(ANSWER_MS) });
  }

  /** See {@link ProcessOfRouter.act}. */
  async act(name: string, request: object): Promise<unknown> {
    return this.askFor(name, request, {});
  }

  /** See {@link ProcessOfRouter.askFor}. */
  async askFor(name: string, request: object, question: Question): Promise<unknown> {
    const channel = this.#channel;
    if (channel === undefined || !this.#isServing)
      throw new WampError(ErrorUri.UNAVAILABLE, `the process of the worker ${this.worker} is being started`);
    return channel.ask(name, request, question);
  }

  /** See {@link ProcessOfRouter.takeVisits}. */
  async takeVisits(order: VisitOrder): Promise<void> {
    await this.#lend(order.transports.map(({ config }) => config));
    this.#visits.push(order);
    try {
      await this.act(VISIT, this.#lent?.marked(order) ?? order);
    } catch (error) {
      // It is told with its next order.
      if (error instanceof WampError) return;
      throw new WorkerError(`worker ${this.worker} (${this.#deps.pointer}): ${messageOf(error)}`);
    }
  }

  async #lend(transports: readonly TransportConfig[]): Promise<void> {
    this.#lent = await lendTo(this.worker, transports, this.#deps);
  }

  /** See {@link ProcessOfRouter.refresh}. */
  async refresh(): Promise<void> {
    const samples = await this.ask('counted', {}).catch(() => undefined);
    if (samples !== undefined) this.#counted.take(samples as WrittenSample[]);
  }

  /** See {@link ProcessOfRouter.samples}. */
  *samples(): Generator<Sample> {
    yield* this.#counted.all();
    const { running } = this;
    if (running !== undefined) {
      yield sample(ROUTER_PROCESS.cpu, running.cpu_seconds, this.worker);
      yield sample(ROUTER_PROCESS.memory, running.memory_bytes, this.worker);
    }
    yield sample(ROUTER_PROCESS.lost, this.#lost, this.worker);
  }

  /** See {@link Worker.prepareReload}: the process prepares, and waits for a word. */
  async prepareReload(next: RouterWorkerConfig, facts: ReloadFacts): Promise<PreparedWorker<RouterWorkerConfig>> {
    const channel = this.#channel;
    if (channel === undefined || !this.#isServing)
      throw new WorkerError(`worker ${this.worker} (${this.#deps.pointer}): its process is being started, try again`);
    await this.#lend(next.transports);
    const order = this.#orderOf(next, facts);
    const ready = new Promise<PreparedOrder>((resolve) => (this.#onPrepared = resolve));
    const done = channel.ask(RELOAD, { order, restartComponents: facts.restartsComponents }) as Promise<DoneOrder>;
    const failed = done.then((): never => {
      throw new TypeError('a reload that was not prepared is done');
    });
    let prepared: PreparedOrder;
    try {
      prepared = await Promise.race([ready, failed]);
    } catch (error) {
      throw new WorkerError(messageOf(error));
    }
    failed.catch(() => undefined); // told by `done`
    const decide = (decided: boolean): void => channel.tell({ decided } satisfies NodeWord);
    // What was chosen here is not known in the process.
    const asWritten = (config: RouterWorkerConfig): RouterWorkerConfig => ({
      ...withoutPorts(config, this.#given),
      options: next.options,
    });
    const config = asWritten(prepared.config);
    const settled = done.then(
      (result) => {
        this.#offer = result.offer;
        this.#config = asWritten(result.config);
        return result;
      },
      (error: unknown) => {
        const problem = messageOf(error);
        this.#deps.log.error(
          { worker: this.worker, problem },
          'the process of a worker ended while it took its config',
        );
        return undefined;
      },
    );
    return {
      config,
      pending: prepared.pending,
      discard: async () => {
        decide(false);
        await done.catch(() => undefined);
      },
      commit: () => {
        this.#config = config;
        this.#facts = facts;
        decide(true);
        // Another one has begun meanwhile, with the config before.
        if (this.#channel !== undefined && this.#channel !== channel) this.#kept.restart();
        return settled.then((result): ReloadLoss => result ?? { revoked: 0, removed: 0 });
      },
      settle: async () => {
        const nothing = { started: [], stopped: [], problems: [], pending: [] };
        const { started, stopped, problems, pending } = (await settled) ?? nothing;
        return { started, stopped, problems, pending, config: this.#config };
      },
    };
  }

  #keptProcess(): KeptProcess {
    const { log, apart } = this.#deps;
    const { worker } = this;
    return new KeptProcess({
      restart: 'always',
      graceMs: apart.longestEndMs + GRACE_MS,
      start: () => this.#startProcess(),
      onStarted: (started) => this.#started(started),
      onStartFailed: (error) => {
        log.error({ worker, problem: messageOf(error) }, 'the process of a router worker could not be started');
        this.#onServes(`worker ${worker} (${this.#deps.pointer}): its process cannot be started: ${messageOf(error)}`);
      },
      onEnded: (ended, end, asked) => this.#ended(ended, end, asked),
      onRestart: (waitMs) => log.info({ worker, waitMs }, 'the process of a router worker is started again'),
      onKilled: ({ pid }) => log.warn({ worker, pid }, 'the process of a router worker was killed: it did not stop'),
      onGone: () => undefined,
    });
  }

  #startProcess(): Promise<SupervisedProcess> {
    const { cbdir, startdir: cwd = cbdir, env, warden } = this.#deps;
    const { program: file, file: script } = ROUTER_PROGRAM;
    const streams = { stdin: false, stdout: 'read', stderr: 'read', channels: 1 } as const;
    return startProcess({ file, arguments: [script], cwd, env, ...streams }, warden);
  }

  #started(started: SupervisedProcess): void {
    const { log, cbdir, apart } = this.#deps;
    const [socket] = started.channels;
    if (socket === undefined) throw new TypeError('the process has no channel');
    logOutput(started, log.child({ worker: this.worker, process: started.pid }));
    this.#child = started;
    this.#silent = 0;
    const channel = new Channel(socket, {
      onTold: (word) => this.#heard(word as ProcessWord),
      onEnd: () => this.#cutOff(channel),
    });
    this.#channel = channel;
    this.#given = chosenPorts(this.#config, this.#offer);
    const order = this.#orderOf(this.#config, this.#facts);
    const told = apart.told(this.worker);
    this.#told = JSON.stringify(told);
    this.#say({ setup: { order, cbdir, logLevel: log.level, told } });
  }

  #orderOf(config: RouterWorkerConfig, facts: OrderFacts): RouterOrder {
    if (this.#lent === undefined) throw new TypeError('nothing is lent yet');
    const more = { pointer: this.#deps.pointer, visits: this.#visits, lent: this.#lent };
    return orderOf(withPorts(config, this.#given), facts, more);
  }

  #say(word: NodeWord): void {
    this.#channel?.tell(word);
  }

  #heard(word: ProcessWord): void {
    this.#silent = 0;
    if ('log' in word) this.#logged(word.log);
    else if ('pulse' in word) this.#pulse = word.pulse;
    else if ('serves' in word) this.#serves(word.serves);
    else if ('prepared' in word) this.#onPrepared(word.prepared);
    else if ('failed' in word) this.#failed(word.failed);
  }

  #serves(offer: WorkerOffer): void {
    this.#offer = offer;
    this.#isServing = true;
    this.#deps.log.info({ worker: this.worker, pid: this.pid }, 'the process of a router worker serves');
    this.#wish();
    this.#onServes();
  }

  /** Those who show what the node counts may want it to count more. */
  #wish(): void {
    // Another process is told again when it serves.
    this.act('wish', { wish: this.#deps.metrics.wished }).catch(() => undefined);
  }

  #failed(problem: string): void {
    this.#deps.log.error(
      { worker: this.worker, pid: this.pid, problem },
      'the process of a router worker cannot serve',
    );
    this.#onServes(problem);
  }

  #logged(line: string): void {
    passLine(this.#deps.log, line, { process: this.pid });
  }

  /** It can say nothing any more, which is its end. */
  #cutOff(channel: Channel): void {
    if (this.#channel !== channel) return;
    this.#channel = undefined;
    this.#isServing = false;
    this.#pulse = undefined;
    this.#counted.ended();
  }

  #ended({ pid }: SupervisedProcess, { code, signal }: ProcessEnd, asked: boolean): void {
    this.#child = undefined;
    this.#channel?.close();
    if (asked) return;
    this.#lost += 1;
    this.#deps.log.error(
      { worker: this.worker, pid, exitCode: code, signal },
      'the process of a router worker has ended',
    );
    // Where it had not served yet, nothing waits for a second one.
    this.#onServes(`worker ${this.worker} (${this.#deps.pointer}): its process has ended before it served`);
  }

  /** A process that was stopped for a while has read nothing meanwhile either: it looks once for each turn of its loop. */
  #look(): void {
    this.#tellOfNode();
    this.#silent += 1;
    const { pid } = this;
    if (this.#silent <= MAX_SILENT || pid === undefined) return;
    this.#silent = 0;
    const reason = `says nothing for ${MAX_SILENT} s`;
    this.#deps.log.error({ worker: this.worker, pid, reason }, 'the process of a router worker is killed');
    killHard(pid);
  }

  #tellOfNode(): void {
    const told = this.#deps.apart.told(this.worker);
    const text = JSON.stringify(told);
    if (text === this.#told) return;
    this.#told = text;
    this.#say({ told });
  }
}
