/**
 * Decides over the HTTP request that wants to become a WebSocket (RFC 6455, section 4.2), before anything is created
 * for it. Pure: a request in, a refusal or the chosen serializer out.
 */
import { shortId } from '../../log/logger.js';
import { subprotocolOf } from '../../serializer/registry.js';
import { isNullOrigin, isPlanted, originCheck } from './origin.js';
import type { SerializerTypes } from '../../serializer/registry.js';
import type { Serializer, SerializerType } from '../../serializer/serializer.js';
import type { LocalEnd, OriginCheck } from './origin.js';
import type { Refusal } from '../refusal.js';
import type { RequestHead } from '../request-head.js';
import type { WebSocketConfig } from './schema.js';

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
  /** What could be spoken, if the config named it. */
  readonly formats: SerializerTypes;
}

/** @returns the rules of a checked config. */
export function handshakeRules(
  { options, serializers: words }: WebSocketConfig,
  formats: SerializerTypes,
): HandshakeRules {
  const chosen = words.map((word) => formats[word]).filter((format) => format !== undefined);
  return {
    formats,
    allowsOrigin: originCheck(options.allowed_origins ?? ['*'], options.allow_null_origin ?? true),
    subprotocols: new Map(inBoth(chosen).map((serializer) => [subprotocolOf(serializer), serializer])),
    requireSubprotocol: options.require_websocket_subprotocol,
  };
}

/** Every format is spoken in batches, too. */
function inBoth(formats: readonly SerializerType[]): Serializer[] {
  return [...formats.map(({ single }) => single), ...formats.map(({ batched }) => batched)];
}

const VERSIONS = ['13', '8'];
const KEY = /^[+/0-9A-Za-z]{22}==$/;

/** @returns what to speak, or why not. Nothing has been answered yet. */
export function negotiate(req: RequestHead, rules: HandshakeRules): Agreement | Refusal {
  return refusalOf(req, rules) ?? chooseSubprotocol(req.headers['sec-websocket-protocol'], rules);
}

/** @returns why a request cannot become a WebSocket, whatever is to be spoken on it. */
export function refusalOf(req: RequestHead, rules: Pick<HandshakeRules, 'allowsOrigin'>): Refusal | undefined {
  const { headers } = req;
  if (req.method !== 'GET') {
    const text = `HTTP method "${req.method ?? ''}" cannot open a WebSocket`;
    return { status: 405, text, headers: { Allow: 'GET' }, kind: 'method' };
  }
  if (headers.upgrade?.toLowerCase() !== 'websocket')
    return { status: 400, text: 'only an upgrade to WebSocket is possible here', kind: 'upgrade' };
  const version = headers['sec-websocket-version'];
  if (version === undefined || !VERSIONS.includes(version)) {
    const text = `WebSocket version ${version ?? '(none)'} is not supported (supported: ${VERSIONS.join(', ')})`;
    const answer = { 'Sec-WebSocket-Version': VERSIONS.join(', '), Upgrade: 'websocket' };
    return { status: 426, text, headers: answer, kind: 'version' };
  }
  if (!KEY.test(headers['sec-websocket-key'] ?? ''))
    return { status: 400, text: 'Sec-WebSocket-Key is missing or invalid', kind: 'key' };
  // Clients of version 8 have a header of their own; those that send both, or a page that adds one, answer for both.
  const origins = version === '8' ? [headers.origin, firstOf(headers['sec-websocket-origin'])] : [headers.origin];
  return refuseOrigin(origins, req, rules);
}

