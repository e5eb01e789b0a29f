/**
 * What a request to the bridge has to pass once its body is there. Each check is a function that says no or nothing; which of them a
 * service has, and in which order, stands in `posts.ts`.
 */
import type { WebRequest } from '../../http/service.js';
import { isSecure } from '../../transport/peer.js';
import type { Refusal } from '../../transport/refusal.js';
import type { Networks } from '../../transport/proxies/networks.js';
import { isInteger, timestampMs } from './query.js';
import type { RequestQuery } from './query.js';
import type { ReplayTable } from './replays.js';
import { isFromGithub } from './signature.js';
import type { RequestSignature, SignedQuery } from './signature.js';

/** What is judged. */
export interface Asked {
  readonly request: WebRequest;
  readonly query: RequestQuery;
  readonly body: Buffer;
}

/** @returns undefined for a request that passes; later where a large body has to be looked at. */
export type Check = (asked: Asked) => Refusal | undefined | Promise<Refusal | undefined>;

/** Milliseconds since 1970. */
type Clock = () => number;

/** GitHub has signed the body. */
export function signedByGithub(secret: string): Check {
  return async ({ request: { req }, body }) =>
    (await isFromGithub({ headers: req.headers, body, secret })) ? undefined : NOT_FROM_GITHUB;
}

const NOT_FROM_GITHUB: Refusal = {
  status: 400,
  text: 'the signature of GitHub is missing, or does not fit',
  kind: 'signature of GitHub',
  remedy: 'the "github_secret" of this service must be the secret of the webhook at GitHub',
};

/** The time of a request is right, where it has one, whether it is signed or not. @param limitMs 0 for any time. */
export function timely(limitMs: number, clock: Clock): Check {
  return ({ query: { timestamp } }) => {
    if (timestamp === undefined) return undefined;
    const ms = timestampMs(timestamp);
    if (ms === undefined) return NO_TIME;
    return limitMs === 0 || Math.abs(clock() - ms) <= limitMs ? undefined : untimely(timestamp);
  };
}

const NO_TIME: Refusal = {
  status: 400,
  text: 'the "timestamp" is no time such as 2026-01-02T03:04:05.678Z',
  kind: 'timestamp of a request',
};

function untimely(timestamp: string): Refusal {
  return {
    status: 400,
    text: 'the "timestamp" is too far from the time of this node',
    kind: 'time of a request',
    remedy: 'look at the clocks of the client and of this node',
    facts: { timestamp },
  };
}

/** What counts requests are integers, where they are there. */
export const numbered: Check = ({ query }) => {
  for (const name of ['seq', 'nonce'] as const) {
    const text = query[name];
    if (text !== undefined && !isInteger(text)) {
      return { status: 400, text: `the "${name}" is no integer`, kind: 'number of a request' };
    }
  }
  return undefined;
};

/** How signed requests are judged. */
export interface Signing {
  readonly signature: RequestSignature;
  readonly replays: ReplayTable;
  readonly clock: Clock;
  /** Milliseconds for which a request is right after its time; where any time is, for which it is kept in mind. */
  readonly keptMs: number;
  readonly isAnyTime: boolean;
}

/** All of the signature is there. */
export const signedInFull: Check = ({ query }) => {
  const missing = Object.entries(query).find(([, value]) => value === undefined)?.[0];
  if (missing === undefined) return undefined;
  return {
    status: 400,
    text: `the request must be signed, and has no "${missing}"`,
    kind: 'request without signature',
    remedy: 'give the client the "key" and the "secret" of this service',
  };
};

/** The signature fits, and comes for the first time. Behind the checks of its parts. */
export function signedOnce({ signature, replays, clock, keptMs, isAnyTime }: Signing): Check {
  return async ({ query, body }) => {
    const signed = query as SignedQuery;
    const digest = await signature.verify(signed, body);
    if (digest === undefined) return WRONG_SIGNATURE;
    const nowMs = clock();
    const fromMs = isAnyTime ? nowMs : (timestampMs(signed.timestamp) ?? nowMs);
    const seen = replays.see(digest, fromMs + keptMs, nowMs);
    if (seen === 'new') return undefined;
    return seen === 'again' ? REPLAYED : TOO_MANY;
  };
}

const WRONG_SIGNATURE: Refusal = {
  status: 401,
  text: 'the key is unknown, or the signature does not fit',
  kind: 'signature of a request',
  remedy: 'the client needs the "key" and the "secret" of this service',
};

const REPLAYED: Refusal = {
  status: 401,
  text: 'the request has been served before',
  kind: 'replayed request',
  remedy: 'a client signs each request anew, also when it tries again; otherwise somebody has overheard it',
};

const TOO_MANY: Refusal = {
  status: 503,
  text: 'too many signed requests within a short time',
  kind: 'too many signed requests',
  headers: { 'Retry-After': '60' },
  remedy: 'a shorter "timestamp_delta_limit", or more services',
};

/** The client is in one of the networks. */
export function within(networks: Networks): Check {
  return ({ request: { client } }) => (networks.has(client.remoteAddress) ? undefined : FOREIGN);
}

const FOREIGN: Refusal = {
  status: 403,
  text: 'clients of this address may not ask this service',
  kind: 'address of a client',
  remedy: 'add its network to the "require_ip" of this service',
};

/** The client has come by TLS, as far as a trusted proxy. */
export const byTls: Check = ({ request: { req } }) => (isSecure(req) ? undefined : NO_TLS);

const NO_TLS: Refusal = {
  status: 403,
  text: 'this service must be asked by TLS',
  kind: 'request without TLS',
  remedy: 'let the client use an "https" URL of this node',
};
