/**
 * What the scripts of the public clients run against the daemon: one list of features for all of them, and for each client
 * the features that it has no words for, with the reason. A feature that a script neither tests nor is excused from fails
 * the suite, and so does one that is excused and tested all the same. Here is also the node that the scripts need.
 */
import { LOOPBACK, ALLOW_ALL, nodeConfig, openRealm } from './node-config.js';

/** Everything of the router that a client of it can notice. A name is a function, a key or a call in the scripts. */
export const FEATURES = [
  'session',
  'session_reuse',
  'permissions',
  'authorizer',
  'byte_strings',
  'integers',
  'pubsub',
  'acknowledge',
  'exclude_me',
  'eligibility',
  'disclosure',
  'disclose_me',
  'pattern_subscriptions',
  'retain',
  'get_retained',
  'event_history',
  'subscription_revocation',
  'rpc',
  'progressive_results',
  'progressive_results_of_callee',
  'progressive_invocations',
  'cancel_skip',
  'cancel_kill',
  'cancel_killnowait',
  'cancel_of_callee',
  'call_timeout',
  'pattern_registrations',
  'shared_registrations',
  'concurrency',
  'force_reregister',
  'registration_revocation',
  'rerouting',
  'session_meta',
  'session_kill',
  'subscription_meta',
  'registration_meta',
  'testaments',
  'payload_passthru',
  'opaque_payloads',
] as const;

export type Feature = (typeof FEATURES)[number];
export type ClientName = 'autobahn-js' | 'wampy' | 'autobahn-python';
type Reasons = Readonly<Partial<Record<Feature, string>>>;

/** What a client cannot say or hear, whatever the router offers. The limits of single options stand in the scripts. */
export const CANNOT: Readonly<Record<ClientName, Reasons>> = {
  'autobahn-js': {
    progressive_invocations: 'it has no second CALL of one request id, and takes each INVOCATION for a new call',
    cancel_of_callee: 'as a callee it does not announce call_canceling and knows no INTERRUPT',
    payload_passthru: 'it does not announce payload_passthru_mode, and gives endpoints and handlers no ppt_ attributes',
    opaque_payloads: 'it only writes lists of arguments, and gives endpoints and handlers no enc_ attributes',
  },
  wampy: {
    exclude_me: 'it leaves out options that are false, so it cannot say `exclude_me: false`',
    retain: 'it checks the option and then does not send it',
    progressive_invocations:
      'it sends them, but announces progressive_call_invocations neither as caller nor as callee',
    cancel_of_callee: 'as a callee it does not announce call_canceling, and takes INTERRUPT for a violation',
    concurrency: 'of the options of REGISTER it sends `match` and `invoke` only',
    force_reregister: 'of the options of REGISTER it sends `match` and `invoke` only',
    opaque_payloads: 'it only writes lists of arguments, and sends no enc_ attributes',
  },
  'autobahn-python': {
    disclose_me: 'PublishOptions and CallOptions do not have it',
    progressive_invocations: 'CallOptions has no `progress`, and each INVOCATION is a new call',
    cancel_skip: 'cancelling its Future or Deferred sends CANCEL without a mode, which is killnowait',
    cancel_kill: 'cancelling its Future or Deferred sends CANCEL without a mode, which is killnowait',
    payload_passthru: 'its messages have no ppt_ attributes, only the older enc_ ones',
  },
};

/** @returns what is wrong with a script that tests `covered`: one line for each feature, none when all are accounted for. */
export function scriptProblems(client: ClientName, covered: readonly string[]): readonly string[] {
  const reasons = CANNOT[client];
  const known: readonly string[] = FEATURES;
  const unknown = covered.filter((name) => !known.includes(name)).map((name) => `no feature is called '${name}'`);
  const twice = covered.filter((name, i) => covered.indexOf(name) !== i).map((name) => `${name} stands there twice`);
  const missing = FEATURES.filter((name) => !covered.includes(name) && reasons[name] === undefined);
  const both = FEATURES.filter((name) => covered.includes(name) && reasons[name] !== undefined);
  return [
    ...unknown,
    ...twice,
    ...missing.map((name) => `${name} is neither tested nor said to be impossible`),
    ...both.map((name) => `${name} is tested, though it is said to be impossible`),
  ];
}

/** The procedure that decides for the role `guest` of the realm `authorized`. */
export const AUTHORIZER = 'com.example.authorize';

const GUEST = { auth: { anonymous: { type: 'static', role: 'guest' } } };

/**
 * The node of the scripts: web transport with `/ws` and, for guests, `/guest`; a RawSocket transport behind it, and one
 * for guests. Realms: `realm1` (all open), `disclosed`, `restricted`, `remembering`, `authorized` and `cancelling`.
 */
export function featureNode(): object {
  const disclosing = [{ ...ALLOW_ALL[0], disclose: { caller: true, publisher: true } }];
  const mayListenAndCall = [{ uri: 'com.example.allowed', allow: { subscribe: true, call: true } }];
  const store = { type: 'memory', limit: 2, 'event-history': [{ uri: 'com.example.log' }] };
  const realms = [
    openRealm('realm1'),
    { name: 'disclosed', roles: [{ name: 'anonymous', permissions: disclosing }] },
    { name: 'restricted', roles: [{ name: 'anonymous', permissions: mayListenAndCall }] },
    { ...openRealm('remembering'), store },
    {
      name: 'authorized',
      roles: [
        { name: 'anonymous', permissions: ALLOW_ALL },
        { name: 'guest', authorizer: AUTHORIZER },
      ],
    },
    // autobahn-js forgets a call when it cancels it.
    { ...openRealm('cancelling'), compat: { cancel_without_error: true } },
  ];
  const serializers = ['json', 'msgpack', 'cbor', 'ubjson'];
  const rawSocket = { type: 'rawsocket', endpoint: LOOPBACK, serializers };
  return nodeConfig({
    realms,
    websocket: { serializers },
    paths: { guest: { type: 'websocket', serializers, ...GUEST } },
    transports: [rawSocket, { ...rawSocket, ...GUEST }],
  });
}
