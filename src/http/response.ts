/**
 * The response class of our HTTP servers. It adds one rule below all services, so that none can forget it: a response
 * that hands out a cookie is nobody else's. A shared cache that kept it would give one visitor's identity to the next.
 */
import { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { IncomingMessage, OutgoingHttpHeader, OutgoingHttpHeaders } from 'node:http';

type Headers = OutgoingHttpHeaders | OutgoingHttpHeader[];

/** Knows when a server ends. */
export interface ServerEnd {
  /** Whether an answer that begins now is the last one of its connection. */
  isLastOf(socket: Socket): boolean;
}

/** A `ServerResponse` whose `Cache-Control` is made private when it carries `Set-Cookie`. */
export class WebResponse<Request extends IncomingMessage = IncomingMessage> extends ServerResponse<Request> {
  /**
   * The client sends the body of its request after a `100 Continue` (RFC 9110, section 10.1.1), and has had none. If it never
   * gets one, Node.js ends the connection with the answer: whether the body comes all the same cannot be known.
   */
  awaitsContinue = false;
  /**
   * All of the answer has left the process. Node.js emits `finish`, and says `writableFinished`, of one that a reset has taken away, too.
   */
  hasLeft = false;
  /** The parser gave up on the body of the request: nothing more of it will come. */
  requestError: NodeJS.ErrnoException | undefined;
  /** The type of the service that answers; undefined until one was found. */
  servedBy: string | undefined;
  /** When the request came, in milliseconds of `performance.now`; undefined where nobody wants to know. */
  begunMs: number | undefined;
  /** Default: the connection goes on as the client wants it. */
  serverEnd: ServerEnd | undefined;

  constructor(...args: ConstructorParameters<typeof ServerResponse<Request>>) {
    super(...args);
    // Before the server lets go of the connection.
    this.once('finish', noteLeft);
  }

  override writeContinue(callback?: () => void): void {
    this.awaitsContinue = false;
    super.writeContinue(callback);
  }

  override writeHead(statusCode: number, reasonOrHeaders?: string | Headers, headers?: Headers): this {
    const reason = typeof reasonOrHeaders === 'string' ? reasonOrHeaders : undefined;
    this.#take(typeof reasonOrHeaders === 'string' ? headers : reasonOrHeaders);
    if (this.serverEnd?.isLastOf(this.req.socket) === true) this.shouldKeepAlive = false;
    if (this.hasHeader('Set-Cookie')) this.setHeader('Cache-Control', privateOnly(this.getHeader('Cache-Control')));
    return reason === undefined ? super.writeHead(statusCode) : super.writeHead(statusCode, reason);
  }

  /** Headers given to writeHead become ordinary ones, or the rule above would not see them. */
  #take(headers: Headers | undefined): void {
    if (headers === undefined) return;
    if (Array.isArray(headers)) {
      this.#takeFlat(headers);
      return;
    }
    for (const [name, value] of Object.entries(headers)) {
      if (value !== undefined) this.setHeader(name, value);
    }
  }

  /** The flat form: name, value, name, value; a name may come again, as `Set-Cookie` does. */
  #takeFlat(flat: readonly OutgoingHttpHeader[]): void {
    for (let index = 0; index < flat.length; index += 2) this.removeHeader(String(flat[index]));
    for (let index = 0; index < flat.length; index += 2) {
      const value = flat[index + 1];
      this.appendHeader(String(flat[index]), Array.isArray(value) ? value : String(value));
    }
  }
}

function noteLeft(this: WebResponse): void {
  const { socket } = this;
  this.hasLeft = socket !== null && !socket.destroyed && socket.errored === null;
}

/** The same caching for the visitor's own browser, none for anybody between. */
function privateOnly(cacheControl: OutgoingHttpHeader | undefined): string {
  const directives = String(cacheControl ?? '')
    .split(',')
    .map((directive) => directive.trim())
    .filter((directive) => directive !== '' && !/^(public|private|s-maxage\b.*)$/i.test(directive));
  return [...directives, 'private'].join(', ');
}
