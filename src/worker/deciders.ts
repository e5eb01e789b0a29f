/** The authenticators of a worker: the procedures that the `auth` sections of its transports name. */
import { RepeatedLog } from '../log/repeated.js';
import type { RouterWorkerConfig } from './schema.js';
import type { Logger } from '../log/logger.js';
import type { Decider } from '../router/deciders.js';
import type { RouterDeps } from '../router/router.js';

type Dict = Readonly<Record<string, unknown>>;

/** @returns what a router has to know of them. */
export function authenticatorsOf(
  worker: RouterWorkerConfig,
  log: Logger,
): Required<Pick<RouterDeps, 'authenticators' | 'refused'>> {
  const repeated = new RepeatedLog(log);
  return {
    authenticators: [...decidersBelow(worker.transports)],
    refused: (realm, { id: sessionId, authrole }, procedure) => {
      const facts = { realm, sessionId, authrole, procedure };
      repeated.say('warn', facts, 'registration of an authenticator or authorizer refused');
    },
  };
}

/** Wherever the sections are: transports have them at several places, and paths of any depth. */
function* decidersBelow(value: unknown): Generator<Decider> {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, item] of Object.entries(value)) {
    if (key === 'auth') yield* decidersOf(item as Dict);
    else yield* decidersBelow(item);
  }
}

function* decidersOf(auth: Dict): Generator<Decider> {
  for (const section of Object.values(auth)) {
    const { type, authenticator, ...more } = section as Dict;
    if (type !== 'dynamic' || typeof authenticator !== 'string') continue;
    const { 'authenticator-realm': realm, 'authenticator-callee-role': role } = more;
    yield { procedure: authenticator, realm: textOf(realm), role: textOf(role) };
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
