/**
 * A real OpenID provider for tests: npm `oidc-provider` on `localhost`, which is another site than `127.0.0.1` for a browser. Users log in
 * without a form: `user` says who they are. Single answers can be replaced, as those of a provider that is broken or lies.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { generateKeyPair, exportJWK, SignJWT } from 'jose';
import type { CryptoKey, JWK, JWTPayload } from 'jose';
import { Provider } from 'oidc-provider';
import type { ClientMetadata, Configuration } from 'oidc-provider';

export const CLIENT_ID = 'crossbar';
export const CLIENT_SECRET = 'a secret of the client';

/** What a replaced answer is; `hang` never answers, `cut` ends the connection. */
export type Answer =
  | { readonly status?: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: unknown }
  | 'hang'
  | 'cut';

interface Key {
  readonly kid: string;
  readonly privateKey: CryptoKey;
  readonly jwk: JWK;
}

let keys = 0;

async function newKey(): Promise<Key> {
  const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true });
  keys += 1;
  const kid = `key-${keys}`;
  return {
    kid,
    privateKey,
    jwk: { ...(await exportJWK(privateKey)), ...(await exportJWK(publicKey)), kid, alg: 'RS256', use: 'sig' },
  };
}

/** Claims of somebody. */
interface User {
  readonly sub: string;
  readonly [claim: string]: unknown;
}

const JOE: User = { sub: 'joe' };

/** One that answers. */
export class OpenIdProvider {
  /** Who logs in. */
  user: User = JOE;
  /** Whether the user says no instead. */
  cancels = false;
  /** Whether a browser that has logged in stays, on a page with a link to where it would be sent. */
  holdsBack = false;
  /** path -> what is answered there instead; called with the form that was posted */
  readonly answers = new Map<string, (form: URLSearchParams) => Answer | Promise<Answer>>();
  /** The paths that were asked for, with the method. */
  readonly requests: string[] = [];
  /** The query of the last request for a login. */
  lastQuery = new URLSearchParams();
  readonly #server: Server;
  readonly #origin: string;
  #client: Partial<ClientMetadata> = {};
  #key: Key;
  #handle: (req: IncomingMessage, res: ServerResponse) => void = () => undefined;

  private constructor(server: Server, key: Key) {
    this.#server = server;
    this.#origin = `http://localhost:${(server.address() as AddressInfo).port}`;
    this.#key = key;
    server.on('request', (req: IncomingMessage, res: ServerResponse) => void this.#answer(req, res));
  }

  /** It listens, and knows no client yet. */
  static async start(): Promise<OpenIdProvider> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new OpenIdProvider(server, await newKey());
  }

  /** @param client at least `redirect_uris`. */
  serve(client: Partial<ClientMetadata>): void {
    this.#client = client;
    this.#build();
  }