function refuseOrigin(
  origins: readonly (string | undefined)[],
  { headers: { host } }: RequestHead,
  { allowsOrigin }: Pick<HandshakeRules, 'allowsOrigin'>,
): Refusal | undefined {
  const refused = origins.find((origin) => !allowsOrigin(origin, host));
  if (refused === undefined) return undefined;
  const facts = { origin: refused };
  if (isNullOrigin(refused)) {
    const text = `pages without an origin ("${refused}") may not connect`;
    return {
      status: 403,
      text,
      kind: 'null origin',
      remedy: 'set "allow_null_origin": true for this WebSocket',
      facts,
    };
  }
  const remedy = `add "${refused}" to the "allowed_origins" of this WebSocket`;
  return { status: 403, text: `pages of the origin "${refused}" may not connect`, kind: 'origin', remedy, facts };
}

/**
 * Whether a page got in as one of this host by a name that may have been pointed at this machine from outside
 * ({@link isPlanted}).
 */
export function isByPlantedHost(
  { headers }: RequestHead,
  { allowsOrigin }: Pick<HandshakeRules, 'allowsOrigin'>,
  connection: LocalEnd,
): boolean {
  return isPlanted(headers, connection) && !allowsOrigin(headers.origin, undefined);
}

/**
 * A handshake that came without its upgrade: some proxy has dropped what it does not know. A browser that shows the page has
 * none of these.
 */
export function isWithoutUpgrade({ headers }: RequestHead): boolean {
  return headers['sec-websocket-key'] !== undefined || /\bwebsocket\b/i.test(headers.upgrade ?? '');
}

/** What somebody who sets up a proxy wants to know. */
const FOR_PROXIES = `a handshake for a WebSocket came without "Upgrade: websocket" and "Connection: Upgrade".
A proxy in between has to pass them on. nginx does so with these lines in its "location":

    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection "upgrade";
    proxy_set_header Host $host;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;`;

/** The refusal of {@link isWithoutUpgrade}. */
export const WITHOUT_UPGRADE: Refusal = {
  status: 426,
  text: FOR_PROXIES,
  headers: { Upgrade: 'websocket', Connection: 'Upgrade, close' },
  kind: 'without upgrade',
  remedy:
    'let the proxy in between pass on "Upgrade" and "Connection"; for nginx the answer to the client has the lines',
};

/** The first of the client's list that we speak: the order is the client's preference. */
function chooseSubprotocol(
  header: string | undefined,
  { subprotocols, requireSubprotocol, formats }: HandshakeRules,
): Agreement | Refusal {
  const only = header === undefined ? undefined : subprotocols.get(header);
  if (only !== undefined) return { serializer: only, subprotocol: header };
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
    kind: 'subprotocol',
    remedy: remedyFor(offered, formats),
    facts: { offered: shownNames(offered) },
  };
}

/** Names of subprotocols are short. What is long, or says that a token follows, is a password: browsers have few places for one. */
const MAX_NAME_CHARACTERS = 32;
const BEARER = 'base64url.bearer.';

/** @returns the names of subprotocols that a client offers, as they may be logged. */
export function shownNames(offered: readonly string[]): string {
  return offered.length === 0 ? '(none)' : offered.map(shownName).join(', ');
}

/** @returns the name of a subprotocol as it may be logged. */
function shownName(name: string): string {
  if (name.toLowerCase().startsWith(BEARER)) return `${BEARER}…`;
  return name.length > MAX_NAME_CHARACTERS ? shortId(name) : name;
}

function remedyFor(offered: readonly string[], formats: SerializerTypes): string {
  if (offered.length === 0) {
    return 'let the client name a subprotocol, or set "require_websocket_subprotocol": false for this WebSocket';
  }
  const isOffered = (serializer: Serializer): boolean => offered.includes(subprotocolOf(serializer));
  const known = Object.entries(formats);
  const meant =
    known.find(([, { single }]) => isOffered(single)) ?? known.find(([, { batched }]) => isOffered(batched));
  const word = meant?.[0];
  if (word === undefined) return 'connect with a client for WAMP version 2';
  return `add "${word}" to the "serializers" of this WebSocket`;
}

function firstOf(header: string | readonly string[] | undefined): string | undefined {
  return typeof header === 'object' ? header[0] : header;
}
