/**
 * The process of one router worker. It asks nothing: its node tells it what to run, and it says what it does, and that it lives. It runs a
 * node of this worker alone (`node/apart/`). When its node is gone it ends at once.
 */
import type { Socket } from 'node:net';
import { letFollow, setLevel } from '../log/level.js';
import { createLogger } from '../log/logger.js';
import type { Logger } from '../log/logger.js';
import { messageOf } from '../system/error.js';
import { foreignFrame } from '../node/foreign-frame.js';
import { handleSignals } from '../node/signals.js';
import { startHosted } from '../node/apart/start-hosted.js';
import type { EndSignal, IdleSignal, SignalSource } from '../node/signals.js';
import type { HostedNode, Hosting } from '../node/apart/hosting.js';
import { Channel } from '../worker/apart/channel.js';
import { RELOAD } from '../worker/apart/order.js';
import { VISIT } from '../worker/apart/visit-order.js';
import type { NodeTold } from '../worker/apart/deps.js';
import type {
  DoneOrder,
  NodeWord,
  PreparedOrder,
  ProcessWord,
  RouterOrder,
  RouterSetup,
  WishedReload,
} from '../worker/apart/order.js';
import type { PreparedWorker, WorkerOffer } from '../worker/worker.js';
import type { RouterWorkerConfig } from '../worker/schema.js';

/** Between two signs of life. */
const PULSE_MS = 1000;
/** Lines of the log are left out while so much waits for the node to read it. */
const MAX_UNSENT_BYTES = 16 * 1024 * 1024;

/** A node that does not read what is said last is not waited for longer. */
const LAST_WORDS_MS = 1000;

type Listener = (...values: never[]) => void;

/** The program that it is. */
export interface RouterProgram extends SignalSource {
  readonly env: Readonly<Record<string, string | undefined>>;
  title: string;
}

export class RouterProcess {
  readonly #program: RouterProgram;
  readonly #channel: Channel;
  readonly #over = new AbortController();
  #log: Logger | undefined;
  #hosting: ToldHosting | undefined;
  #starting: Promise<HostedNode> | undefined;
  #node: HostedNode | undefined;
  #omitted = 0;

  constructor(socket: Socket, program: RouterProgram) {
    this.#program = program;
    this.#channel = new Channel(socket, {
      onTold: (word) => this.#obey(word as NodeWord),
      // Nobody is left who could take its place.
      onEnd: () => program.exit(0),
      answers: () => ({ ...this.#node?.requests, [RELOAD]: (wish) => this.#reload(wish as unknown as WishedReload) }),
    });
  }

  /** Lives, until its node tells it to end, or is gone. */
  run(): void {
    setInterval(() => {
      this.#say(this.#node === undefined ? { starts: true } : { pulse: this.#node.pulse });
    }, PULSE_MS);
  }