  /** Knows these ways back, too. */
  allow(uris: readonly string[]): void {
    this.serve({ ...this.#client, redirect_uris: [...(this.#client.redirect_uris ?? []), ...uris] });
  }

  get issuer(): string {
    return this.#origin;
  }

  /** From now on another key signs, and the old one is not known any more. */
  async rotateKeys(): Promise<void> {
    this.#key = await newKey();
    this.#build();
  }

  /** A token with the signature of the provider, whatever stands in it. */
  async sign(
    claims: JWTPayload,
    header: { readonly typ?: string } = {},
    key: CryptoKey = this.#key.privateKey,
  ): Promise<string> {
    return new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: this.#key.kid, ...header }).sign(key);
  }

  /** The next code is exchanged for an ID token of the test. @param key default: that of the provider. */
  forge(claims: (nonce: string | undefined) => JWTPayload, key?: CryptoKey): void {
    this.answers.set('/token', async () => {
      const token = await this.sign(claims(this.lastQuery.get('nonce') ?? undefined), {}, key);
      return { body: { access_token: 'an access token', token_type: 'Bearer', id_token: token } };
    });
  }

  /** What a good ID token says. */
  claims(more: JWTPayload = {}): JWTPayload {
    const now = Math.floor(Date.now() / 1000);
    return { iss: this.issuer, aud: CLIENT_ID, sub: 'joe', iat: now, exp: now + 600, ...more };
  }

  async close(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  #build(): void {
    const provider = new Provider(
      this.issuer,
      configurationOf(this.#key.jwk, this.#client, () => this.user),
    );
    const callback = provider.callback();
    this.#handle = (req, res) => {
      if (req.url?.startsWith('/interaction/') === true) void this.#interact(provider, req, res);
      else void callback(req, res);
    };
  }

  async #answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(req.url ?? '', this.issuer);
    this.requests.push(`${req.method ?? ''} ${pathname}`);
    if (pathname === '/auth') this.lastQuery = searchParams;
    const replaced = this.answers.get(pathname);
    if (this.holdsBack) holdBack(res);
    if (replaced === undefined) return this.#handle(req, res);
    let body = '';
    for await (const chunk of req) body += String(chunk);
    const answer = await replaced(new URLSearchParams(body));
    if (answer === 'hang') return;
    if (answer === 'cut') return void req.socket.destroy();
    const { status = 200, headers = {}, body: value } = answer;
    res.writeHead(status, { 'Content-Type': 'application/json', ...headers });
    res.end(typeof value === 'string' ? value : JSON.stringify(value));
  }

  async #interact(provider: Provider, req: IncomingMessage, res: ServerResponse): Promise<void> {
    const { user } = this;
    const { prompt, params, session, grantId } = await provider.interactionDetails(req, res);
    if (this.cancels) {
      const error = { error: 'access_denied', error_description: '<b>no</b>' };
      return provider.interactionFinished(req, res, error);
    }
    if (prompt.name === 'login') return provider.interactionFinished(req, res, { login: { accountId: user.sub } });
    const accountId = session?.accountId ?? user.sub;
    const known = grantId === undefined ? undefined : await provider.Grant.find(grantId);
    const grant = known ?? new provider.Grant({ accountId, clientId: String(params['client_id']) });
    grant.addOIDCScope('openid email profile');
    await provider.interactionFinished(
      req,
      res,
      { consent: { grantId: await grant.save() } },
      { mergeWithLastSubmission: true },
    );
  }
}

function configurationOf(key: JWK, client: Partial<ClientMetadata>, user: () => OpenIdProvider['user']): Configuration {
  return {
    clients: [
      {
        client_id: CLIENT_ID,
        client_secret: CLIENT_SECRET,
        grant_types: ['authorization_code'],
        response_types: ['code'],
        ...client,
      },
    ],
    jwks: { keys: [key] },
    cookies: { keys: ['a key for cookies of the provider'] },
    pkce: { required: () => true },
    claims: { openid: ['sub', 'sid'], email: ['email', 'email_verified'], profile: ['name'] },
    conformIdTokenClaims: false,
    interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
    features: {
      devInteractions: { enabled: false },
      backchannelLogout: { enabled: true },
      rpInitiatedLogout: {
        enabled: true,
        // Its own pages load a font of another site.
        logoutSource: (ctx, form) => {
          ctx.body = `<!doctype html>${form}<button form="op.logoutForm" name="logout" value="yes">Log out</button>`;
        },
        postLogoutSuccessSource: (ctx) => {
          ctx.body = '<!doctype html><title>logged out</title>';
        },
      },
    },
    findAccount: (_ctx, sub) => {
      return { accountId: sub, claims: () => ({ ...user(), sub }) };
    },
    renderError: (ctx, { error }) => {
      ctx.body = error;
    },
    // Its own way out refuses loopback addresses.
    fetch: (url, options) => fetch(url, withoutDispatcher(options)),
    ttl: { Session: 3600, Grant: 3600, Interaction: 3600, IdToken: 3600, AccessToken: 3600 },
  };
}

function withoutDispatcher(options: object | undefined): RequestInit {
  return Object.fromEntries(Object.entries(options ?? {}).filter(([name]) => name !== 'dispatcher'));
}

function holdBack(res: ServerResponse): void {
  const end = res.end.bind(res);
  res.end = ((...args: Parameters<typeof end>) => {
    const target = res.getHeader('Location');
    if (typeof target !== 'string' || !target.includes('/callback?')) return end(...args);
    for (const name of ['Location', 'Content-Length']) res.removeHeader(name);
    res.statusCode = 200;
    return end(`<!doctype html><title>held back</title><a href="${target.replaceAll('&', '&amp;')}">on</a>`);
  }) as typeof res.end;
}
