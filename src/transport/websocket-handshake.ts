/**
 * Decides over the HTTP request that wants to become a WebSocket (RFC 6455, section 4.2), before anything is created
 * for it. Pure: a request in, a refusal or the chosen serializer out.
 */
import type { IncomingMessage } from 'node:http';
import { batchedSerializers, serializers, subprotocolOf } from '../serializer/registry.js';
import { originCheck } from './origin.js';
import type { Serializer } from '../serializer/serializer.js';
import type { OriginCheck } from './origin.js';
import type { WebSocketConfig } from './websocket-schema.js';

export interface Refusal {
  readonly status: number;
  /** One sentence for the body. */
  readonly text: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What the handshake settled. */
export interface Agreement {
  readonly serializer: Serializer;
  /** To be echoed; undefined when the client named none and may do so. */
  readonly subprotocol: string | undefined;
}

export interface HandshakeRules {
  readonly allowsOrigin: OriginCheck;
  /** subprotocol -> serializer */
  readonly subprotocols: ReadonlyMap<string, Serializer>;
  readonly requireSubprotocol: boolean;
}

/** @returns the rules of a checked config. */
export function handshakeRules({ options, serializers: words }: WebSocketConfig): HandshakeRules {
  // Every format is spoken in batches, too.
  const chosen = [serializers, batchedSerializers]
    .flatMap((family) => words.map((word) => family.get(word)))
    .filter((serializer) => serializer !== undefined);
  return {
    allowsOrigin: originCheck(options.allowed_origins ?? ['*'], options.allow_null_origin ?? true),
    subprotocols: new Map(chosen.map((serializer) => [subprotocolOf(serializer), serializer])),
    requireSubprotocol: options.require_websocket_subprotocol,
  };
}

const VERSIONS = ['13', '8'];
const KEY = /^[+/0-9A-Za-z]{22}==$/;

/** @returns what to speak, or why not. Nothing has been answered yet. */
export function negotiate(req: IncomingMessage, rules: HandshakeRules): Agreement | Refusal {
  const { headers } = req;
  if (req.method !== 'GET') {
    return {
      status: 405,
      text: `HTTP method "${req.method ?? ''}" cannot open a WebSocket`,
      headers: { Allow: 'GET' },
    };
  }
  if (headers.upgrade?.toLowerCase() !== 'websocket')
    return { status: 400, text: 'only an upgrade to WebSocket is possible here' };
  const version = headers['sec-websocket-version'];
  if (version === undefined || !VERSIONS.includes(version)) {
    const text = `WebSocket version ${version ?? '(none)'} is not supported (supported: ${VERSIONS.join(', ')})`;
    return { status: 426, text, headers: { 'Sec-WebSocket-Version': VERSIONS.join(', '), Upgrade: 'websocket' } };
  }
  if (!KEY.test(headers['sec-websocket-key'] ?? ''))
    return { status: 400, text: 'Sec-WebSocket-Key is missing or invalid' };
  const origin = version === '8' ? firstOf(headers['sec-websocket-origin']) : headers.origin;
  if (!rules.allowsOrigin(origin, headers.host))
    return { status: 403, text: `pages of the origin "${origin ?? ''}" may not connect` };
  return chooseSubprotocol(headers['sec-websocket-protocol'], rules);
}

/** The first of the client's list that we speak: the order is the client's preference. */
function chooseSubprotocol(
  header: string | undefined,
  { subprotocols, requireSubprotocol }: HandshakeRules,
): Agreement | Refusal {
  const offered = header === undefined ? [] : header.split(',').map((name) => name.trim());
  for (const subprotocol of offered) {
    const serializer = subprotocols.get(subprotocol);
    if (serializer !== undefined) return { serializer, subprotocol };
  }
  const json = subprotocols.get('wamp.2.json');
  if (offered.length === 0 && !requireSubprotocol && json !== undefined)
    return { serializer: json, subprotocol: undefined };
  return {
    status: 400,
    text: `this server only speaks the WebSocket subprotocols ${[...subprotocols.keys()].join(', ')}`,
  };
}

function firstOf(header: string | readonly string[] | undefined): string | undefined {
  return typeof header === 'object' ? header[0] : header;
}
