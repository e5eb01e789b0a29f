/**
 * `healthz`, `readyz`, and `health` with both of them below its path: what supervisors and load balancers ask.
 *
 *     healthz  200 `ok`, always: a node that cannot answer does not answer. It looks at nothing: with a check of a store in it, a full
 *              disk would have the node started again for ever
 *     readyz   200 `ready` or 503 `not ready`. What each check has found is told to this machine, and to those who know the token
 *
 * They hand out no cookie, and no cache keeps an answer. They are there before the node has started: the first transport that listens
 * answers while the others are on the way.
 */
import { SecretText } from '../../auth/constant-time.js';
import { sendAnswer, sendStatus } from '../../http/answer.js';
import { READ_ONLY } from '../../http/methods.js';
import { isMountItself } from '../../http/target.js';
import { shownAddress } from '../../transport/peer.js';
import type { WebResponse } from '../../http/response.js';
import type { WebRequest, WebService } from '../../http/service.js';
import type { Readiness } from '../../transport/transport-type.js';
import type { WebServiceDeps, WebServiceType } from '../service.js';
import type { HealthConfig, HealthzConfig, ReadyzConfig } from './schema.js';

const NOT_KEPT = { 'Cache-Control': 'no-store' };

/** Of something that is no node, or does not tell. */
const READY: Readiness = { isReady: true, checks: {} };

class HealthzService implements WebService {
  readonly methods = READ_ONLY;

  handle({ rest }: WebRequest, res: WebResponse): void {
    if (isMountItself(rest))
      sendAnswer(res, { status: 200, type: 'text/plain; charset=utf-8', body: 'ok\n', headers: NOT_KEPT });
    else sendStatus(res, 404, 'There is nothing here.');
  }
}

class ReadyzService implements WebService {
  readonly methods = READ_ONLY;
  readonly #readiness: () => Readiness;
  readonly #token: SecretText | undefined;

  constructor({ token }: Pick<ReadyzConfig, 'token'>, { nodeInfo }: WebServiceDeps) {
    this.#readiness = nodeInfo.readiness ?? (() => READY);
    // `config/` has read secrets from where they are.
    this.#token = typeof token === 'string' ? new SecretText(token) : undefined;
  }

  handle(request: WebRequest, res: WebResponse): void {
    if (!isMountItself(request.rest)) {
      sendStatus(res, 404, 'There is nothing here.');
      return;
    }
    const { isReady, checks } = this.#readiness();
    const word = isReady ? 'ready' : 'not ready';
    const isTold = isOfThisMachine(request) || this.#hasToken(request);
    const told = isTold
      ? { type: 'application/json; charset=utf-8', body: `${JSON.stringify({ status: word, checks })}\n` }
      : { type: 'text/plain; charset=utf-8', body: `${word}\n` };
    const headers = { ...NOT_KEPT, Vary: 'Authorization' };
    sendAnswer(res, { status: isReady ? 200 : 503, ...told, headers });
  }

  #hasToken({ req }: WebRequest): boolean {
    const [, token] = /^bearer +([^ ]+) *$/i.exec(req.headers.authorization ?? '') ?? [];
    return token !== undefined && this.#token?.equals(token) === true;
  }
}

class HealthService implements WebService {
  readonly methods = READ_ONLY;
  readonly #services: ReadonlyMap<string, WebService>;

  constructor(config: HealthConfig, deps: WebServiceDeps) {
    this.#services = new Map<string, WebService>([
      ['/healthz', new HealthzService()],
      ['/readyz', new ReadyzService(config, deps)],
    ]);
  }

  handle(request: WebRequest, res: WebResponse): void | Promise<void> {
    const service = this.#services.get(request.rest.replace(/\/$/, ''));
    if (service !== undefined) return service.handle({ ...request, rest: '' }, res);
    sendStatus(res, 404, 'There is nothing here.');
  }
}

/**
 * Whether a request comes from this machine, and from nobody behind it: a proxy beside the node, which the config does not trust, says
 * by its headers that there is somebody.
 */
function isOfThisMachine({ req: { headers, socket }, client }: WebRequest): boolean {
  if (client.via !== undefined) return false;
  if (FORWARDING.some((name) => headers[name] !== undefined)) return false;
  const { remoteAddress } = client;
  // A socket of the file system has none, and neither has a connection that is gone.
  if (remoteAddress === undefined) return !socket.destroyed;
  const address = shownAddress(remoteAddress);
  return address === '::1' || address.startsWith('127.');
}

const FORWARDING = ['x-forwarded-for', 'forwarded', 'x-real-ip', 'via'];

/** No options: whether the node answers. */
export const healthzServiceType: WebServiceType<HealthzConfig> = {
  type: 'healthz',
  tracksItself: true,
  create: () => new HealthzService(),
};

/** Option: `token`, for those who may know why. */
export const readyzServiceType: WebServiceType<ReadyzConfig> = {
  type: 'readyz',
  tracksItself: true,
  create: (config, deps) => new ReadyzService(config, deps),
};

/** Option: `token`, as of `readyz`. */
export const healthServiceType: WebServiceType<HealthConfig> = {
  type: 'health',
  tracksItself: true,
  create: (config, deps) => new HealthService(config, deps),
};
