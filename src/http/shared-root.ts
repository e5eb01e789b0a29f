/**
 * The path trees of transports that share a port, one for each transport. A request goes to the first tree that names the path,
 * and else to the first one that has something at `/`.
 */
import type { Socket } from 'node:net';
import type { SharedPort } from '../transport/shared-port.js';
import type { WebResponse } from './response.js';
import type { WebRequest, WebService, WebUpgrade } from './service.js';
import { firstSegment } from './target.js';

interface Tree {
  readonly root: WebService;
  /** Idempotent. */
  readonly stop: () => Promise<void>;
  /** Its path segments, and `/` for all others. */
  readonly keys: ReadonlySet<string>;
}

const REST = '/';

/** port -> the trees of its transports, in the order of their start */
const treesOf = new WeakMap<SharedPort, Tree[]>();

/** The root of a transport on a shared port. It answers for the others, too: the first one gets all connections. */
export class SharedRoot implements WebService {
  readonly methods = 'any';
  readonly #own: Tree;
  readonly #port: SharedPort;

  /** @param keys the path segments that `root` knows, and `/` where it answers for all others */
  constructor(root: WebService, keys: readonly string[], port: SharedPort) {
    let stopped: Promise<void> | undefined;
    const stop = (): Promise<void> => (stopped ??= Promise.resolve(root.stop?.()));
    this.#own = { root, keys: new Set(keys), stop };
    this.#port = port;
  }

  async start(): Promise<void> {
    await this.#own.root.start?.();
    treesOf.set(this.#port, [...this.#trees, this.#own]);
  }

  /** With the others: all connections of the port are those of one of them, and end with it. */
  async stop(): Promise<void> {
    await Promise.all([this.#own.stop(), ...this.#trees.map((tree) => tree.stop())]);
  }

  handle(request: WebRequest, res: WebResponse): void | Promise<void> {
    return this.#treeFor(request).root.handle(request, res);
  }

  upgrade(request: WebUpgrade, socket: Socket, head: Buffer): void {
    this.#treeFor(request).root.upgrade?.(request, socket, head);
  }

  get #trees(): readonly Tree[] {
    return treesOf.get(this.#port) ?? [];
  }

  #treeFor({ rest }: WebUpgrade): Tree {
    const { segment } = firstSegment(rest);
    const named = segment === REST ? undefined : this.#trees.find(({ keys }) => keys.has(segment));
    return named ?? this.#trees.find(({ keys }) => keys.has(REST)) ?? this.#own;
  }
}
