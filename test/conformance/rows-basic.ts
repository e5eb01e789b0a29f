/** The rows of the Basic Profile that name no vector of their own, and what holds them. */
import {
  authorization,
  broker,
  brokerDirectory,
  brokerPatterns,
  callCanceling,
  compat,
  dealer,
  details,
  formats,
  gaps,
  handshake,
  invalidVector,
  json,
  limits,
  messages,
  messageVector,
  overTheWire,
  rawSocketVector,
  registrationDirectory,
  registrationMeta,
  row,
  scenarios,
  security,
  session,
  sessionMeta,
  shared,
  subscriptionMeta,
  uriRules,
  uris,
} from './rows-tests.js';
import type { HeldRow } from './rows-tests.js';

const serialization: readonly HeldRow[] = [
  row('B-SER-01', 'messages in JSON', messages('reads and writes $name'), json('JSON payloads')),
  row('B-SER-02', 'messages in MessagePack', formats('is the same in $type, byte for byte in and out')),
  row('B-SER-03', 'messages in CBOR', formats('is the same in $type, byte for byte in and out')),
  row('B-SER-04', 'peers with different serializers', formats('crosses from %s to %s')),
  row(
    'B-SER-05',
    'any value in a payload',
    overTheWire('come out as they went in: %s'),
    formats('keeps every value that both can say, and nobody reaches a prototype'),
  ),
  row('B-SER-06', 'large integers', formats('passes integers on as integers, up to 2^53 and beyond')),
  row(
    'B-SER-12',
    'serializers that are not there',
    security('refuses "%s" and says what it speaks'),
    rawSocketVector('ubjson unsupported'),
    rawSocketVector('flatbuffers unsupported'),
  ),
];

const urisAndIds: readonly HeldRow[] = [
  row('B-URI-02', 'empty components, loose', uris('$uri as a pattern'), uriRules('$uri')),
  row('B-URI-03', 'the strict rule', uris('URIs of a %s realm'), uriRules('$uri')),
  row('B-URI-04', 'prefixes', brokerPatterns('has URI rules of its own for %s: "%s" is %s')),
  row(
    'B-URI-08',
    'using the meta API',
    sessionMeta('know every session of the realm, the own one too'),
    sessionMeta('tell who came and who went, each once'),
  ),
  row('B-URI-13', 'letters of all kinds', uris('URIs of a %s realm'), uriRules('$uri')),
  row('B-ID-01', 'the range', overTheWire('draws session and publication ids at random over the whole range')),
  row('B-ID-03', 'random ids', overTheWire('draws session and publication ids at random over the whole range')),
  row(
    'B-ID-04',
    'ids of the router',
    broker('gives one subscription to all and to repeated subscribers, and one event per publication'),
    shared('has one id for all callees, and one for a session that registers again'),
  ),
  row(
    'B-ID-06',
    'request ids count up by one, where the realm is strict',
    compat('lets request ids count up by one from 1, through all kinds of request'),
  ),
  row('B-PV-10', 'a gap between request ids, where the realm is strict', compat('takes %s for a violation')),
  row('B-ID-07', 'CANCEL has the id of its call', callCanceling('answers at once and interrupts the callee: %j')),
  row(
    'B-ID-08',
    'a new session counts anew',
    overTheWire('carries one session after the other: new id, request ids from 1, nothing left of the first'),
  ),
  row('B-ID-09', 'replies carry the id of the request', messages('router: %s')),
  row(
    'B-ID-10',
    '0 in revocations',
    brokerDirectory('revokes: a message with request id 0 for those who know it, silence for the others'),
    registrationDirectory('tells the callee that can hear it, with reason %s'),
  ),
];

