/**
 * Authenticators: code of the operator that is asked who a client is. A procedure (`dynamic`) or a function of a module
 * (`function`); to the methods they are the same. What the answer may say, and what becomes of it, is their business; that
 * there is one, in time, is settled here.
 *
 * An authenticator is asked about strangers, so whatever goes wrong with it lets nobody in, and tells them nothing.
 */
import { CallFault, ErrorUri } from '../../wamp/error.js';
import { sayRepeated } from '../../log/repeated.js';
import { isValidUri } from '../../wamp/uri.js';
import { deny } from '../verdict.js';
import type { Dict, Payload } from '../../wamp/payload.js';
import type { DynamicConfig, FunctionConfig } from './schema.js';
import type { AuthContext, AuthDeps, AuthRequest, ClientCertificate, Deny, Unavailable } from '../method.js';

/**
 * @param realm as the client wants; empty when its HELLO does not say.
 * @param authid as the client wants to be called; undefined when its HELLO does not say.
 * @param details see {@link authenticatorDetails}.
 * @returns whatever the authenticator answered, unchecked.
 * @throws AuthenticatorRefusal (rejects), and nothing else, when there is no answer: it denies, or it failed.
 */
export type Authenticator = (realm: string, authid: string | undefined, details: Dict) => Promise<unknown>;

/** The authenticator let nobody in, or cannot at the moment. Whatever is to be logged has been. */
export class AuthenticatorRefusal extends Error {
  readonly code = 'ERR_AUTHENTICATOR';
  override readonly name = 'AuthenticatorRefusal';
  readonly verdict: Deny | Unavailable;

  constructor(verdict: Deny | Unavailable) {
    super(verdict.message);
    this.verdict = verdict;
  }
}

/** How long a function has; a procedure has as long (`session/internal-caller.ts`). */
export const FUNCTION_DEADLINE_MS = 5000;

/** Questions to one authenticator that may be open: as many as one session may have calls. More are refused. */
export const MAX_PENDING = 10_000;

/** What an authenticator says to a client may be so long. */
const MAX_MESSAGE = 500;

/** Rejects when the function cannot be loaded. */
export async function createAuthenticator(
  config: DynamicConfig | FunctionConfig,
  deps: AuthDeps,
): Promise<Authenticator> {
  const name = config.type === 'dynamic' ? config.authenticator : `${config.module} ${config.name}`;
  const ask = config.type === 'dynamic' ? asking(config, deps) : await calling(config, deps);
  const { log } = deps;
  const say: Say = (facts, message) =>
    sayRepeated(deps, 'warn', { authenticator: name, ...facts }, message, `${message} ${name}`);
  let pending = 0;
  return async (named, authid, details) => {
    const realm = named === '' ? null : named;
    if (pending >= MAX_PENDING) throw passing(say, { realm, fault: `${MAX_PENDING} clients wait for it already` });
    pending++;
    try {
      return await ask(realm, authid ?? null, details);
    } catch (error) {
      if (error instanceof AuthenticatorRefusal) throw error;
      const denial = denialOf(error);
      if (denial === 'not now') throw passing(say, { realm, ...causeOf(error) });
      if (denial === undefined) throw failed(say, { realm, ...causeOf(error) });
      log.debug({ authenticator: name, realm, reason: denial.reason }, 'authenticator denied');
      throw new AuthenticatorRefusal(denial);
    } finally {
      pending--;
    }
  };
}

/** What an authenticator is told of a client: more than anybody else, because it decides by it. */
export function authenticatorDetails(
  { authmethod, authid, authextra }: AuthRequest,
  { sessionId, client, facts }: AuthContext,
  more: Dict = {},
): Dict {
  const { headers, liveCookie, tls } = client;
  return {
    session: sessionId,
    authmethod,
    ...(authid !== undefined && { authid }),
    ...(authextra !== undefined && { authextra }),
    ...more,
    transport: {
      ...facts(),
      ...(headers && { http_headers_received: headers }),
      ...(liveCookie && { http_cbtid: liveCookie.cbtid }),
      ...(tls?.certificate && { peer_cert: certificateFacts(tls.certificate) }),
    },
  };
}

function certificateFacts({ sha1, sha256, commonName }: ClientCertificate): Dict {
  return { sha1, sha256, ...(commonName !== undefined && { cn: commonName }) };
}

/** @param realm null where the client names none. */
type Ask = (realm: string | null, authid: string | null, details: Dict) => unknown;

function asking(config: DynamicConfig, { call }: AuthDeps): Ask {
  const { authenticator, 'authenticator-realm': home, 'authenticator-role': role } = config;
  return async (realm, authid, details) => {
    const where = home ?? realm;
    // Only an authenticator on a realm of its own can say which realm is meant.
    if (where === null) throw new AuthenticatorRefusal(deny(ErrorUri.NO_SUCH_REALM, 'the client names no realm'));
    return valueOf(await call(where, role, authenticator, [realm, authid, details]));
  };
}

