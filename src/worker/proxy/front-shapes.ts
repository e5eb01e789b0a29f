/** What a front and its node say of the front itself, as JSON. */
import { isNumber, isObject, isText, reader } from '../../system/stream/shapes.js';
import type { BoundAddress } from '../../transport/listen/listen.js';
import type { ProxyTrustConfig } from '../../transport/proxies/schema.js';
import type { NodeInfo } from '../../transport/transport-type.js';
import type { TransportConfig } from '../schema.js';

/** A front is there. */
export interface FrontHello {
  readonly pid: number;
  /** From 1 on. */
  readonly number: number;
}

/** What it is to do. */
export interface FrontSetup {
  readonly transports: readonly TransportConfig[];
  readonly logLevel: string;
  readonly nodeInfo: Pick<NodeInfo, 'id' | 'startedMs' | 'version'>;
  readonly proxyTrust: ProxyTrustConfig;
  readonly privatePaths: readonly string[];
  /** The routers of realms that are not in the process of the node. */
  readonly routers: readonly FrontRouter[];
}

/** A router in a process of its own. */
export interface FrontRouter {
  /** The id of its worker. */
  readonly name: string;
  /** The socket file where it takes links of fronts. */
  readonly link: string;
}

/** A transport listens. */
export interface FrontListening {
  readonly index: number;
  readonly bound: BoundAddress;
}

/** A transport cannot listen. */
export interface FrontFailure {
  readonly index: number;
  readonly problem: string;
}

/** A record of its log, as a line. */
export interface FrontLogLine {
  readonly line: string;
}

/** How it is. */
export interface FrontPulse {
  readonly rssBytes: number;
  readonly cpuMs: number;
  readonly clients: number;
  /** Clients that have not read everything, and what waits for them, in bytes: some of them, where there are many. */
  readonly waiting: readonly (readonly [number: number, bytes: number])[];
}

const isPairs = (value: unknown): boolean =>
  Array.isArray(value) && value.every((each) => Array.isArray(each) && each.length === 2 && each.every(isNumber));

/** @throws BadRecord */
export const helloIn = reader<FrontHello>('greeting', { pid: isNumber, number: isNumber });
/** What a front is to do. @throws BadRecord */
export const setupIn = reader<FrontSetup>('setup', {
  ...{ transports: Array.isArray, logLevel: isText, nodeInfo: isObject, proxyTrust: isObject },
  privatePaths: Array.isArray,
  routers: Array.isArray,
});
export const listeningIn = reader<FrontListening>('place', { index: isNumber, bound: isObject });
export const failureIn = reader<FrontFailure>('failure', { index: isNumber, problem: isText });
export const logLineIn = reader<FrontLogLine>('line of a log', { line: isText });
export const pulseIn = reader<FrontPulse>('sign of life', {
  rssBytes: isNumber,
  cpuMs: isNumber,
  clients: isNumber,
  waiting: isPairs,
});
