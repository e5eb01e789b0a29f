/**
 * What the operator sees of a node that runs, and the two things that he may do to its clients. It is asked by procedures
 * (`procedures.ts`), by commands through the control socket (`node/monitor-control.ts`), and by the page (`webservice/monitor/`),
 * which is a client that calls the procedures.
 *
 * It keeps nothing: every answer is what is there when somebody looks. Rates are differences of two looks, which those who look
 * compute themselves; but a list in the order of rates needs all of them, and for that `rates.ts` keeps the counts of the last look
 * for some seconds. No answer has a cookie id, a ticket or a payload in it.
 */
import { ManagedCookies } from '../cookie/management.js';
import { ErrorUri, WampError } from '../wamp/error.js';
import { Actions } from './actions.js';
import { certificatesOf } from './certificates.js';
import { actOnAll, askAll, pageOfAll } from './elsewhere.js';
import { Looks } from './looks.js';
import { procedurePage, topicPage } from './patterns.js';
import { Rates } from './rates.js';
import { placesOf, realmNumbers, sessionPage } from './sessions.js';
import { PAGE } from './selection.js';
import { Wish } from './wish.js';
import type { CookieSummary } from '../cookie/management.js';
import type { Logger } from '../log/logger.js';
import type { MonitoredCertificate } from './certificates.js';
import type { MonitoredProcedure, MonitoredTopic } from './patterns.js';
import type { MonitoredRealm, MonitoredSession, MonitorPage, RankedPage } from './sessions.js';
import type { RateRule } from './rates.js';
import type {
  MonitorAction,
  MonitorActor,
  MonitoredElsewhere,
  MonitoredFront,
  MonitoredNode,
  MonitoredProcess,
  MonitoredWorker,
} from './source.js';
import type { Asked } from './wish.js';
import type { Done } from './actions.js';

/** What the monitor needs of the node. */
export interface MonitorDeps {
  /** Asked anew for each look. */
  readonly node: () => MonitoredNode;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  readonly log: Logger;
  /** Told of every action, after it; nobody by default. The log is told in any case. */
  readonly onAction?: (action: MonitorAction) => void;
  /** Router workers in other processes; none by default. */
  readonly elsewhere?: { readonly all: readonly MonitoredElsewhere[] };
}

/** The node at a glance. */
export interface MonitorSummary {
  /** UTC, ISO 8601. */
  readonly now: string;
  /** Milliseconds of a clock that only goes forward: for rates. */
  readonly clock_ms: number;
  readonly node: MonitoredNode;
  readonly realms: readonly MonitoredRealm[];
  /** How many logins were refused since the start. */
  readonly refused: number;
  /** Only where there are any. */
  readonly fronts?: readonly MonitoredFront[];
  /** Processes of router workers, only where there are any. */
  readonly processes?: readonly MonitoredProcess[];
}

/** A login that was refused. */
export interface MonitoredRefusal {
  readonly worker: string;
  /** UTC, ISO 8601. */
  readonly at: string;
  /** As the client said it; null where it did not. */
  readonly realm: string | null;
  readonly authid: string | null;
  /** The methods that it offered. */
  readonly authmethods: readonly string[];
  readonly peer: string;
  /** The URI of the ABORT. */
  readonly reason: string;
}

/** A page of cookies: in no particular order, and by counting, as the stores have them. */
export interface MonitoredCookies {
  readonly entries: readonly CookieSummary[];
  readonly total: number;
}

interface Refusals {
  readonly entries: readonly MonitoredRefusal[];
  readonly total: number;
}

interface Certificates {
  readonly entries: readonly MonitoredCertificate[];
}

/** The lists that have pages, and what is on them. */
interface Lists {
  readonly sessions: MonitoredSession;
  readonly topics: MonitoredTopic;
  readonly procedures: MonitoredProcedure;
}

const PAGES: {
  readonly [K in keyof Lists]: (
    workers: readonly MonitoredWorker[],
    asked: Asked,
    rules: RateRule,
  ) => Promise<RankedPage<Lists[K]>>;
} = { sessions: sessionPage, topics: topicPage, procedures: procedurePage };

/** One for each node. All methods reject with a WampError when the request is wrong, or too many look at the same time. */
export class Monitor {
  readonly #deps: MonitorDeps;
  readonly #workers: MonitoredWorker[] = [];
  readonly #fronts: (() => readonly MonitoredFront[])[] = [];
  readonly #looks = new Looks();
  readonly #rates = new Rates(() => performance.now());
  readonly #actions: Actions;

