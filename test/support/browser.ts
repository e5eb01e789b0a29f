/**
 * A real Chromium for tests: launch it, load a page that holds autobahn, and drive that page with plain data. Beside
 * it a relay, a port between browser and node whose connections a test can cut, as a bad network does.
 *
 * A missing browser is an error here; whether the browser tests run at all is decided where all tests are started.
 */
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import path from 'node:path';
import { chromium } from 'playwright-core';
import type { Browser, BrowserContext, Cookie, Page } from 'playwright-core';

const ROOT = path.resolve(import.meta.dirname, '../..');

/** Where Debian's package `chromium` puts it. */
export const CHROMIUM = '/usr/bin/chromium';

/**
 * Where Debian's package `chromium-headless-shell` puts the same browser without its windows and profiles: the engine, the network
 * and the cookie jar are the same code, and a tab takes less than half of the processor's time.
 */
const HEADLESS_SHELL = '/usr/bin/chromium-headless-shell';

const LAUNCH_ARGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/**
 * The browser for tests of pages: that of `CROSSBAR_BROWSER` in the environment; else the headless shell, or Chromium where there
 * is no shell.
 */
export async function launchBrowser(): Promise<Browser> {
  const chosen = process.env['CROSSBAR_BROWSER'] ?? (existsSync(HEADLESS_SHELL) ? HEADLESS_SHELL : CHROMIUM);
  return chromium.launch({ executablePath: chosen, args: LAUNCH_ARGS });
}

/** The whole Chromium, as people have it: for tests of what the browser itself does with cookies. */
export async function launchChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, args: LAUNCH_ARGS });
}

/** Paths of a web transport that serve the page of {@link AutobahnPage} and the browser build of autobahn. */
export const AUTOBAHN_PAGE_PATHS = {
  '/': { type: 'static', directory: path.join(ROOT, 'test/browser/page') },
  autobahn: { type: 'static', directory: path.join(ROOT, 'node_modules/autobahn-browser') },
} as const;

export interface Join {
  readonly sessionId: number;
  readonly authid: string;
  readonly authrole: string;
  readonly authmethod: string;
  readonly authprovider: string;
  /** How many challenges the page has answered since it was loaded. */
  readonly challenges: number;
}

/** What a page says in HELLO, the secret that it signs challenges of WAMP-CRA with or has as a ticket, and where it gets tickets for others. */
export interface Credentials {
  /** Where the router is; default: where the page comes from. */
  readonly url?: string;
  /** What autobahn connects by; default: a WebSocket to `url`. */
  readonly transports?: readonly { readonly type: string; readonly url: string }[];
  readonly authmethods?: readonly string[];
  readonly authid?: string;
  readonly secret?: string;
  readonly ticketUrl?: string;
  readonly authextra?: Kwargs;
  /** The query of the URL, with its `?`. */
  readonly search?: string;
  /** The subprotocols. */
  readonly protocols?: readonly string[];
}

export interface ReceivedEvent {
  readonly topic: string;
  readonly args: readonly unknown[];
  readonly kwargs: Readonly<Record<string, unknown>>;
}

/** What a call came to: a result, or an error when `error` is there. */
export interface CallOutcome {
  readonly error?: string;
  readonly args: readonly unknown[];
  readonly kwargs?: Readonly<Record<string, unknown>>;
}

type Kwargs = Readonly<Record<string, unknown>>;

/** `test/browser/page` in a tab: an autobahn connection that never gives up. */
export class AutobahnPage {
  readonly page: Page;

  private constructor(page: Page) {
    this.page = page;
  }

  /** Loads the page from the root of `origin`; nothing is connected yet. */
  static async load(context: BrowserContext, origin: string): Promise<AutobahnPage> {
    const page = await context.newPage();
    await page.goto(origin);
    return new AutobahnPage(page);
  }

  /** {@link load}, then a session on `realm1`. */
  static async join(
    context: BrowserContext,
    origin: string,
    credentials: Credentials = {},
  ): Promise<AutobahnPage & { readonly joined: Join }> {
    const loaded = await AutobahnPage.load(context, origin);
    return Object.assign(loaded, { joined: await loaded.connect('realm1', credentials) });
  }

