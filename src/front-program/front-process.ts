/**
 * A front: the connections of a proxy worker in a process of its own. It asks its router what it is to do, listens where the config says,
 * and tells how it is every second. When its router is gone it closes what it has, and ends: another one takes its place.
 */
import { connect } from 'node:net';
import { ManagedCookies } from '../cookie/management.js';
import { CookieStores } from '../cookie/stores.js';
import { Kind } from '../front/records.js';
import { RouterLink } from '../front/router-link.js';
import { setLevel } from '../log/level.js';
import { createLogger } from '../log/logger.js';
import { LiveAuthMethods } from '../auth/live-methods.js';
import { SharedLogins } from '../auth/shared-logins.js';
import { messageOf } from '../system/error.js';
import { Warden } from '../system/process/warden.js';
import { Drain } from '../transport/drain.js';
import { systemScheduler } from '../worker/scheduler.js';
import { transportTypeOf } from '../worker/transports.js';
import { sectionNames } from '../transport/apart/halves.js';
import { FRONT_FAMILIES } from './families.js';
import { OtherRouters } from './other-routers.js';
import { setupIn } from '../worker/proxy/front-shapes.js';
import type { Logger } from '../log/logger.js';
import type { LiveSessionDeps } from '../session/deps.js';
import type { TransportServer } from '../transport/transport-type.js';
import type { AtFront } from '../transport/apart/apart.js';
import type { WebTransportDeps } from '../webservice/transport-types.js';
import type { LogLevel } from '../log/level.js';
import type { TransportConfig } from '../worker/schema.js';
import type { FrontOrder } from './parent.js';
import type { FrontHello, FrontListening, FrontLogLine, FrontPulse, FrontSetup } from '../worker/proxy/front-shapes.js';

/** How much may wait for the router before it is given up. */
const MAX_UNSENT_BYTES = 256 * 1024 * 1024;
/** Of so many clients that have not read everything is told. */
const MAX_WAITING = 1000;
/** Between two signs of life. */
const PULSE_MS = 1000;
/** Clients that are told that the router is gone have so long to read it. */
const FAREWELL_MS = 1000;

export class FrontProcess {
  readonly #order: FrontOrder;
  readonly #servers: TransportServer[] = [];
  #link: RouterLink | undefined;
  readonly #others = new OtherRouters({ log: () => this.#log, maxUnsentBytes: MAX_UNSENT_BYTES });
  #log: Logger = createLogger({ level: 'info', destination: process.stderr });

  constructor(order: FrontOrder) {
    this.#order = order;
  }

  run(): void {
    const socket = connect(this.#order.link);
    const link = new RouterLink(socket, {
      log: this.#log,
      maxUnsentBytes: MAX_UNSENT_BYTES,
      onControl: (kind, content) => this.#obey(kind, content),
      gone: () => void this.#end(),
    });
    this.#link = link;
    process.once('SIGTERM', () => void this.#stop());
    link.say(Kind.HELLO, { pid: process.pid, number: this.#order.number } satisfies FrontHello);
  }

  #obey(kind: Kind, content: Buffer): void {
    if (kind === Kind.LEVEL) setLevel(this.#log, content.toString());
    if (kind === Kind.CONFIG) void this.#start(setupIn(content));
  }

  async #start(setup: FrontSetup): Promise<void> {
    const link = this.#link;
    if (link === undefined) return;
    const write = (line: string): void => link.say(Kind.LOG, { line } satisfies FrontLogLine);
    this.#log = createLogger({ level: setup.logLevel as LogLevel, destination: { write } });
    setInterval(() => {
      link.say(Kind.ALIVE, this.#pulse(link));
      for (const other of this.#others.links) other.say(Kind.ALIVE, this.#pulse(other));
    }, PULSE_MS);
    if (setup.routers.length > 0) link.leadsOn((name) => this.#others.of(name));
    await Promise.all(setup.routers.map((router) => this.#others.keep(router)));
    for (const [index, transport] of setup.transports.entries()) {
      // One process alone can make a socket file.
      if (transport.endpoint?.type === 'unix' && this.#order.number > 1) continue;
      try {
        const server = await this.#serve(transport, index, setup, link);
        if (server === undefined) continue;
        this.#servers.push(server);
        link.say(Kind.LISTENING, { index, bound: await server.start() } satisfies FrontListening);
      } catch (error) {
        link.say(Kind.FAILED, { index, problem: messageOf(error) });
        return;
      }
    }
    link.say(Kind.READY, {});
  }

  async #serve(
    transport: TransportConfig,
    index: number,
    setup: FrontSetup,
    link: RouterLink,
  ): Promise<TransportServer | undefined> {
    const names = sectionNames(transport);
    const sessions = sessionsBehind(link, this.#log);
    const atFront: AtFront = {
      sessionsAt: () => sessions,
      entranceAt: (section) => link.entranceOf(`${index}${names.get(section) ?? ''}`),
    };
    const deps = depsOf(setup, { log: this.#log, atFront });
    return transportTypeOf(transport, FRONT_FAMILIES).create(transport, deps);
  }

  #pulse(link: RouterLink): FrontPulse {
    const { user, system } = process.cpuUsage();
    return {
      rssBytes: process.memoryUsage.rss(),
      cpuMs: (user + system) / 1000,
      clients: link.size,
      waiting: link.waiting(MAX_WAITING),
    };
  }

  /** The router is gone: its clients were told to come back. */
  async #end(): Promise<void> {
    await Promise.race([this.#stopServers(), new Promise((resolve) => setTimeout(resolve, FAREWELL_MS))]);
    process.exit(0);
  }

  /** The node stops: the router has let go of its clients, and what HTTP answers still goes out. */
  async #stop(): Promise<void> {
    await this.#stopServers();
    process.exit(0);
  }

  async #stopServers(): Promise<void> {
    this.#others.end();
    await Promise.all(this.#servers.map((server) => server.stop()));
  }
}

/** @returns what the sessions of a front are made with: they are with the router, and so is all that decides about them. */
function sessionsBehind(link: RouterLink, log: Logger): LiveSessionDeps {
  const absent = (): never => {
    throw new TypeError('a front has no realms');
  };
  return {
    router: { clock: Date.now, scheduler: systemScheduler, newSessionId: absent, realm: () => undefined },
    authMethods: new LiveAuthMethods(new Map()),
    log,
    open: (transport) => link.open(transport),
    renewAuth: () => Promise.resolve(),
    follow: () => undefined,
  };
}

function depsOf(
  { nodeInfo, proxyTrust, privatePaths }: FrontSetup,
  { log, atFront }: Pick<WebTransportDeps, 'log'> & { readonly atFront: AtFront },
): WebTransportDeps {
  const refuse = (): Promise<never> => Promise.reject(new TypeError('a front runs no programs'));
  return {
    ...{ families: FRONT_FAMILIES, log, atFront, nodeInfo, proxyTrust, privatePaths },
    router: { clock: Date.now, scheduler: systemScheduler, newSessionId: () => 0, realm: () => undefined },
    load: refuse,
    logins: new SharedLogins(Date.now),
    stores: new CookieStores({ clock: Date.now, log }),
    managedCookies: new ManagedCookies(),
    drain: new Drain({
      ...{ log, saysGoodbye: false, elapsed: () => performance.now(), random: Math.random },
      wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    }),
    cookieNames: new Set(),
    env: {},
    warden: new Warden(() => undefined),
    applications: { start: refuse },
  };
}