  #say(word: ProcessWord): void {
    this.#channel.tell(word);
  }

  #obey(word: NodeWord): void {
    if ('setup' in word) void this.#start(word.setup);
    else if ('level' in word) this.#setLevel(word.level);
    else if ('told' in word) this.#heard(word.told);
    else this.#hosting?.decide(word.decided);
  }

  #heard(told: NodeTold): void {
    this.#hosting?.heard(told);
    if (told.isStopping) this.#node?.endIsNear();
  }

  #setLevel(level: string): void {
    if (this.#log !== undefined) setLevel(this.#log, level);
  }

  async #start({ order, cbdir, logLevel, told }: RouterSetup): Promise<void> {
    const log = createLogger({ level: 'info', destination: { write: (line) => this.#write(line) } });
    log.level = logLevel;
    letFollow(log);
    this.#log = log;
    const stop = (): Promise<void> => this.#stop();
    handleSignals({
      source: { on: (event, listener) => this.#on(event, listener), exit: (code) => this.#exit(code) },
      ...{ log: onlyWarnings(log), terminal: false, foreignFrame, stop },
      reload: () => Promise.resolve(),
    });
    const hosting = new ToldHosting(order, told, (prepared) => this.#say({ prepared }));
    this.#hosting = hosting;
    try {
      this.#starting = startHosted({ cbdir, hosting, log, env: this.#program.env, signal: this.#over.signal });
      const node = await this.#starting;
      const nobody = new AbortController().signal;
      for (const visit of order.visits) await node.requests[VISIT]?.({ ...visit }, () => Promise.resolve(), nobody);
      this.#node = node;
      this.#program.title = `${this.#node.summary.title}: ${order.worker.id}`;
      this.#say({ pulse: this.#node.pulse });
      this.#say({ serves: offerOf(this.#node) });
    } catch (error) {
      // It was told to end meanwhile.
      if (this.#over.signal.aborted) return;
      this.#say({ failed: messageOf(error) });
      await this.#channel.flush();
      this.#program.exit(1);
    }
  }

  #on(event: EndSignal | IdleSignal | 'uncaughtException', listener: Listener): void {
    this.#program.on(event as EndSignal, listener as (signal: EndSignal) => void);
  }

  /** Behind what was said last, such as why. */
  #exit(code: number): void {
    const exit = (): void => this.#program.exit(code);
    setTimeout(exit, LAST_WORDS_MS);
    void this.#channel.flush().then(exit);
  }

  /** The orderly end; the process ends when it resolves. */
  async #stop(): Promise<void> {
    this.#over.abort();
    const node = await this.#starting?.catch(() => undefined);
    await node?.stop();
    this.#tellOmitted();
    await this.#channel.flush();
  }

  async #reload({ order, restartComponents }: WishedReload): Promise<DoneOrder> {
    const [node, hosting] = [this.#node, this.#hosting];
    if (node === undefined || hosting === undefined) throw new Error('the process is starting');
    const before = hosting.order;
    hosting.order = order;
    const report = await node.reload({ restartComponents });
    const { ok, componentsFailed, problems, pending, revoked, removed, outdated, components } = report;
    if (!ok && !componentsFailed) {
      hosting.order = before;
      throw new Error(problems.join('; '));
    }
    const [config] = node.config.workers as readonly RouterWorkerConfig[];
    if (config === undefined) throw new TypeError('the worker is gone');
    return { ...{ revoked, removed, outdated, problems, pending, config }, ...components, offer: offerOf(node) };
  }

  /** A line of the log. What the node does not read in time is left out, and counted. */
  #write(line: string): void {
    if (this.#channel.waiting > MAX_UNSENT_BYTES) {
      this.#omitted += 1;
      return;
    }
    if (this.#omitted > 0) this.#tellOmitted();
    this.#say({ log: line });
  }

  #tellOmitted(): void {
    const lines = this.#omitted;
    this.#omitted = 0;
    if (lines > 0) this.#log?.warn({ lines }, 'lines of the log left out: the node did not read them');
  }
}

/** What the node has told of itself. */
class ToldHosting implements Hosting {
  order: RouterOrder;
  told: NodeTold;
  readonly #say: (prepared: PreparedOrder) => void;
  #decided: (isDone: boolean) => void = () => undefined;

  constructor(order: RouterOrder, told: NodeTold, say: (prepared: PreparedOrder) => void) {
    this.order = order;
    this.told = told;
    this.#say = say;
  }

  heard(told: NodeTold): void {
    this.told = told;
  }

  /** See {@link Hosting.confirm}: the node has other workers, which may not be able to take their config. */
  confirm([change]: readonly PreparedWorker[]): Promise<boolean> {
    if (change === undefined) return Promise.resolve(true);
    const decided = new Promise<boolean>((resolve) => (this.#decided = resolve));
    this.#say({ config: change.config as RouterWorkerConfig, pending: change.pending });
    return decided;
  }

  decide(isDone: boolean): void {
    this.#decided(isDone);
  }
}

function offerOf({ summary: { listening, realms, components } }: HostedNode): WorkerOffer {
  return { listening, realms, components };
}

/** What the node says of its end need not be said twice. */
function onlyWarnings(log: Logger): Logger {
  return log.isLevelEnabled('warn') ? log.child({}, { level: 'warn' }) : log;
}