const shapes: readonly HeldRow[] = [
  row('B-MSG-02', 'WELCOME', messages('router: %s'), session('welcomes an anonymous client and tells it who it is')),
  row('B-MSG-03', 'ABORT', messageVector('ABORT'), session('refuses %s with ABORT and closes')),
  row('B-MSG-04', 'GOODBYE', messageVector('GOODBYE'), invalidVector('GOODBYE short')),
  row('B-MSG-05', 'ERROR', messageVector('ERROR invocation args kwargs'), invalidVector('ERROR short')),
  row('B-MSG-06', 'PUBLISH', messageVector('PUBLISH min'), invalidVector('PUBLISH short')),
  row('B-MSG-07', 'PUBLISHED', messages('PUBLISHED: {')),
  row('B-MSG-08', 'SUBSCRIBE', messageVector('SUBSCRIBE'), invalidVector('SUBSCRIBE short')),
  row('B-MSG-09', 'SUBSCRIBED', messages('SUBSCRIBED: {')),
  row('B-MSG-10', 'UNSUBSCRIBE', messageVector('UNSUBSCRIBE'), invalidVector('UNSUBSCRIBE short')),
  row('B-MSG-11', 'UNSUBSCRIBED', messages('UNSUBSCRIBED: {')),
  row('B-MSG-12', 'EVENT', messages("'EVENT kwargs': {")),
  row('B-MSG-13', 'CALL', messageVector('CALL min'), invalidVector('CALL short')),
  row('B-MSG-14', 'RESULT', messages("'RESULT kwargs': {")),
  row('B-MSG-15', 'REGISTER', messageVector('REGISTER'), invalidVector('REGISTER short')),
  row('B-MSG-16', 'REGISTERED', messages('REGISTERED: {')),
  row('B-MSG-17', 'UNREGISTER', messageVector('UNREGISTER'), invalidVector('UNREGISTER short')),
  row('B-MSG-18', 'UNREGISTERED', messages('UNREGISTERED: {')),
  row('B-MSG-19', 'INVOCATION', messages("'INVOCATION details': {")),
  row('B-MSG-20', 'YIELD', messageVector('YIELD min'), invalidVector('YIELD short')),
  row('B-MSG-21', 'CHALLENGE', session('may challenge; only AUTHENTICATE and ABORT are answers')),
  row('B-MSG-22', 'AUTHENTICATE', session('may challenge; only AUTHENTICATE and ABORT are answers')),
  row('B-MSG-23', 'CANCEL', messageVector('CANCEL'), invalidVector('CANCEL short')),
  row('B-MSG-24', 'INTERRUPT', messages('INTERRUPT: {')),
  row(
    'B-MSG-29',
    'names of our own keys',
    gaps('the keys that the router makes up are spelled as the protocol asks for'),
  ),
  row(
    'B-MSG-31',
    'payloads are not touched',
    json('leave as the text that came in: %s'),
    overTheWire('come out as they went in: %s'),
  ),
];

const sessions: readonly HeldRow[] = [
  row('B-SES-02', 'WELCOME comes first', session('welcomes an anonymous client and tells it who it is')),
  row('B-SES-04', 'unknown roles', overTheWire('passes unknown methods, roles and features over')),
  row(
    'B-SES-05',
    'what is announced',
    scenarios('announces the features that this build is held to'),
    overTheWire('announces only the features that are built'),
  ),
  row('B-SES-06', 'fresh session ids', overTheWire('draws session and publication ids at random over the whole range')),
  row('B-SES-08', 'no realm by itself', session('refuses %s with ABORT and closes')),
  row('B-SES-09', 'agent', messageVector('HELLO auth')),
  row('B-SES-10', 'silence after ABORT', session('refuses %s with ABORT and closes')),
  row(
    'B-SES-11',
    'ABORT while opening',
    session('ends silently when the client aborts'),
    overTheWire('is closed after an ABORT of the client before HELLO, without an answer'),
  ),
  row(
    'B-SES-12',
    'ABORT later',
    session('ends on ABORT without an answer'),
    details('%s is told of once, and hears nothing of it'),
  ),
  row(
    'B-SES-14',
    'GOODBYE of the router',
    session('says GOODBYE when the node stops, ignores what comes in between, and closes on the answer'),
    sessionMeta('ends a session with the reason and the message of the caller'),
  ),
  row('B-SES-16', 'crossed GOODBYEs', session('says GOODBYE when the node stops, ignores what comes in between')),
  row('B-SES-17', 'one connection, many sessions', overTheWire('carries one session after the other')),
  row(
    'B-SES-18',
    'a lost connection',
    session('leaves the realm when the transport is lost'),
    dealer('answers the callers of a callee that left with canceled, once, and frees its procedures'),
  ),
  row('B-SES-19', 'realms are apart', overTheWire('keeps realms apart'), sessionMeta('stay in their realm')),
  row('B-SES-21', 'GOODBYE too early', invalidVector('GOODBYE before HELLO')),
  row(
    'B-SES-22',
    'no HELLO',
    limits('closes a connection on which no HELLO comes, without an ABORT, which clients take for final'),
  ),
  row('B-SES-23', 'who the client is', session('welcomes an anonymous client and tells it who it is')),
  row('B-PV-04', 'HELLO for a CHALLENGE', session('may challenge; only AUTHENTICATE and ABORT are answers')),
  row(
    'B-PV-14',
    'calls of an offender',
    session('ends with ABORT and frees everything when it gets message %i, which is not allowed'),
    dealer('answers the callers of a callee that left with canceled, once, and frees its procedures'),
    dealer('interrupts a callee that can be interrupted when the caller leaves; its late answer is harmless'),
  ),
];