  /** Connects and waits for the session. */
  async connect(realm = 'realm1', credentials: Credentials = {}): Promise<Join> {
    await this.#run('open', { realm, ...credentials });
    return this.nextJoin();
  }

  /** How the next session of this page ended: the reason of GOODBYE or ABORT; null when the connection was lost. */
  async nextEnd(): Promise<string | null> {
    return this.#run('nextEnd');
  }

  /** Says GOODBYE. The page comes again. */
  async leave(reason: string): Promise<void> {
    await this.#run('close', { reason });
  }

  /** The next session of this page: after a lost connection, the one that follows it. */
  async nextJoin(): Promise<Join> {
    return this.#run('nextJoin');
  }

  async reload(credentials: Credentials = {}): Promise<Join> {
    await this.page.reload();
    return this.connect('realm1', credentials);
  }

  /** What a script of the page sees of its cookies. */
  async documentCookie(): Promise<string> {
    return this.page.evaluate('document.cookie');
  }

  async subscribe(topic: string): Promise<void> {
    await this.#run('subscribe', { topic });
  }

  /** @returns whether the router was told (true), or other handlers of the topic are left (false). */
  async unsubscribe(topic: string): Promise<boolean> {
    return this.#run('unsubscribe', { topic });
  }

  async nextEvent(): Promise<ReceivedEvent> {
    return this.#run('nextEvent');
  }

  async nextEvents(count: number): Promise<readonly ReceivedEvent[]> {
    return this.#run('nextEvents', { count });
  }

  /** Resolves when the router has acknowledged it. */
  async publish(
    topic: string,
    args: readonly unknown[] = [],
    kwargs: Kwargs = {},
    options: Kwargs = {},
  ): Promise<void> {
    await this.#run('publish', { topic, args, kwargs, options });
  }

  /** Publishes the numbers from 0 on, all at once. Resolves when the router has acknowledged them. */
  async publishMany(topic: string, count: number): Promise<void> {
    await this.#run('publishMany', { topic, count });
  }

  /** `echo` answers with what it got; `fail` raises `com.example.error.refused` with what it got. */
  async register(procedure: string, behaviour: 'echo' | 'fail'): Promise<void> {
    await this.#run('register', { procedure, behaviour });
  }

  async unregister(procedure: string): Promise<void> {
    await this.#run('unregister', { procedure });
  }

  async call(procedure: string, args: readonly unknown[] = [], kwargs: Kwargs = {}): Promise<CallOutcome> {
    return this.#run('call', { procedure, args, kwargs });
  }

  async #run<T>(name: string, argument: object = {}): Promise<T> {
    return this.page.evaluate<T>(`client.${name}(${JSON.stringify(argument)})`);
  }
}

/** Takes a picture of a page, for people to look at, when `SCREENSHOTS` names a directory. */
export async function picture(page: Page, name: string): Promise<void> {
  const directory = process.env['SCREENSHOTS'];
  if (directory !== undefined) await page.screenshot({ path: path.join(directory, `${name}.png`) });
}

/** The one cookie of a context. @throws when it has none or several. */
export async function onlyCookie(context: BrowserContext): Promise<Cookie> {
  const [cookie, ...more] = await context.cookies();
  if (cookie === undefined || more.length > 0)
    throw new Error(`expected one cookie, found ${more.length + (cookie ? 1 : 0)}`);
  return cookie;
}

/** A TCP port that passes everything on to another one, until it is told to cut. */
export class Relay {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server) {
    this.#server = server;
  }

  static async to(port: number): Promise<Relay> {
    const server = createServer();
    const relay = new Relay(server);
    server.on('connection', (socket) => relay.#pass(socket, connect(port, '127.0.0.1')));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return relay;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Resets every connection there is; new ones are welcome. */
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  async close(): Promise<void> {
    this.#server.close();
    this.cut();
    await once(this.#server, 'close');
  }

  #pass(browser: Socket, node: Socket): void {
    for (const [socket, other] of [
      [browser, node],
      [node, browser],
    ] as const) {
      this.#sockets.add(socket);
      socket.pipe(other);
      // A cut connection errors on both sides; 'close' follows and does what has to be done.
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
    }
  }
}