  constructor(deps: MonitorDeps) {
    this.#deps = deps;
    this.#actions = new Actions({
      workers: this.#workers,
      cookies: () => this.#cookies,
      log: deps.log,
      ...(deps.onAction && { onAction: deps.onAction }),
    });
  }

  /** A router worker has started. */
  add(worker: MonitoredWorker): void {
    this.#workers.push(worker);
  }

  /** A worker has fronts. @param list asked anew for each look */
  addFronts(list: () => readonly MonitoredFront[]): void {
    this.#fronts.push(list);
  }

  async summary(asked: Asked = {}): Promise<MonitorSummary> {
    const wish = new Wish(asked, []);
    return this.#looks.look('summary', async () => {
      const realms: MonitoredRealm[] = [];
      for (const place of placesOf(this.#workers, wish)) realms.push(await realmNumbers(place));
      const others = await askAll<MonitorSummary>(this.#elsewhere, 'summary', () => ({}));
      realms.push(...others.flatMap((each) => each.realms));
      const refused = sumOf([...this.#workers.map((worker) => worker.refused.count), ...others.map((e) => e.refused)]);
      const fronts = this.#fronts.flatMap((list) => list());
      const processes = this.#elsewhere.flatMap(({ running }) => running ?? []);
      const { node, clock } = this.#deps;
      return {
        now: new Date(clock()).toISOString(),
        clock_ms: Math.round(performance.now()),
        ...{ node: node(), realms, refused },
        ...(fronts.length > 0 && { fronts }),
        ...(processes.length > 0 && { processes }),
      };
    });
  }

  /** `sort`, `descending`, `after`, `limit`, `realm`, `worker`, `search`, and `slow` for those that have not read everything. */
  sessions(asked: Asked = {}): Promise<MonitorPage<MonitoredSession>> {
    return this.#page('sessions', asked);
  }

  /** `sort`, `descending`, `after`, `limit`, `realm`, `worker`, `search`. */
  topics(asked: Asked = {}): Promise<MonitorPage<MonitoredTopic>> {
    return this.#page('topics', asked);
  }

  /** As {@link topics}. */
  procedures(asked: Asked = {}): Promise<MonitorPage<MonitoredProcedure>> {
    return this.#page('procedures', asked);
  }

  /** A page of what is here, for the monitor of a node that this process is part of. */
  ranked<K extends keyof Lists>(list: K, asked: Asked): Promise<RankedPage<Lists[K]>> {
    return this.#look(`ranked ${list}`, asked, () => this.#rankedHere(list, asked));
  }

  #page<K extends keyof Lists>(list: K, asked: Asked): Promise<MonitorPage<Lists[K]>> {
    return this.#look(list, asked, () => {
      const { limit = PAGE } = asked;
      const wish = { name: list, asked, limit: Number(limit) };
      return pageOfAll(this.#rankedHere(list, asked), wish, this.#elsewhere);
    });
  }

  #rankedHere<K extends keyof Lists>(list: K, asked: Asked): Promise<RankedPage<Lists[K]>> {
    const pageOf: (typeof PAGES)[K] = PAGES[list];
    return pageOf(this.#workers, asked, this.#rateRule);
  }

  /** The last hundred of each worker, the newest first. */
  refusals(asked: Asked = {}): Promise<Refusals> {
    return this.#look('refusals', asked, async () => {
      const wish = new Wish(asked, ['limit']);
      const all = this.#workers.flatMap(({ worker, refused }) =>
        refused.list().map(({ atMs, ...login }) => ({ worker, at: new Date(atMs).toISOString(), ...login })),
      );
      const others = await askAll<Refusals>(this.#elsewhere, 'refusals', () => asked);
      all.push(...others.flatMap(({ entries }) => entries));
      const newest = all.toSorted((a, b) => (a.at < b.at ? 1 : a.at > b.at ? -1 : 0));
      const here = this.#workers.map(({ refused }) => refused.count);
      const total = sumOf([...here, ...others.map((each) => each.total)]);
      return { entries: newest.slice(0, wish.limit), total };
    });
  }

  /** `authid`, `limit`, `offset`. */
  cookies(asked: Asked = {}): Promise<MonitoredCookies> {
    return this.#look('cookies', asked, async () => {
      const wish = new Wish(asked, ['authid', 'limit', 'offset']);
      const selection = { authid: wish.text('authid') };
      const { limit, offset } = wish;
      return this.#cookies.page(selection, { limit: Math.min(limit, PAGE), offset });
    });
  }

  certificates(asked: Asked = {}): Promise<Certificates> {
    return this.#look('certificates', asked, async () => {
      new Wish(asked, []);
      const others = await askAll<Certificates>(this.#elsewhere, 'certificates', () => asked);
      return { entries: [...(await certificatesOf(this.#workers)), ...others.flatMap(({ entries }) => entries)] };
    });
  }

  /** `session`, and `worker` where several have one of this id; `reason` (a URI) and `message` for the client. */
  async endSession(asked: Asked, by: MonitorActor): Promise<Done> {
    const here = (): Promise<Done> => this.#actions.endSession(asked, by);
    return allOf(await actOnAll({ here, name: 'endSession', request: { asked, by } }, this.#elsewhere));
  }

  /**
   * `digest`: the browser with this cookie is logged out. `authid` with `realm`: all cookies with a login of this user are forgotten,
   * and all sessions of his end.
   */
  async logOut(asked: Asked, by: MonitorActor): Promise<Done> {
    const here = (): Promise<Done> => this.#actions.logOut(asked, by);
    return allOf(await actOnAll({ here, name: 'logOut', request: { asked, by } }, this.#elsewhere));
  }

  get #elsewhere(): readonly MonitoredElsewhere[] {
    return this.#deps.elsewhere?.all ?? [];
  }

  get #rateRule(): RateRule {
    return { rates: this.#rates, clock: this.#deps.clock };
  }

  /** Workers may share a store. */
  get #cookies(): ManagedCookies {
    return new ManagedCookies(...this.#workers.flatMap(({ cookies }) => cookies.stores));
  }

  async #look<T>(what: string, asked: Asked, answer: () => Promise<T>): Promise<T> {
    return this.#looks.look(`${what} ${questionOf(asked)}`, answer);
  }
}

function sumOf(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0);
}

function allOf(done: readonly Done[]): Done {
  const [sessions, cookies] = [sumOf(done.map((each) => each.sessions)), sumOf(done.map((each) => each.cookies))];
  return { sessions, cookies };
}

/** @throws WampError where it cannot be written down, as a number of another program that is too large for JSON. */
function questionOf(asked: Asked): string {
  try {
    return JSON.stringify(asked);
  } catch {
    throw new WampError(ErrorUri.INVALID_ARGUMENT, 'the arguments cannot be understood');
  }
}
