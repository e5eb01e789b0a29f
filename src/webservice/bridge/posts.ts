/**
 * What is posted to a service of the bridge. Each request goes through the same checks, in the order of Crossbar.io, and what comes out
 * of them may be acted upon:
 *
 *     page of another origin: 403 -> Content-Type, charset: 400 -> body: 413, 408, 415, 503 (`http/bodies.ts`)
 *       -> signature of GitHub: 400 -> timestamp, seq, nonce: 400 -> signed in full: 400, rightly: 401, for the first time: 401
 *       -> address, TLS: 403
 *
 * The origin comes first, because a page can post without asking before. What the body says is for the service.
 */
import { sendAnswer } from '../../http/answer.js';
import { BodyReader } from '../../http/bodies.js';
import { CrossOrigin } from '../../http/cross-origin.js';
import type { OriginOptions } from '../../http/cross-origin.js';
import type { WebResponse } from '../../http/response.js';
import type { WebRequest } from '../../http/service.js';
import type { Logger } from '../../log/logger.js';
import { RefusalLog } from '../../transport/refusal.js';
import type { Refusal } from '../../transport/refusal.js';
import { refusalAnswer } from './answers.js';
import { byTls, numbered, signedByGithub, signedInFull, signedOnce, timely, within } from './checks.js';
import type { Check } from './checks.js';
import { faultOfType } from './content-type.js';
import { Networks } from '../../transport/proxies/networks.js';
import { parseNetwork } from './networks.js';
import { requestQuery } from './query.js';
import { ReplayTable } from './replays.js';
import { MAX_BODY_BYTES } from './schema.js';
import { RequestSignature } from './signature.js';

/** The methods by which something is posted: PUT means what POST does. */
export const POST_METHODS: readonly string[] = ['POST', 'PUT'];

/** Within how many milliseconds a body has to be there. */
const BODY_MS = 20_000;

/** In seconds, where the config has no such key. */
const TIMESTAMP_LIMIT = 300;

/** The keys of a config that decide about requests. */
export interface PostOptions extends OriginOptions {
  readonly post_body_limit: number;
  readonly key?: string;
  readonly secret?: string;
  readonly timestamp_delta_limit?: number;
  readonly require_tls?: boolean;
  readonly require_ip?: readonly string[];
  readonly github_secret?: string;
}

export interface PostDeps {
  readonly log: Logger;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
}

/** Reads what is posted to one service. */
export class BridgePosts {
  readonly #origins: CrossOrigin;
  readonly #bodies: BodyReader;
  readonly #checks: readonly Check[];
  readonly #mustBeJson: boolean;
  readonly #refusals: RefusalLog;

  /** @param mustBeJson whether a body of another type is refused. */
  constructor(options: PostOptions, mustBeJson: boolean, { log, clock }: PostDeps) {
    const maxBytes = options.post_body_limit === 0 ? MAX_BODY_BYTES : options.post_body_limit;
    this.#origins = new CrossOrigin(options, POST_METHODS);
    this.#bodies = new BodyReader({ maxBytes, timeoutMs: BODY_MS, mayBeEmpty: true, answer: refusalAnswer }, { log });
    this.#checks = checksOf(options, clock);
    this.#mustBeJson = mustBeJson;
    this.#refusals = new RefusalLog(log);
  }

  /** @returns undefined when the request was refused, and has its answer, or the client has left. */
  async read(request: WebRequest, res: WebResponse): Promise<Buffer | undefined> {
    const refusal = this.#origins.admit(request.req, res) ?? this.#refusalOfType(request);
    if (refusal !== undefined) return this.refuse(request, res, refusal);
    const body = await this.#bodies.read(request, res);
    if (body === undefined || res.closed) return undefined;
    const asked = { request, body, query: requestQuery(request.query) };
    for (const check of this.#checks) {
      const reason = await check(asked);
      // While a large body was looked at, the client may have left.
      if (hasLeft(res)) return undefined;
      if (reason !== undefined) return this.refuse(request, res, reason);
    }
    return body;
  }

  /** Answers a request that is not carried out, and says so in the log. */
  refuse({ req }: WebRequest, res: WebResponse, refusal: Refusal): undefined {
    this.#refusals.request(req, refusal);
    if (!res.closed) sendAnswer(res, refusalAnswer(refusal));
  }

  /** Answers OPTIONS. */
  preflight({ req }: WebRequest, res: WebResponse): void {
    const refusal = this.#origins.preflight(req, res, 200);
    if (refusal !== undefined) this.#refusals.request(req, refusal);
  }

  /** Nothing more will be posted: tells what was left out of the log. */
  end(): void {
    this.#bodies.end();
    this.#refusals.end();
  }

  #refusalOfType({ req }: WebRequest): Refusal | undefined {
    const type = req.headers['content-type'];
    const fault = faultOfType(type, this.#mustBeJson);
    if (fault === undefined) return undefined;
    return { status: 400, text: fault, kind: 'type of a request', facts: { type: type ?? '(none)' } };
  }
}

/** A function, because a client leaves while something else is awaited. */
function hasLeft(res: WebResponse): boolean {
  return res.closed;
}

/** @returns what a config demands, in order. */
function checksOf(options: PostOptions, clock: () => number): readonly Check[] {
  const { github_secret, key, secret, require_ip = [], require_tls = false } = options;
  const limitMs = (options.timestamp_delta_limit ?? TIMESTAMP_LIMIT) * 1000;
  const checks: Check[] = [];
  if (github_secret !== undefined) checks.push(signedByGithub(github_secret));
  checks.push(timely(limitMs, clock), numbered);
  if (key !== undefined && secret !== undefined) {
    const isAnyTime = limitMs === 0;
    const keptMs = isAnyTime ? TIMESTAMP_LIMIT * 1000 : limitMs;
    const signature = new RequestSignature(key, secret);
    checks.push(signedInFull, signedOnce({ signature, replays: new ReplayTable(keptMs), clock, keptMs, isAnyTime }));
  }
  if (require_ip.length > 0) checks.push(within(new Networks(require_ip.flatMap((text) => parseNetwork(text) ?? []))));
  if (require_tls) checks.push(byTls);
  return checks;
}
