/**
 * Browsers that log in and out at all nodes of a cluster, while somebody kills nodes and servers. They note what they were told: whoever
 * got WELCOME is logged in from then on, whoever got GOODBYE for `wamp.close.logout` is not. What they were told must hold at every node.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Daemon } from './daemon.js';
import { ALL_ROLES, cookieValue, ConnectionClosed, HandshakeRefused, WampClient } from './wamp-client.js';

/** Between two visits at one node. */
const PAUSE_MS = 150;
/** So many cookies are looked at together. */
const AT_A_TIME = 8;
const TICKET = 'ticket of joe';

/** A cookie of which the browser knows for sure whether it is logged in. */
type State = 'in' | 'out';

/** What became of what browsers were told. */
export interface LoginTally {
  readonly logins: number;
  readonly logouts: number;
  /** Visits that the death of a node or server cut off, so that the browser knows nothing. */
  readonly cut: number;
}

/** The path of these browsers, for `paths` of a transport. */
export function loginPath(store: object): object {
  return {
    type: 'websocket',
    auth: {
      cookie: {},
      ticket: { type: 'static', principals: { joe: { ticket: TICKET, role: 'anonymous' } } },
    },
    cookie: { store },
  };
}

export class LoginLoad {
  readonly #urls: readonly string[];
  readonly #known = new Map<string, State>();
  /** What became of each id that a browser ever had, for those whose state is not as it should be. */
  readonly #stories = new Map<string, string[]>();
  readonly #visits: Promise<void>[];
  #logouts = 0;
  #cut = 0;
  #isOver = false;

  /** @param nodes each of which comes back on its port. @param path of {@link loginPath} */
  constructor(nodes: readonly Daemon[], path: string) {
    this.#urls = nodes.map((node) => node.url(path, 'ws'));
    this.#visits = this.#urls.map((_url, index) => this.#visitAll(index));
  }

  /**
   * Ends the visits.
   * @param tell what else is to be known of a cookie, by its ids.
   * @returns what was seen, and each cookie whose state is not what its browser was told, at any node.
   */
  async end(
    tell: (ids: readonly string[]) => Promise<string> = () => Promise.resolve(''),
  ): Promise<LoginTally & { readonly broken: readonly string[] }> {
    this.#isOver = true;
    await Promise.all(this.#visits);
    const cookies = [...this.#known].entries();
    const broken: string[] = [];
    const look = async (): Promise<void> => {
      for (const [at, [cookie, state]] of cookies) {
        const found = await this.#stateAt(at, cookie);
        if (found === state) continue;
        const story = [...this.#stories.values()].find((lines) => lines.some((line) => line.includes(cookie))) ?? [];
        const ids = story.flatMap((line) => /id (\S+)/.exec(line)?.[1] ?? []);
        const told = [`its browser was told '${state}', and it is '${found}'`, ...story, await tell(ids)];
        broken.push(`cookie ${at}: ${told.join('\n  ')}`);
      }
    };
    await Promise.all(Array.from({ length: AT_A_TIME }, look));
    return { logins: this.#known.size, logouts: this.#logouts, cut: this.#cut, broken };
  }

  async #visitAll(index: number): Promise<void> {
    for (let visit = 0; !this.#isOver; visit++) {
      try {
        await this.#visit(visit, index);
      } catch (error) {
        if (!(error instanceof ConnectionClosed || error instanceof HandshakeRefused || isRefused(error))) throw error;
        this.#cut += 1;
      }
      await delay(PAUSE_MS);
    }
  }

  /** Logs in at one node; every other browser logs out at the next one. */
  async #visit(visit: number, index: number): Promise<void> {
    const url = this.#urls[index] ?? '';
    const client = await WampClient.connect(url);
    try {
      const [line] = client.handshake.setCookie;
      if (line === undefined) throw new Error('a new browser got no cookie');
      const cookie = cookieValue(line);
      this.#stories.set(cookie, []);
      this.#note(cookie, `came to node ${index}, id ${cookie}`);
      const challenge = await client.ask(hello({ authmethods: ['ticket'], authid: 'joe' }));
      if (challenge[0] !== 4) return void (this.#cut += 1);
      if ((await client.ask([5, TICKET, {}]))[0] !== 2) return void (this.#cut += 1);
      this.#known.set(cookie, 'in');
      this.#note(cookie, 'logged in');
      if (visit % 2 === 0) await this.#logOut(cookie, (index + 1) % this.#urls.length);
    } finally {
      await client.drop();
    }
  }

  async #logOut(known: string, index: number): Promise<void> {
    const { client, cookie } = await this.#openWith(this.#urls[index] ?? '', known);
    try {
      const answer = await client.ask(hello({ authmethods: ['cookie'] }));
      this.#note(cookie, `came back to node ${index}, and got ${JSON.stringify(answer.slice(0, 3))}`);
      if (answer[0] !== 2) return void (this.#cut += 1);
      // Until it is told, it does not know.
      this.#known.delete(cookie);
      if ((await client.ask([6, {}, 'wamp.close.logout']))[0] !== 6) return void (this.#cut += 1);
      this.#known.set(cookie, 'out');
      this.#logouts += 1;
    } finally {
      await client.drop();
    }
  }

  /** Of a node that sends it elsewhere, or cannot ask its store (503), it goes to the next one. */
  async #stateAt(index: number, cookie: string): Promise<string> {
    for (let at = index; ; at++) {
      try {
        return await this.#stateOf(this.#urls[at % this.#urls.length] ?? '', cookie);
      } catch (error) {
        const isAway = error instanceof HandshakeRefused && error.status === 503;
        if (!isAway && !(error instanceof ConnectionClosed)) throw error;
        await delay(PAUSE_MS);
      }
    }
  }

  async #stateOf(url: string, before: string): Promise<string> {
    const { client, cookie } = await this.#openWith(url, before);
    try {
      const [type, , reason] = await client.ask(hello({ authmethods: ['cookie'] }));
      this.#note(cookie, `asked at ${url}: ${String(type)} ${String(reason)}`);
      if (type === 2) return 'in';
      return type === 3 && reason === 'wamp.error.no_auth_method' ? 'out' : String(reason);
    } finally {
      await client.drop();
    }
  }

  #note(cookie: string, what: string): void {
    this.#stories.get(cookie)?.push(`${new Date().toISOString()} ${what}`);
  }

  /** As browsers do, it takes the id that the node gives it in place of the old one: with the first request after the login. */
  async #openWith(url: string, before: string): Promise<{ readonly client: WampClient; readonly cookie: string }> {
    const client = await WampClient.connect(url, { headers: { cookie: `cbtid=${before}` } });
    const [line] = client.handshake.setCookie;
    if (line === undefined) return { client, cookie: before };
    const cookie = cookieValue(line);
    const state = this.#known.get(before);
    this.#known.delete(before);
    this.#stories.set(cookie, this.#stories.get(before) ?? []);
    this.#stories.delete(before);
    this.#note(cookie, `got another id at ${url}: id ${cookie}`);
    if (state !== undefined) this.#known.set(cookie, state);
    return { client, cookie };
  }
}

function hello(details: object): unknown[] {
  return [1, 'realm1', { roles: ALL_ROLES, ...details }];
}

/** Nobody listens, or the listener died meanwhile. */
function isRefused(error: unknown): boolean {
  const { code } = error as { readonly code?: unknown };
  return code === 'ECONNREFUSED' || code === 'ECONNRESET';
}
