/** The place of a `WebSocketEcho` behind HTTP: every path is it. */
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Logger } from '../log/logger.js';
import { WebSocketEcho } from '../transport/testee/websocket-echo.js';
import type { WebSocketTesteeConfig } from '../transport/testee/schema.js';
import { READ_ONLY } from '../http/methods.js';
import type { WebRequest, WebService, WebUpgrade } from '../http/service.js';

export class TesteeService implements WebService {
  /** Of plain requests; an upgrade has rules of its own. */
  readonly methods = READ_ONLY;
  readonly #config: WebSocketTesteeConfig;
  readonly #echo: WebSocketEcho;

  constructor(config: WebSocketTesteeConfig, log: Logger) {
    this.#config = config;
    this.#echo = new WebSocketEcho(config.options, log);
  }

  handle(_request: WebRequest, res: ServerResponse): void {
    const { url, options } = this.#config;
    const shown = options.enable_webstatus;
    const headers = { 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-store' };
    res.writeHead(
      shown ? 200 : 426,
      shown ? headers : { ...headers, Upgrade: 'websocket', Connection: 'Upgrade, close' },
    );
    res.end(`This WebSocket sends back what it gets.${url === undefined ? '' : ` Clients connect to ${url}.`}\n`);
  }

  upgrade({ req }: WebUpgrade, socket: Socket, head: Buffer): void {
    this.#echo.accept(req, socket, head);
  }

  stop(): Promise<void> {
    return this.#echo.stop();
  }
}