function valueOf({ args, kwargs }: Payload): unknown {
  if (args.length !== 1 || (kwargs !== undefined && Object.keys(kwargs).length > 0)) {
    throw new CallFault('the result must be one value');
  }
  return args[0];
}

async function calling({ module, name }: FunctionConfig, { load }: AuthDeps): Promise<Ask> {
  const run = await load(module, name);
  return (realm, authid, details) => {
    let timer: NodeJS.Timeout | undefined;
    const overdue = new Promise<never>((_resolve, reject) => {
      const fault = new CallFault(`no answer within ${FUNCTION_DEADLINE_MS} ms`, { uri: ErrorUri.TIMEOUT });
      timer = setTimeout(() => reject(fault), FUNCTION_DEADLINE_MS);
    });
    // In a promise, because it may throw at once.
    const answer = Promise.resolve().then(async () => asMessage(await run(realm, authid, details)));
    return Promise.race([answer, overdue]).finally(() => clearTimeout(timer));
  };
}

/** What would come out if the answer came in a message: it may end up in one. @throws TypeError for what cannot. */
function asMessage(answer: unknown): unknown {
  return answer === undefined ? undefined : JSON.parse(JSON.stringify(answer));
}

/** ERRORs that the router answers with itself, or that say that the authenticator is broken: not its decision. */
const NOT_A_DECISION: ReadonlySet<string> = new Set([
  ErrorUri.FEATURE_NOT_SUPPORTED,
  ErrorUri.INVALID_ARGUMENT,
  ErrorUri.INVALID_URI,
  ErrorUri.PAYLOAD_SIZE_EXCEEDED,
  ErrorUri.RUNTIME_ERROR,
]);

/** ERRORs that pass: it is not there (any more), has too much to do, or says so itself. */
const PASSING: ReadonlySet<string> = new Set([
  ErrorUri.CANCELED,
  ErrorUri.MAX_CONCURRENCY_REACHED,
  ErrorUri.NO_AVAILABLE_CALLEE,
  ErrorUri.NO_SUCH_PROCEDURE,
  ErrorUri.TIMEOUT,
  ErrorUri.UNAVAILABLE,
]);

/** @returns the refusal that an authenticator meant by what it threw; undefined when it meant nothing, but failed. */
function denialOf(error: unknown): Deny | 'not now' | undefined {
  const { uri, args } = error instanceof CallFault ? answered(error) : thrown(error);
  if (typeof uri === 'string' && PASSING.has(uri)) return 'not now';
  if (typeof uri !== 'string' || !isValidUri(uri, 'loose') || NOT_A_DECISION.has(uri)) return undefined;
  const [text] = Array.isArray(args) ? (args as readonly unknown[]) : [];
  return deny(uri, typeof text === 'string' ? text.slice(0, MAX_MESSAGE) : 'the authenticator denies');
}

interface Answer {
  readonly uri?: unknown;
  readonly args?: unknown;
}

function answered({ uri, payload }: CallFault): Answer {
  try {
    return { uri, args: payload?.args };
  } catch {
    // Its arguments cannot be read; what counts is that it denied.
    return { uri };
  }
}

/** What a function throws: a CallError, or the like of other libraries. */
function thrown(error: unknown): Answer {
  if (typeof error !== 'object' || error === null || !('error' in error) || !('args' in error)) return {};
  return Array.isArray(error.args) ? { uri: error.error, args: error.args } : {};
}

/** Warns; strangers cause the lines, so there are not many of them. */
type Say = (facts: Dict, message: string) => void;

function causeOf(error: unknown): Dict {
  const fault = error instanceof CallFault ? faultText(error) : error;
  return typeof fault === 'string' ? { fault } : { err: fault };
}

/** It has to be mended: there is no use in coming back. */
function failed(say: Say, facts: Dict): AuthenticatorRefusal {
  say(facts, 'authenticator failed, client refused');
  return new AuthenticatorRefusal(deny(ErrorUri.AUTHENTICATION_FAILED, 'the authenticator failed'));
}

function passing(say: Say, facts: Dict): AuthenticatorRefusal {
  say(facts, 'authenticator is not available, clients are to come back');
  return new AuthenticatorRefusal({ type: 'unavailable', message: 'no login at the moment, please try again later' });
}

/** With what the router or the callee says to it, for the operator. */
function faultText(fault: CallFault): string {
  const { args } = answered(fault);
  const [text] = Array.isArray(args) ? (args as readonly unknown[]) : [];
  return typeof text === 'string' ? `${fault.message}: ${text.slice(0, MAX_MESSAGE)}` : fault.message;
}
