/**
 * A real web application with Express and express-session, as somebody has it who wants the login in the realm, too: passport logs in
 * and out, and there are the home-made ways as well.
 */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import express from 'express';
import type { Express, Request } from 'express';
import session from 'express-session';
import type { Store } from 'express-session';
import { Passport } from 'passport';
import { Strategy } from 'passport-local';

export const SECRET = 'a secret of the web application';

export interface WebAppOptions {
  /** Undefined: MemoryStore, which nobody else can read. */
  readonly store?: Store;
  readonly secrets?: readonly string[];
  /** In milliseconds. */
  readonly maxAge?: number;
  /** Is told what came when somebody asked for the session. */
  readonly onSession?: (cookie: string | undefined) => void;
  /** More routes. */
  readonly extend?: (app: Express) => void;
}

type Fields = Readonly<Record<string, unknown>>;
const fieldsOf = (request: Request): Fields => request.session as unknown as Fields;

/** Who is who: the name of the login is the `id`. */
export interface WebUser {
  readonly id: string;
  readonly role: string;
  readonly name: string;
}

export class WebApp {
  readonly port: number;
  readonly #server: ReturnType<Express['listen']>;

  private constructor(server: ReturnType<Express['listen']>) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
  }

  static async start({ store, secrets = [SECRET], maxAge, onSession, extend }: WebAppOptions = {}): Promise<WebApp> {
    const app = express();
    app.use(
      session({
        secret: [...secrets],
        resave: false,
        saveUninitialized: false,
        ...(store && { store }),
        ...(maxAge !== undefined && { cookie: { maxAge } }),
      }),
    );
    addPassport(app);
    app.get('/', (_request, response) => void response.send('a page'));
    app.post('/logout/destroy', (request, response) => request.session.destroy(() => response.end()));
    app.post('/logout/field', (request, response) => {
      delete (fieldsOf(request) as { passport?: unknown }).passport;
      response.end();
    });
    app.post('/change', (request, response) => {
      const { passport } = fieldsOf(request) as { passport: { user: object } };
      Object.assign(passport.user, request.query);
      response.end();
    });
    app.post('/note', (request, response) => {
      Object.assign(request.session, request.query);
      response.end();
    });
    // What the store "http" asks.
    app.get('/session', (request, response) => {
      onSession?.(request.headers.cookie);
      if (fieldsOf(request)['passport'] === undefined) response.status(401).end();
      else response.json(request.session);
    });
    extend?.(app);
    const server = app.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new WebApp(server);
  }

  get origin(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** A browser that logs in. @param role `''` for none. */
  async login(id: string, role = 'member'): Promise<Visitor> {
    const visitor = new Visitor(this.origin);
    await visitor.post(`/login?username=${id}&password=${role}`);
    return visitor;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

function addPassport(app: Express): void {
  const passport = new Passport();
  passport.use(new Strategy((id, role, done) => done(null, { id, role, name: `Name of ${id}` } satisfies WebUser)));
  passport.serializeUser((user, done) => done(null, user));
  passport.deserializeUser((user, done) => done(null, user));
  app.use(passport.session());
  app.post('/login', passport.authenticate('local'), (_request, response) => void response.end());
  app.post('/logout', (request, response) => {
    (request as unknown as { logout(done: () => void): void }).logout(() => response.end());
  });
}

/** A browser of the web application: it keeps one cookie. */
export class Visitor {
  /** `name=value`, as the browser sends it; empty without one. */
  cookie = '';
  readonly #origin: string;

  constructor(origin: string) {
    this.#origin = origin;
  }

  /** The id in the cookie. */
  get sid(): string {
    return /s:([^.]*)\./.exec(decodeURIComponent(this.cookie))?.[1] ?? '';
  }

  async get(path: string): Promise<Response> {
    return this.#request('GET', path);
  }

  async post(path: string): Promise<Response> {
    return this.#request('POST', path);
  }

  async #request(method: string, path: string): Promise<Response> {
    const headers = this.cookie === '' ? {} : { cookie: this.cookie };
    const response = await fetch(`${this.#origin}${path}`, { method, headers });
    if (!response.ok) throw new Error(`${path}: ${response.status}`);
    for (const line of response.headers.getSetCookie()) this.cookie = line.split(';')[0] ?? '';
    await response.arrayBuffer();
    return response;
  }
}
