/**
 * The providers of a service `login`: which of them a request is for, and whether the logins that they made still count. The packages
 * behind them are loaded only where the config has some.
 *
 *     GET  <login>/<provider>/start, /callback -> flow.ts
 *     POST <login>/<provider>/backchannel      -> backchannel.ts
 */
import { sendStatus } from '../../../http/answer.js';
import { firstSegment } from '../../../http/target.js';
import { RepeatedLog } from '../../../log/repeated.js';
import { boundedFetch } from './bounded-fetch.js';
import { PROVIDER_HEADERS } from './error-page.js';
import { loadPackages } from './packages.js';
import { faultOfLogin } from './settings.js';
import { TransactionCookies } from './transaction-cookies.js';
import { TransactionSeal } from './transaction.js';
import type { CookieAuth, LoginFault } from '../../../cookie/store.js';
import type { WebResponse } from '../../../http/response.js';
import type { WebRequest } from '../../../http/service.js';
import type { Providers, ProvidersDeps } from '../providers-type.js';
import type { LoginProvider } from './login-provider.js';
import type { ProvidersConfig } from './schema.js';

/** @throws OptionalPackageError (rejects) when a package is missing. */
export async function createProviders(config: ProvidersConfig, deps: ProvidersDeps): Promise<Providers> {
  await loadPackages();
  const { LoginProvider } = await import('./login-provider.js');
  const repeated = new RepeatedLog(deps.log);
  const cookies = new TransactionCookies({ seal: new TransactionSeal(deps.cookie.secrets), clock: deps.clock });
  const shared = { ...deps, repeated, cookies, fetch: boundedFetch() };
  const providers = Object.entries(config).map(
    ([name, each]) => [name, new LoginProvider(name, each, shared)] as const,
  );
  return new LoginProviders(new Map(providers), repeated, deps.publicUrl);
}

class LoginProviders implements Providers {
  // name -> provider
  readonly #providers: ReadonlyMap<string, LoginProvider>;
  readonly #repeated: RepeatedLog;
  readonly #publicUrl: string;

  constructor(providers: ReadonlyMap<string, LoginProvider>, repeated: RepeatedLog, publicUrl: string) {
    this.#providers = providers;
    this.#repeated = repeated;
    this.#publicUrl = publicUrl;
  }

  async handle(request: WebRequest, res: WebResponse): Promise<boolean> {
    const { segment, rest } = firstSegment(request.rest);
    const provider = this.#providers.get(segment);
    if (provider === undefined) return false;
    const { flow, backchannel } = provider;
    if (rest === '/start') await withMethod('GET', request, res, () => flow.start(request, res));
    else if (rest === '/callback') await withMethod('GET', request, res, () => flow.callback(request, res));
    else if (rest === '/backchannel' && backchannel !== undefined) {
      await withMethod('POST', request, res, () => backchannel.handle(request, res));
    } else return false;
    return true;
  }

  faultOf(login: CookieAuth): LoginFault | undefined {
    const provider = this.#providers.get(login.source?.provider ?? '');
    if (provider === undefined) return 'no such method';
    const isOfIssuer = login.source?.issuer === provider.identity.issuer;
    return isOfIssuer ? faultOfLogin(login, provider.settings) : 'another credential';
  }

  async logoutUrl(login: CookieAuth): Promise<string | undefined> {
    const provider = this.#providers.get(login.source?.provider ?? '');
    try {
      return (await provider?.identity.signOutUrl?.(`${this.#publicUrl}/`))?.href;
    } catch {
      // The provider is away. Here the user is logged out all the same.
      return undefined;
    }
  }

  stop(): void {
    for (const { backchannel } of this.#providers.values()) backchannel?.stop();
    this.#repeated.end();
  }
}

/** HEAD counts as another method: it would spend the code of a login. */
async function withMethod(
  method: string,
  { req }: WebRequest,
  res: WebResponse,
  answer: () => Promise<void>,
): Promise<void> {
  if (req.method === method) return answer();
  sendStatus(res, 405, undefined, { ...PROVIDER_HEADERS, Allow: method });
}
