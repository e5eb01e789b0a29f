/** Connects to NATS as a section of the config says, and waits for a server that is not there yet. */
import { setTimeout as delay } from 'node:timers/promises';
import { messageOf } from '../../system/error.js';
import { EngineError } from '../engine.js';
import { authenticatorOf, tlsOf } from './identity.js';
import { NatsEngine } from './engine.js';
import { natsPackages } from './packages.js';
import type { ConnectionOptions, NatsConnection } from '@nats-io/transport-node';
import type { Logger } from '../../log/logger.js';
import type { NatsPackages } from './packages.js';
import type { NatsConfig } from './schema.js';

export interface NatsConnectDeps {
  readonly log: Logger;
  /** What in the config needs NATS, as the beginning of a sentence. */
  readonly neededBy: string;
  /** What the servers of NATS list the connection as. */
  readonly name: string;
  /** How long a server may take to say hello, and JetStream to answer, in milliseconds; by default 2000. */
  readonly answerMs?: number;
  /** Gives the wait up. */
  readonly signal?: AbortSignal | undefined;
}

/** Between two attempts, in milliseconds. */
const RETRY_MS = 500;

/** See {@link NatsConnectDeps.answerMs}. */
const ANSWER_MS = 2000;

/** A link on which nothing comes for twice as long is dead. Heartbeats find out earlier whether anything is lost. */
const PING_MS = 5000;

/** What all subjects for answers begin with, so that NATS can be told who may hear them. */
const INBOX = '_INBOX_crossbar';

/**
 * Connects to NATS.
 *
 * Rejects with OptionalPackageError; with EngineError: `unavailable` when no server answered within `connect_timeout`, or JetStream
 * did not, `refused` when the node is not let in, or what the config says about its identity is of no use; with the reason of `signal`.
 */
export async function connectNats(config: NatsConfig, deps: NatsConnectDeps): Promise<NatsEngine> {
  const packages = await natsPackages(deps.neededBy);
  const endMs = performance.now() + config.connect_timeout * 1000;
  for (let attempt = 1; ; attempt += 1) {
    deps.signal?.throwIfAborted();
    try {
      return await attemptOf(packages, config, deps);
    } catch (error) {
      if (!(error instanceof EngineError) || error.fault !== 'unavailable') throw error;
      const { servers } = config;
      if (attempt === 1) deps.log.warn({ servers, problem: error.message }, 'waits for NATS');
      const leftMs = endMs - performance.now();
      if (leftMs <= 0) {
        const seconds = `${config.connect_timeout} s`;
        const text = `NATS did not answer within ${seconds} at ${servers.join(', ')}: ${error.message}`;
        throw new EngineError('unavailable', text, { cause: error });
      }
      await delay(Math.min(RETRY_MS, leftMs), undefined, deps.signal && { signal: deps.signal });
    }
  }
}

async function attemptOf(
  packages: NatsPackages,
  config: NatsConfig,
  { name, log, answerMs = ANSWER_MS }: Pick<NatsConnectDeps, 'name' | 'log' | 'answerMs'>,
): Promise<NatsEngine> {
  const options = { ...(await optionsOf(packages, config, name)), timeout: answerMs };
  let connection: NatsConnection;
  try {
    connection = await packages.transport.connect(options);
  } catch (error) {
    const hint =
      config.tls === undefined ? '' : ' (or NATS does not like the certificate of this node: its log says so)';
    throw refusalOf(packages, error) ?? new EngineError('unavailable', `${messageOf(error)}${hint}`, { cause: error });
  }
  if (connection.info?.jetstream !== true) {
    await connection.close();
    throw new EngineError(
      'unavailable',
      'JetStream is switched off there: `nats-server` needs the setting `jetstream`',
    );
  }
  // A server of a cluster says so when it says hello.
  const replicas = config.replicas ?? (connection.info.cluster === undefined ? 1 : 3);
  return NatsEngine.over(packages, connection, {
    ...{ replicas, inboxPrefix: INBOX, timeoutMs: answerMs, maxPendingBytes: config.max_pending, log },
  });
}

/** Trying again does not help. */
function refusalOf({ transport }: NatsPackages, error: unknown): EngineError | undefined {
  const isRefusal = error instanceof transport.AuthorizationError || isAboutTls(error);
  return isRefusal ? new EngineError('refused', `NATS: ${messageOf(error)}`, { cause: error }) : undefined;
}

const CERTIFICATE_CODES = /^(CERT_|ERR_TLS_|ERR_OSSL_|ERR_SSL_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_)/;

function isAboutTls(error: unknown): boolean {
  for (let each = error; each instanceof Error; each = each.cause) {
    if (CERTIFICATE_CODES.test(String(Reflect.get(each, 'code')))) return true;
  }
  return false;
}

async function optionsOf(packages: NatsPackages, config: NatsConfig, name: string): Promise<ConnectionOptions> {
  const { servers, user, password, tls } = config;
  const authenticator = await authenticatorOf(packages, config);
  return {
    name,
    servers: [...servers],
    inboxPrefix: INBOX,
    pingInterval: PING_MS,
    maxPingOut: 2,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 200,
    reconnectJitter: 100,
    reconnectJitterTLS: 200,
    ...(user !== undefined && { user, pass: password ?? '' }),
    ...(authenticator && { authenticator }),
    ...(tls && { tls: await tlsOf(tls) }),
  };
}
