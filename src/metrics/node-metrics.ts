/**
 * Where all that is counted in a node comes together: the counts of realms, transports and cookie stores, by their names in the config, and
 * sources of what can be looked at. A part of the node asks for its counts once, when it is made, and adds to them; another part adds a
 * source. Text is made of it at each scrape, and nothing before.
 */
import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import { METRICS, NODE } from './catalogue.js';
import { collect, eachSample } from './collect.js';
import { ConfigFacts } from './config-facts.js';
import { CookieCounts } from './cookie-counts.js';
import { HttpCounts } from './http-counts.js';
import { LoginCounts } from './login-counts.js';
import { MessageCounts } from './message-counts.js';
import { RealmCounts } from './realm-counts.js';
import { countSamples } from './samples.js';
import { writtenText } from './text.js';
import { TransportCounts } from './transport-counts.js';
import { UriCounts } from './uri-counts.js';
import type { Collected, Turn } from './collect.js';
import { sample } from './metric.js';
import { ProcessWatch } from './process-samples.js';
import { namedBy } from './uri-patterns.js';
import type { BREATH, Sample, SampleSource } from './metric.js';
import type { ProcessFacts } from './process-samples.js';
import type { UriPattern } from './uri-patterns.js';
import type { TextFormat } from './text.js';

/** What somebody wants to know beyond what is always counted. */
export interface Wish {
  /** How long calls take. */
  readonly callDurations: boolean;
  /** Topics and procedures that are counted each for itself. */
  readonly uris: readonly UriPattern[];
}

/** What runs here. */
export interface Identity {
  readonly program: ProcessFacts;
  /** Of this program. */
  readonly version?: string | undefined;
}

/** How long a text is given to others that ask, in milliseconds. */
const FRESH_MS = 1000;

/** A scrape, and what was written of it. */
interface Scrape {
  readonly atMs: number;
  readonly collected: Promise<Collected>;
  readonly texts: Map<TextFormat, Promise<Buffer>>;
}

/** What a node counts. */
export class NodeMetrics {
  readonly http = new HttpCounts();
  readonly logins = new LoginCounts();
  /** Messages of clients that have no session yet. */
  readonly strangers = new MessageCounts();
  readonly config = new ConfigFacts();
  // name -> counts
  readonly realms = new Map<string, RealmCounts>();
  readonly transports = new Map<string, TransportCounts>();
  readonly cookies = new Map<string, CookieCounts>();
  readonly #sources = new Set<SampleSource>();
  readonly #wishes = new Set<Wish>();
  readonly #followers = new Set<() => void>();
  #endElsewhere: (() => void) | undefined;
  readonly #turn: Turn;
  readonly #elapsed: () => number;
  #isNamed: ((uri: string) => boolean) | undefined;
  #identity: Identity | undefined;
  #watch: ProcessWatch | undefined;
  #last: Scrape | undefined;
  /** What is being written. */
  #writing: Promise<unknown> = Promise.resolve();

  /**
   * @param turn waits until the event loop has been round.
   * @param elapsed milliseconds, of a clock that only goes forward.
   */
  constructor(turn: Turn = turnOfTheLoop, elapsed: () => number = () => performance.now()) {
    this.#turn = turn;
    this.#elapsed = elapsed;
    this.#sources.add(() => this.#ownSamples());
  }

  /** Says which process it is. To be called before anybody wishes anything. */
  identify(identity: Identity): void {
    this.#identity = identity;
  }

  /** @returns the counts of all realms of this name. */
  realm(name: string): RealmCounts {
    const known = this.realms.get(name);
    if (known !== undefined) return known;
    const counts = new RealmCounts();
    this.realms.set(name, counts);
    this.#grant(counts);
    return counts;
  }

  /** @returns the counts of the transport with this id. */
  transport(id: string): TransportCounts {
    const counts = this.transports.get(id) ?? new TransportCounts(this);
    this.transports.set(id, counts);
    return counts;
  }

