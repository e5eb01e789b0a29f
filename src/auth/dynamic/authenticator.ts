/**
 * Authenticators: code of the operator that decides who a client is. An authenticator is a procedure (`dynamic`) or a function of
 * a module (`function`); the methods see no difference. This file gets an answer in time, or a refusal; the methods read the
 * answer.
 *
 * Clients that have not logged in cause the questions. So a failing authenticator lets nobody in, and clients are not told why.
 */
import { CallFault, ErrorUri } from '../../wamp/error.js';
import { sayRepeated } from '../../log/repeated.js';
import { isValidUri } from '../../wamp/uri.js';
import { deny } from '../verdict.js';
import type { Dict, Payload } from '../../wamp/payload.js';
import type { DynamicConfig, FunctionConfig } from './schema.js';
import type { AuthContext, AuthDeps, AuthRequest, ClientCertificate, Deny, Unavailable } from '../method.js';

/**
 * @param realm that the client asks for; empty when its HELLO names none.
 * @param authid that the client asks for; undefined when its HELLO names none.
 * @param details see {@link authenticatorDetails}.
 * @returns the answer, unchecked.
 * @throws AuthenticatorRefusal (rejects), and nothing else, when there is no answer: it denies, or it failed.
 */
export type Authenticator = (realm: string, authid: string | undefined, details: Dict) => Promise<unknown>;

/** The authenticator refused the client, failed, or is not available. It has been logged. */
export class AuthenticatorRefusal extends Error {
  readonly code = 'ERR_AUTHENTICATOR';
  override readonly name = 'AuthenticatorRefusal';
  readonly verdict: Deny | Unavailable;

  constructor(verdict: Deny | Unavailable) {
    super(verdict.message);
    this.verdict = verdict;
  }
}

/** How long a function may take; a procedure has as long (`session/internal-caller.ts`). */
export const FUNCTION_DEADLINE_MS = 5000;

/** How many questions to one authenticator may be open: as many as one session may have calls. More are refused. */
export const MAX_PENDING = 10_000;

/** How many characters of the authenticator's text a client gets. */
const MAX_MESSAGE = 500;

/** Makes the authenticator of a section. Rejects when its function cannot be loaded. */
export async function createAuthenticator(
  config: DynamicConfig | FunctionConfig,
  deps: Pick<AuthDeps, 'log' | 'repeated' | 'call' | 'load'>,
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

/** @returns what an authenticator is told of a client: more than others see, because it has to decide. */
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

function asking(config: DynamicConfig, { call }: Pick<AuthDeps, 'call'>): Ask {
  const { authenticator, 'authenticator-realm': home, 'authenticator-role': role } = config;
  return async (realm, authid, details) => {
    const where = home ?? realm;
    // Only an authenticator on a realm of its own can choose the realm.
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

async function calling({ module, name }: FunctionConfig, { load }: Pick<AuthDeps, 'load'>): Promise<Ask> {
  const run = await load(module, name);
  return (realm, authid, details) => {
    let timer: NodeJS.Timeout | undefined;
    const overdue = new Promise<never>((_resolve, reject) => {
      const fault = new CallFault(`no answer within ${FUNCTION_DEADLINE_MS} ms`, { uri: ErrorUri.TIMEOUT });
      timer = setTimeout(() => reject(fault), FUNCTION_DEADLINE_MS);
    });
    // In a promise, because the function may throw synchronously.
    const answer = Promise.resolve().then(async () => asMessage(await run(realm, authid, details)));
    return Promise.race([answer, overdue]).finally(() => clearTimeout(timer));
  };
}

/** @returns the answer as if it had come in a message, because it may be sent in one. @throws TypeError for what cannot. */
function asMessage(answer: unknown): unknown {
  return answer === undefined ? undefined : JSON.parse(JSON.stringify(answer));
}

/** ERRORs that are no decision: the router sent them, or the authenticator is broken. */
const NOT_A_DECISION: ReadonlySet<string> = new Set([
  ErrorUri.FEATURE_NOT_SUPPORTED,
  ErrorUri.INVALID_ARGUMENT,
  ErrorUri.INVALID_URI,
  ErrorUri.PAYLOAD_SIZE_EXCEEDED,
  ErrorUri.RUNTIME_ERROR,
]);

/** ERRORs that pass: the authenticator is not there, is too busy, or says so itself. */
const PASSING: ReadonlySet<string> = new Set([
  ErrorUri.CANCELED,
  ErrorUri.MAX_CONCURRENCY_REACHED,
  ErrorUri.NO_AVAILABLE_CALLEE,
  ErrorUri.NO_SUCH_PROCEDURE,
  ErrorUri.TIMEOUT,
  ErrorUri.UNAVAILABLE,
]);

/** @returns the refusal that an authenticator threw; undefined when it did not refuse but failed. */
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
    // Its arguments cannot be read, but its URI counts.
    return { uri };
  }
}

/** What a function threw: a CallError, or a similar error of another library. */
function thrown(error: unknown): Answer {
  if (typeof error !== 'object' || error === null || !('error' in error) || !('args' in error)) return {};
  return Array.isArray(error.args) ? { uri: error.error, args: error.args } : {};
}

/** Warns. Clients that have not logged in cause the lines, so they are limited. */
type Say = (facts: Dict, message: string) => void;

function causeOf(error: unknown): Dict {
  const fault = error instanceof CallFault ? faultText(error) : error;
  return typeof fault === 'string' ? { fault } : { err: fault };
}

/** A failure that the operator has to mend: coming back would not help the client. */
function failed(say: Say, facts: Dict): AuthenticatorRefusal {
  say(facts, 'authenticator failed, client refused');
  return new AuthenticatorRefusal(deny(ErrorUri.AUTHENTICATION_FAILED, 'the authenticator failed'));
}

function passing(say: Say, facts: Dict): AuthenticatorRefusal {
  say(facts, 'authenticator is not available, clients are to come back');
  return new AuthenticatorRefusal({ type: 'unavailable', message: 'no login at the moment, please try again later' });
}

/** @returns the fault with the text of the router or callee, for the operator. */
function faultText(fault: CallFault): string {
  const { args } = answered(fault);
  const [text] = Array.isArray(args) ? (args as readonly unknown[]) : [];
  return typeof text === 'string' ? `${fault.message}: ${text.slice(0, MAX_MESSAGE)}` : fault.message;
}
