/**
 * What answers by HTTP on a transport, and goes on with another config: the path table is replaced in one step. Open connections stay, and
 * their next request is answered by the new table.
 */
import { HttpAcceptor } from '../../http/acceptor.js';
import type { HttpAcceptorOptions } from '../../http/acceptor.js';
import type { NodeFacts, Prepared } from '../../transport/reload/prepared.js';
import type { PathsConfig } from '../schema.js';
import { webSocketPathsOf } from '../path-tree.js';
import { ServiceBook } from './service-book.js';

/** What is built from a config. The services are those of the book. */
export type BuildWeb<C> = (config: C, facts: NodeFacts, book: ServiceBook) => HttpAcceptorOptions;

/** An HTTP acceptor with the services of one config after the other. */
export class LiveWeb<C> {
  readonly acceptor: HttpAcceptor;
  readonly #build: BuildWeb<C>;
  readonly #pathsOf: (config: C) => PathsConfig;
  #config: C;
  #facts: NodeFacts;
  #book = new ServiceBook();

  constructor(config: C, facts: NodeFacts, build: BuildWeb<C>, pathsOf: (config: C) => PathsConfig) {
    this.#pathsOf = pathsOf;
    this.#config = config;
    this.#facts = facts;
    this.#build = build;
    this.acceptor = new HttpAcceptor(build(config, facts, this.#book));
  }

  /** @throws (rejects) when a service does not start: then all is as before. */
  async prepare(next: C, facts: NodeFacts): Promise<Prepared> {
    const book = new ServiceBook(this.#book, isSame(this.#facts, facts) && this.#tellsTheSame(next));
    const options = this.#build(next, facts, book);
    await book.startFresh();
    return {
      commit: () => {
        const departing = book.departing(this.#pathsOf(this.#config), this.#pathsOf(next));
        this.#config = next;
        this.#facts = facts;
        this.#book = book;
        book.settle();
        this.acceptor.renew(options, departing);
      },
      discard: () => book.stopFresh(),
    };
  }

  /** What services may show of the others is where WebSockets are. */
  #tellsTheSame(next: C): boolean {
    const text = (config: C): string => JSON.stringify(webSocketPathsOf(this.#pathsOf(config)));
    return text(this.#config) === text(next);
  }
}

function isSame(one: NodeFacts, other: NodeFacts): boolean {
  const text = ({ cookieNames, privatePaths }: NodeFacts): string => JSON.stringify([[...cookieNames], privatePaths]);
  return text(one) === text(other);
}
