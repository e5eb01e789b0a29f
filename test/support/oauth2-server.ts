/** A provider of plain OAuth 2.0 for tests, as GitHub is: its answers, its habits, and what it does when something is wrong. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CLIENT_ID, CLIENT_SECRET } from './openid-provider.js';

/** How the token endpoint answers. */
export type TokenAnswer = 'json' | 'form' | 'error with 200' | 'page' | 'hang';

export class OAuth2Server {
  /** What `/user` says. */
  user: unknown = { id: 583_231, login: 'octocat', name: 'The Octocat' };
  tokenAnswer: TokenAnswer = 'json';
  userStatus = 200;
  /** `iss` of the way back (RFC 9207). */
  issuer: string | undefined;
  /** The User-Agent and Accept of the last request for the user. */
  lastUserHeaders: IncomingMessage['headers'] = {};
  readonly origin: string;
  readonly #server: Server;
  // code -> the challenge of PKCE
  readonly #codes = new Map<string, string>();

  private constructor(server: Server) {
    this.#server = server;
    this.origin = `http://localhost:${(server.address() as AddressInfo).port}`;
    server.on('request', (req: IncomingMessage, res: ServerResponse) => void this.#answer(req, res));
  }

  static async start(): Promise<OAuth2Server> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new OAuth2Server(server);
  }

  async close(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  async #answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const url = new URL(req.url ?? '', this.origin);
    if (url.pathname === '/login/oauth/authorize') return this.#authorize(url.searchParams, res);
    if (url.pathname === '/user') return this.#tellUser(req, res);
    let body = '';
    for await (const chunk of req) body += String(chunk);
    this.#exchange(new URLSearchParams(body), req, res);
  }

  #authorize(asked: URLSearchParams, res: ServerResponse): void {
    const code = `code-${this.#codes.size}`;
    this.#codes.set(code, asked.get('code_challenge') ?? '');
    const back = new URL(asked.get('redirect_uri') ?? '');
    back.searchParams.set('code', code);
    back.searchParams.set('state', asked.get('state') ?? '');
    if (this.issuer !== undefined) back.searchParams.set('iss', this.issuer);
    res.writeHead(302, { Location: back.href }).end();
  }

  #exchange(form: URLSearchParams, req: IncomingMessage, res: ServerResponse): void {
    const code = form.get('code') ?? '';
    const challenge = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url');
    const basic = `Basic ${Buffer.from(`${CLIENT_ID}:${encodeURIComponent(CLIENT_SECRET).replaceAll('%20', '+')}`).toString('base64')}`;
    const isGood = this.#codes.get(code) === challenge && req.headers.authorization === basic;
    this.#codes.delete(code);
    const json = { 'Content-Type': 'application/json; charset=utf-8' };
    if (this.tokenAnswer === 'hang') return;
    if (this.tokenAnswer === 'page') return void res.writeHead(502, { 'Content-Type': 'text/html' }).end('<html>');
    if (!isGood || this.tokenAnswer === 'error with 200') {
      const error = {
        error: 'bad_verification_code',
        error_description: `The code ${code} passed is incorrect or expired.`,
      };
      return void res.writeHead(200, json).end(JSON.stringify(error));
    }
    const token = { access_token: 'gho_token', token_type: 'bearer', scope: '' };
    if (this.tokenAnswer === 'form') {
      const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
      return void res.writeHead(200, form).end(new URLSearchParams(token).toString());
    }
    res.writeHead(200, json).end(JSON.stringify(token));
  }

  #tellUser(req: IncomingMessage, res: ServerResponse): void {
    this.lastUserHeaders = req.headers;
    const isGood = req.headers.authorization?.toLowerCase() === 'bearer gho_token';
    const body = typeof this.user === 'string' ? this.user : JSON.stringify(this.user);
    res.writeHead(isGood ? this.userStatus : 401, { 'Content-Type': 'application/json; charset=utf-8' }).end(body);
  }
}
