/**
 * `metrics`: what the node counts, as text for Prometheus.
 *
 *     request: address 403 -> token 401 -> the text, no older than a second
 *
 * Nothing here is for strangers: without `require_ip` and `token` only clients on this machine get an answer. A proxy on this machine may
 * bring strangers, so its requests do not count as such, unless the config trusts its word for where the client is.
 */
import { isIP } from 'node:net';
import { gzip } from 'node:zlib';
import { SecretText } from '../../auth/constant-time.js';
import { sendAnswer, sendStatus } from '../../http/answer.js';
import { READ_ONLY } from '../../http/methods.js';
import { qualityOf } from '../../http/quality.js';
import { isMountItself } from '../../http/target.js';
import { MEDIA_TYPES } from '../../metrics/text.js';
import { RefusalLog } from '../../transport/refusal.js';
import { Networks } from '../../transport/proxies/networks.js';
import { parseNetwork } from '../bridge/networks.js';
import type { WebResponse } from '../../http/response.js';
import type { WebRequest, WebService } from '../../http/service.js';
import type { TextFormat } from '../../metrics/text.js';
import type { Refusal } from '../../transport/refusal.js';
import type { WebServiceDeps, WebServiceType } from '../service.js';
import type { MetricsConfig } from './schema.js';

const FOREIGN: Refusal = {
  status: 403,
  text: 'clients of this address may not see the metrics',
  kind: 'address of a client for metrics',
  remedy: 'add its network to the "require_ip" of this service, or give it a "token"',
};

const BY_PROXY: Refusal = {
  status: 403,
  text: 'clients behind a proxy may not see the metrics',
  kind: 'metrics by a proxy',
  remedy: 'add the proxy to "trusted_proxies", or give the service a "token"',
};

const NO_TOKEN: Refusal = {
  status: 401,
  text: 'the metrics need the token of the config',
  headers: { 'WWW-Authenticate': 'Bearer' },
  kind: 'token for metrics',
  remedy: 'let the client send the "token" of this service as "Authorization: Bearer ..."',
};

/** Headers by which proxies say that they are there. */
const OF_PROXIES = ['forwarded', 'x-forwarded-for', 'x-real-ip', 'via'];

class MetricsService implements WebService {
  readonly methods = READ_ONLY;
  readonly #config: MetricsConfig;
  readonly #deps: WebServiceDeps;
  readonly #networks: Networks | undefined;
  readonly #token: SecretText | undefined;
  readonly #refusals: RefusalLog;
  /** text -> the same, compressed */
  readonly #compressed = new WeakMap<Buffer, Promise<Buffer>>();
  #endWish: (() => void) | undefined;

  constructor(config: MetricsConfig, deps: WebServiceDeps) {
    const { require_ip, token } = config;
    this.#config = config;
    this.#deps = deps;
    this.#networks = require_ip && new Networks(require_ip.flatMap((text) => parseNetwork(text) ?? []));
    this.#token = typeof token === 'string' ? new SecretText(token) : undefined;
    this.#refusals = new RefusalLog(deps.log);
  }

  start(): Promise<void> {
    const { call_durations: callDurations, uris } = this.#config;
    this.#endWish ??= this.#deps.metrics.wish({ callDurations, uris });
    return Promise.resolve();
  }

  stop(): Promise<void> {
    this.#endWish?.();
    this.#endWish = undefined;
    this.#refusals.end();
    return Promise.resolve();
  }

  async handle(request: WebRequest, res: WebResponse): Promise<void> {
    const { req, rest } = request;
    const refusal = this.#refusalOf(request);
    if (refusal !== undefined) {
      this.#refusals.request(req, refusal);
      return sendStatus(res, refusal.status, refusal.text, refusal.headers);
    }
    if (!isMountItself(rest)) return sendStatus(res, 404, 'There is nothing here.');
    const format = formatOf(req.headers.accept);
    const text = await this.#deps.metrics.text(format);
    const isCompressed = (qualityOf(req.headers['accept-encoding'], 'gzip') ?? 0) > 0;
    const body = isCompressed ? await this.#compress(text) : text;
    if (res.closed || res.destroyed) return;
    const headers = { 'Cache-Control': 'no-store', Vary: 'Accept, Accept-Encoding' };
    const encoding = isCompressed ? { 'Content-Encoding': 'gzip' } : {};
    sendAnswer(res, { status: 200, type: MEDIA_TYPES[format], body, headers: { ...headers, ...encoding } });
  }

  #refusalOf({ req, client }: WebRequest): Refusal | undefined {
    if (this.#networks !== undefined && !this.#networks.has(client.remoteAddress)) return FOREIGN;
    if (this.#token !== undefined) {
      return this.#token.equals(bearerOf(req.headers.authorization)) ? undefined : NO_TOKEN;
    }
    if (this.#networks !== undefined) return undefined;
    if (!isHere(client.remoteAddress)) return FOREIGN;
    const isByStranger = client.via === undefined && OF_PROXIES.some((name) => req.headers[name] !== undefined);
    return isByStranger ? BY_PROXY : undefined;
  }

  #compress(text: Buffer): Promise<Buffer> {
    let compressed = this.#compressed.get(text);
    if (compressed === undefined) this.#compressed.set(text, (compressed = compress(text)));
    return compressed;
  }
}

/** The keys: `require_ip`, `token`, `uris` and `call_durations`. It has nothing to do with cookies: no browser comes here. */
export const metricsServiceType: WebServiceType<MetricsConfig> = {
  type: 'metrics',
  tracksItself: true,
  create: (config, deps) => new MetricsService(config, deps),
};

function compress(text: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    gzip(text, (error, compressed) => (error === null ? resolve(compressed) : reject(error)));
  });
}

/** Whoever names OpenMetrics gets it, unless it wants the other more. */
function formatOf(accept: string | undefined): TextFormat {
  const wanted = qualityOf(accept, 'application/openmetrics-text') ?? 0;
  return wanted > 0 && wanted >= (qualityOf(accept, 'text/plain') ?? 0) ? 'openmetrics' : 'prometheus';
}

/** @returns the token of a header; empty when there is none. */
function bearerOf(authorization: string | undefined): string {
  return /^bearer (.*)$/i.exec(authorization ?? '')?.[1]?.trim() ?? '';
}

/** @param address undefined on a socket of the file system, whose clients are on this machine. @returns whether a client is on this machine */
function isHere(address: string | undefined): boolean {
  if (address === undefined) return true;
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '');
  return isIP(plain) === 4 ? plain.startsWith('127.') : plain === '::1';
}
