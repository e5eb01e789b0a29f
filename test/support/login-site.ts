/**
 * The providers of a login on a real HTTP server, with cookies in memory and nothing else of a node: for what needs a clock of the test,
 * or a look inside. It is at `127.0.0.1`.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { AuditLog } from '../../src/audit/audit-log.js';
import { FilePlace } from '../../src/audit/file-place.js';
import { ManagedCookies } from '../../src/cookie/management.js';
import { CookieStores } from '../../src/cookie/stores.js';
import type { CookieAuth, CookieRecord } from '../../src/cookie/store.js';
import type { CookieTracker } from '../../src/cookie/tracker.js';
import { sendStatus } from '../../src/http/answer.js';
import type { WebService } from '../../src/http/service.js';
import { withAudit } from '../../src/log/audit.js';
import { silentLogger } from '../../src/log/logger.js';
import { CookieSection } from '../../src/webservice/cookies.js';
import { LoginDesk } from '../../src/webservice/login/desk.js';
import { LoginReports } from '../../src/webservice/login/report.js';
import type { Providers } from '../../src/webservice/login/providers-type.js';
import { createProviders } from '../../src/webservice/login/providers/providers.js';
import type {
  OAuth2ProviderConfig,
  OidcProviderConfig,
  ProvidersConfig,
} from '../../src/webservice/login/providers/schema.js';
import { auditEntries } from './audit-file.js';
import type { AuditEntry } from './audit-file.js';
import { temporaryDirectory } from './daemon.js';
import { startHttp } from './http-server.js';
import { cookieConfig } from './web.js';
import { CLIENT_ID, CLIENT_SECRET } from './openid-provider.js';

type Parts<C> = Partial<Omit<C, 'type'>>;

export function oidcConfig(issuer: string, parts: Parts<OidcProviderConfig> = {}): OidcProviderConfig {
  return {
    type: 'oidc',
    issuer,
    client_id: CLIENT_ID,
    client_secret: CLIENT_SECRET,
    client_authentication: 'client_secret_basic',
    timeout: 5000,
    authid: 'sub',
    role: 'member',
    extra: {},
    require: {},
    scope: ['openid'],
    userinfo: false,
    leeway: 30,
    end_session: false,
    backchannel_logout: true,
    ...parts,
  };
}

export function oauth2Config(origin: string, parts: Parts<OAuth2ProviderConfig> = {}): OAuth2ProviderConfig {
  return {
    type: 'oauth2',
    authorization_endpoint: `${origin}/login/oauth/authorize`,
    token_endpoint: `${origin}/login/oauth/access_token`,
    userinfo: `${origin}/user`,
    client_id: CLIENT_ID,
    client_secret: CLIENT_SECRET,
    client_authentication: 'client_secret_basic',
    timeout: 5000,
    authid: 'id',
    role: 'member',
    extra: {},
    require: {},
    scope: [],
    ...parts,
  };
}

export interface LoginSiteOptions {
  /** Called with the origin of the site. */
  readonly providers: (origin: string) => ProvidersConfig;
  /** Milliseconds since 1970. */
  readonly clock?: () => number;
  readonly secrets?: readonly string[];
  readonly returnTo?: string;
}

/** One site. */
export class LoginSite {
  readonly origin: string;
  readonly tracker: CookieTracker;
  readonly providers: Providers;
  readonly #stop: () => Promise<void>;
  readonly #auditFile: string;
  #auditSeen = 0;

  private constructor(
    origin: string,
    tracker: CookieTracker,
    providers: Providers,
    auditFile: string,
    stop: () => Promise<void>,
  ) {
    this.origin = origin;
    this.tracker = tracker;
    this.providers = providers;
    this.#auditFile = auditFile;
    this.#stop = stop;
  }

  static async start({ providers, clock = Date.now, secrets, returnTo = '/' }: LoginSiteOptions): Promise<LoginSite> {
    const log = silentLogger();
    const stores = new CookieStores({ clock, log });
    const cookie = cookieConfig(secrets && { secrets });
    const section = new CookieSection(cookie, { stores, managedCookies: new ManagedCookies(), clock, log });
    const tracker = await section.tracker();
    const desk = new LoginDesk({ tracker, clock, admits: () => true });
    const auditFile = path.join(temporaryDirectory(), 'audit.log');
    const audit = new AuditLog({ required: false }, new FilePlace(auditFile), log);
    const reports = new LoginReports({ log: withAudit(log, audit), presented: (asked) => desk.present(asked) });
    const held: { providers?: Providers } = {};
    const service: WebService = {
      methods: 'any',
      async handle(request, res) {
        const { rest } = request;
        const inner = { ...request, mount: '/login', rest: rest.replace(/^\/login/, '') };
        const isAnswered = rest.startsWith('/login/') && (await held.providers?.handle(inner, res)) === true;
        if (!isAnswered) sendStatus(res, 404);
      },
    };
    const { port, server } = await startHttp(service);
    const origin = `http://127.0.0.1:${port}`;
    const deps = { desk, reports, log, clock, cookie, publicUrl: origin, realm: 'realm1', returnTo };
    const made = await createProviders(providers(origin), deps);
    held.providers = made;
    const stop = async (): Promise<void> => {
      await server.stop();
      made.stop();
      await audit.close();
      await stores.closeAll();
    };
    return new LoginSite(origin, tracker, made, auditFile, stop);
  }

  /** The URL of a provider's step. */
  url(step: string): string {
    return `${this.origin}/login/${step}`;
  }

  /** Who a browser with this `Cookie` header is. */
  async whoIs(cookie: string): Promise<CookieAuth | undefined> {
    const { record } = (await this.tracker.presented({ headers: { cookie } } as never)) ?? {};
    return record?.auth ?? undefined;
  }

  /** The entries of the audit log since they were asked for last. */
  audited(): readonly AuditEntry[] {
    const text = readFileSync(this.#auditFile, 'utf8');
    const entries = auditEntries(text).slice(this.#auditSeen);
    this.#auditSeen += entries.length;
    return entries;
  }

  async logins(): Promise<readonly CookieRecord[]> {
    return this.tracker.logins();
  }

  async stop(): Promise<void> {
    await this.#stop();
  }
}