  /** @returns the counts of the cookie store with this name. */
  cookieStore(name: string): CookieCounts {
    const counts = this.cookies.get(name) ?? new CookieCounts();
    this.cookies.set(name, counts);
    return counts;
  }

  /** Shows more from now on. @returns what ends that. */
  add(source: SampleSource): () => void {
    this.#sources.add(source);
    return () => this.#sources.delete(source);
  }

  /** Counts more from now on: as long as one of those who wish it is there. @returns what ends that. */
  wish(wish: Wish): () => void {
    this.#wishes.add(wish);
    this.#wishesChanged();
    return () => {
      if (this.#wishes.delete(wish)) this.#wishesChanged();
    };
  }

  /** What is wished here, all together; undefined where nobody wishes anything. */
  get wished(): Wish | undefined {
    if (this.#wishes.size === 0) return undefined;
    const all = [...this.#wishes];
    return { callDurations: all.some((wish) => wish.callDurations), uris: all.flatMap((wish) => wish.uris) };
  }

  /** Tells of each change of {@link wished}. @returns what ends that. */
  followWishes(follow: () => void): () => void {
    this.#followers.add(follow);
    return () => void this.#followers.delete(follow);
  }

  /** The node that this process is part of wishes this, and nothing else from now on. */
  wishElsewhere(wish: Wish | undefined): void {
    const end = this.#endElsewhere;
    this.#endElsewhere = wish && this.wish(wish);
    end?.();
  }

  /** @returns the text of all metrics, in UTF-8, no older than a second. One is made at a time. */
  text(format: TextFormat): Promise<Buffer> {
    if (this.#last === undefined || this.#elapsed() - this.#last.atMs >= FRESH_MS) {
      const collected = this.#afterOthers(() => collect(this.#sources, this.#turn));
      this.#last = { atMs: this.#elapsed(), collected, texts: new Map() };
      // Who asks gets the failure; the next one tries again.
      collected.catch(() => (this.#last = undefined));
    }
    const { collected, texts } = this.#last;
    const known = texts.get(format);
    if (known !== undefined) return known;
    const text = this.#afterOthers(async () => {
      const pieces = await writtenText(METRICS, await collected, format, this.#turn);
      return Buffer.concat(pieces);
    });
    texts.set(format, text);
    return text;
  }

  /** @returns all that is counted now, for another process that shows it. */
  async samples(): Promise<readonly Sample[]> {
    const found: Sample[] = [];
    await this.#afterOthers(() => eachSample(this.#sources, this.#turn, (item) => found.push(item)));
    return found;
  }

  #afterOthers<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#writing.then(work);
    this.#writing = done.catch(() => undefined);
    return done;
  }

  #wishesChanged(): void {
    const uris = [...this.#wishes].flatMap((wish) => wish.uris);
    this.#isNamed = uris.length === 0 ? undefined : namedBy(uris);
    this.http.isTimed = this.#wishes.size > 0;
    this.#watchProcess(this.#wishes.size > 0);
    for (const counts of this.realms.values()) this.#grant(counts);
    for (const follow of this.#followers) follow();
  }

  /** The event loop is watched only while somebody wants to know. */
  #watchProcess(isWanted: boolean): void {
    if (!isWanted) {
      this.#watch?.stop();
      this.#watch = undefined;
    } else if (this.#identity !== undefined) {
      this.#watch ??= new ProcessWatch(this.#identity.program);
    }
  }

  async *#ownSamples(): AsyncGenerator<Sample | typeof BREATH> {
    const { program, version = 'unknown' } = this.#identity ?? {};
    if (program !== undefined) yield sample(NODE.build, 1, version, program.versions.node);
    yield* countSamples(this);
    if (this.#watch !== undefined) yield* this.#watch.samples();
  }

  #grant(counts: RealmCounts): void {
    counts.timeCalls([...this.#wishes].some(({ callDurations }) => callDurations));
    const isNamed = this.#isNamed;
    if (isNamed === undefined) counts.uris = undefined;
    else counts.uris ??= new UriCounts((uri) => this.#isNamed?.(uri) === true);
  }
}
