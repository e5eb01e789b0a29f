/**
 * From the request of a client to an open WebSocket, whatever is spoken on it: checks the handshake, gives the connection its place,
 * resolves the cookie, answers with the 101. Every socket is answered, one way or the other.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { admitSocket } from '../admit.js';
import { TurnedAway, decide } from '../apart/entrance.js';
import { countRefusal } from '../../metrics/transport-counts.js';
import { WITHOUT_UPGRADE, isByPlantedHost, isWithoutUpgrade } from './handshake.js';
import { PageWarnings } from './page-warnings.js';
import { clientOf, isTls } from '../peer.js';
import { RefusalLog, SERVER_NAME, refuse } from '../refusal.js';
import { serverOptionsOf } from './server-options.js';
import { Switching } from './switching.js';
import { endLater, visitorOf } from './visitor.js';
import type { WebSocket } from 'ws';
import type { ClientInfo } from '../../auth/method.js';
import type { CookieTracker, Tracked } from '../../cookie/tracker.js';
import type { Logger } from '../../log/logger.js';
import type { SessionDeps } from '../../session/deps.js';
import type { OriginCheck } from './origin.js';
import type { Refusal } from '../refusal.js';
import type { RequestHead } from '../request-head.js';
import type { Entered, Entrance, VisitDeps } from '../apart/entrance.js';
import type { HostedTransport, TransportHost } from '../transport-host.js';
import type { WebSocketOptions } from './schema.js';
import type { SwitchingOptions } from './switching.js';

/** What upgrades need of the node. */
export interface UpgradeDeps {
  readonly sessions: SessionDeps;
  /** Who came back; undefined where cookies are not tracked. */
  readonly tracker: CookieTracker | undefined;
  /** Where the sessions are in another process, which knows the cookies. */
  readonly entrance?: Entrance | undefined;
  readonly log: Logger;
  /** For the `Server` header, where `show_server_version` asks for it. */
  readonly version?: string;
}

/** What a handshake settled, as far as it is answered. */
export interface Agreed {
  /** To be echoed; undefined when the client named none and may do so. */
  readonly subprotocol: string | undefined;
}

/** A connection that is open. */
export interface Upgraded<W, A> {
  readonly ws: W;
  readonly socket: Socket;
  readonly client: ClientInfo;
  readonly agreement: A;
}

/** The options that say how the 101 is given. */
export type UpgradeOptions = Parameters<typeof serverOptionsOf>[0] &
  Pick<WebSocketOptions, 'show_server_version' | 'tcp_nodelay'>;

/** What is spoken on the connections. */
export interface Speech<W extends WebSocket, A extends Agreed> {
  readonly WebSocket: SwitchingOptions<W>['WebSocket'];
  readonly allowsOrigin: OriginCheck;
  /** @returns what to speak, or why not. Nothing has been answered yet. */
  negotiate(req: RequestHead): A | Refusal;
  /** The 101 has been written. @returns the connection, which its host does not know yet. */
  open(upgraded: Upgraded<W, A>): HostedTransport;
}

/** In how many pieces a frame may come, or a piece of one that the gate passes on (`frame-gate.ts`): of 16 bytes, on the average. */
const MAX_CHUNKS = 16_384;

/** The upgrades of one place. */
export class Upgrades<W extends WebSocket, A extends Agreed> {
  readonly #options: UpgradeOptions;
  readonly #speech: Speech<W, A>;
  readonly #host: TransportHost;
  readonly #deps: UpgradeDeps;
  readonly #switching: Switching<W>;
  readonly #visits: VisitDeps;
  readonly #refusals: RefusalLog;
  readonly #pages: PageWarnings;