const webSocket: readonly HeldRow[] = [
  row(
    'B-WS-01',
    'the choice of a subprotocol',
    handshake("takes the first of the client's subprotocols that is known"),
    security('takes the first of "%s" that it speaks'),
  ),
  row('B-WS-02', 'no subprotocol in common', security('refuses "%s" and says what it speaks')),
  row(
    'B-WS-03',
    'none offered',
    security('refuses a client that names none'),
    security('takes it for JSON with require_websocket_subprotocol: false, and announces none'),
  ),
  row('B-WS-04', 'text or binary', messages('router: %s')),
  row('B-WS-05', 'fragments', limits('takes a fragmented message, with a ping between the fragments')),
  row('B-WS-06', 'pings', limits('answers pings of the client with the same bytes')),
  row('B-WS-07', 'too large', limits('closes with 1009 for one byte more, also in fragments')),
  row('B-WS-08', 'closed after ABORT', session('refuses %s with ABORT and closes'), invalidVector('empty array')),
];

const publishing: readonly HeldRow[] = [
  row('B-PUB-04', 'UNSUBSCRIBE', messages('UNSUBSCRIBED: {')),
  row(
    'B-PUB-06',
    'nothing behind UNSUBSCRIBED',
    brokerDirectory('sends the reply first: no event of a subscription comes before SUBSCRIBED or behind UNSUBSCRIBED'),
  ),
  row(
    'B-PUB-10',
    'refused with acknowledge',
    broker('never answers an unacknowledged publication, and refuses an acknowledged one with its URI'),
  ),
  row('B-PUB-11', 'nobody listens', messages('PUBLISHED: {')),
  row('B-PUB-15', 'similar topics', gaps('a topic is another one in other case, longer or shorter')),
  row('B-PUB-17', 'refused subscriptions', invalidVector('SUBSCRIBE uri "com..myapp"')),
  row('B-PUB-19', 'nothing from before', gaps('who subscribes later does not get what was published before')),
];

const calling: readonly HeldRow[] = [
  row('B-RPC-09', 'errors of callees', dealer('passes an error of the callee on')),
  row('B-RPC-12', 'calls within calls', gaps('a callee may call while it is being called, its caller too')),
  row(
    'B-RPC-14',
    'one answer',
    dealer('ignores an answer that comes twice, and throws for one that was never asked for'),
  ),
  row(
    'B-RPC-15',
    'two YIELDs',
    dealer('ignores an answer that comes twice, and throws for one that was never asked for'),
  ),
  row('B-RPC-18', 'refused registrations', dealer('answers %s with an error')),
  row(
    'B-RPC-23',
    'arguments that will not do',
    registrationMeta('%s %j is answered with invalid_argument'),
    dealer('passes an error of the callee on'),
  ),
  row(
    'B-ORD-02',
    'SUBSCRIBED, then events',
    brokerDirectory('sends the reply first: no event of a subscription comes before SUBSCRIBED or behind UNSUBSCRIBED'),
    subscriptionMeta('come after SUBSCRIBED, also to the subscriber itself'),
  ),
  row(
    'B-ORD-03',
    'calls keep their order',
    gaps('calls come in the order in which they were made, whatever the procedure'),
  ),
  row('B-ORD-04', 'REGISTERED, then calls', gaps('REGISTERED comes before the calls that waited for it')),
  row(
    'B-ORD-06',
    'slow authorizers',
    authorization('nothing of the same session overtakes, whatever it is, and other sessions go on'),
    authorization('every event of a publisher arrives in order, however long each decision takes'),
  ),
];

export const BASIC_ROWS: readonly HeldRow[] = [
  ...[...serialization, ...urisAndIds, ...shapes, ...sessions],
  ...[...webSocket, ...publishing, ...calling],
];