  constructor(options: UpgradeOptions, speech: Speech<W, A>, host: TransportHost, deps: UpgradeDeps) {
    this.#options = options;
    this.#speech = speech;
    this.#host = host;
    this.#deps = deps;
    this.#visits = { host, sessions: deps.sessions, log: deps.log };
    this.#refusals = new RefusalLog(deps.log);
    this.#pages = new PageWarnings(deps.log);
    this.#switching = new Switching({
      ...serverOptionsOf(options),
      WebSocket: speech.WebSocket,
      maxBufferedChunks: MAX_CHUNKS,
    });
  }

  /** Takes the socket of an upgrade request: it is answered, one way or the other. Never throws. */
  accept(req: RequestHead, socket: Socket, head: Buffer): void {
    const speech = this.#speech;
    const agreement = speech.negotiate(req);
    if ('status' in agreement) {
      countRefusal(this.#deps.sessions.counts, agreement.kind);
      this.#refusals.webSocket(req, agreement);
      return refuse(socket, agreement.status, agreement.text, agreement.headers);
    }
    if (isByPlantedHost(req, speech, socket)) this.#pages.plantedHost(req);
    decide<Entered>(this.#visits, {
      admit: () => admitSocket(socket, this.#host),
      ask: this.#askFor(req, socket),
      done: (verdict) => {
        if (verdict instanceof TurnedAway) return refuse(socket, verdict.status, verdict.message, verdict.headers);
        if (verdict?.setCookie !== undefined) this.#pages.misfit(verdict.setCookie, req);
        this.#upgrade(req, socket, head, agreement, verdict);
      },
    });
  }

  /** Answers a plain request that was meant to be a handshake. @returns whether it was. */
  answerPlain(req: IncomingMessage, res: ServerResponse): boolean {
    if (!isWithoutUpgrade(req)) return false;
    countRefusal(this.#deps.sessions.counts, WITHOUT_UPGRADE.kind);
    this.#refusals.webSocket(req, { ...WITHOUT_UPGRADE, text: 'the handshake came without its upgrade' });
    const { status, text, headers } = WITHOUT_UPGRADE;
    res.writeHead(status, { ...headers, 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-store' });
    res.end(`${text}\n`);
    return true;
  }

  /** Nobody comes any more: says what was not said yet. */
  end(): void {
    this.#refusals.end();
  }

  #askFor(req: RequestHead, socket: Socket): (() => Promise<Entered>) | undefined {
    const { tracker, entrance } = this.#deps;
    if (entrance !== undefined) return () => entrance.enter(socket, req);
    return tracker && (() => tracker.resolve(req));
  }

  #upgrade(req: RequestHead, socket: Socket, head: Buffer, agreement: A, entered: Entered | undefined): void {
    // While the store was asked the client may have left.
    if (socket.destroyed) return;
    const tracked = isTracked(entered) ? entered : undefined;
    const { show_server_version, tcp_nodelay } = this.#options;
    const headers = [`Server: ${SERVER_NAME}${show_server_version ? `/${this.#deps.version ?? ''}` : ''}`];
    if (entered?.setCookie !== undefined) headers.push(`Set-Cookie: ${entered.setCookie}`);
    const answer = { subprotocol: agreement.subprotocol, headers };
    this.#switching.switch(req, socket, head, answer, (ws) => {
      // `ws` has switched the delay off.
      if (!tcp_nodelay) socket.setNoDelay(false);
      endWithClient(socket);
      const liveCookie = tracked && this.#deps.tracker?.enter(tracked.record);
      const client = clientOf(socket, visitorOf(req, this.#deps.sessions, tracked, liveCookie));
      if (tracked?.setCookie !== undefined && tracked.record.rotated !== null) {
        // Whoever goes on has read the answer.
        ws.once('message', () => this.#deps.tracker?.delivered(tracked.record));
      }
      const connection = this.#speech.open({ ws, socket, client, agreement });
      this.#host.opened(connection);
      if (tracked?.lastsMs !== undefined) endLater(connection, tracked.lastsMs);
    });
  }
}

function isTracked(entered: Entered | undefined): entered is Tracked {
  return entered?.record !== undefined;
}

/**
 * A client that ends its half of the connection is gone, with or without a closing handshake. `ws` would end our half,
 * which is one more system call, and then end its receiver twice, which makes an error that nobody sees: together a tenth
 * of what a connection costs.
 */
function endWithClient(socket: Socket): void {
  const [listener] = socket.listeners('end').slice(-1);
  if (listener !== undefined) socket.off('end', listener as () => void);
  socket.on('end', hangUp);
}

function hangUp(this: Socket): void {
  // What was written has to leave first, and with TLS the client is told.
  if (this.writableLength === 0 && !isTls(this)) this.destroy();
  else this.destroySoon();
}
