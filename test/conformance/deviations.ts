/**
 * Where Crossbar.io and the WAMP specification part, and what this router does: the table of docs/compatibility.md,
 * which `npx vitest run test/conformance/deviations -u` writes anew. Every decision names the test that holds it.
 */

export interface Deviation {
  readonly id: string;
  readonly topic: string;
  readonly crossbar: string;
  /** What is decided here. */
  readonly here: string;
  /** The key of a realm's config that decides otherwise. */
  readonly switch?: string;
  /** A test, or a vector that the tests play; none for what is not built yet. */
  readonly test?: { readonly file: string; readonly title: string };
}

export const DEVIATIONS: readonly Deviation[] = [
  {
    id: 'D-01',
    topic: 'a malformed message',
    crossbar: 'closes with 1002, or 1011 where a URI or payload has the wrong type; no ABORT',
    here: 'ABORT `wamp.error.protocol_violation`, then close 1002',
    test: { file: 'test/unit/session/session.test.ts', title: 'takes message %i before HELLO for a violation' },
  },
  {
    id: 'D-02',
    topic: 'an option of the wrong type or value',
    crossbar: 'closes with 1002',
    here: 'ABORT `wamp.error.protocol_violation`',
    test: { file: 'test/fixtures/wamp/own-vectors/invalid-messages.json', title: 'CANCEL mode int' },
  },
  {
    id: 'D-03',
    topic: 'how strict URIs are',
    crossbar: 'loose, unless the realm says otherwise',
    here: 'the same',
    switch: '`options.uri_check`',
    test: {
      file: 'test/unit/router/broker/broker.test.ts',
      title: 'keeps the strict URI rule where the realm asks for it',
    },
  },
  {
    id: 'D-04',
    topic: 'an invalid URI in a request',
    crossbar: 'mostly closes with 1011',
    here: 'ERROR `wamp.error.invalid_uri`; the session goes on',
    test: { file: 'test/fixtures/wamp/own-vectors/invalid-messages.json', title: 'PUBLISH ack bad uri' },
  },
  {
    id: 'D-05',
    topic: 'registering or publishing below `wamp.`',
    crossbar: '`wamp.error.invalid_uri`; the URI `wamp` itself passes',
    here: '`wamp.error.invalid_uri`, also for `wamp`; REGISTER accepts broader patterns, such as the empty prefix or the wildcard `.list`, but calls below `wamp.` never go to them',
    test: {
      file: 'test/unit/router/dealer/pattern-registration.test.ts',
      title: 'lets patterns include the URIs of the router, but does not ask them for these',
    },
  },
  {
    id: 'D-06',
    topic: 'an invalid realm in HELLO',
    crossbar: 'closes with 1011',
    here: 'ABORT `wamp.error.invalid_uri`',
    test: { file: 'test/unit/session/session.test.ts', title: 'refuses %s with ABORT and closes' },
  },
  {
    id: 'D-07',
    topic: 'request ids of INVOCATION',
    crossbar: 'one count for the whole router',
    here: '1, 2, 3, ... for each callee',
    test: {
      file: 'test/unit/router/dealer/dealer.test.ts',
      title: 'counts invocation ids per callee from 1, and takes answers in any order',
    },
  },
  {
    id: 'D-08',
    topic: 'request ids of clients that are not 1, 2, 3, ...',
    crossbar: 'not checked',
    here: 'not checked: clients with random ids are served; the realm option `strict_request_ids` checks them',
    test: { file: 'test/unit/router/compat.test.ts', title: 'request ids of clients need not count up by one' },
  },
  {
    id: 'D-09',
    topic: 'names of custom keys',
    crossbar: '`x_cb_...` in WELCOME and `authextra`',
    here: 'any custom key is accepted, none is sent',
    test: { file: 'test/integration/session.test.ts', title: 'passes unknown methods, roles and features over' },
  },
  {
    id: 'D-10',
    topic: 'empty Arguments and ArgumentsKw',
    crossbar: 'left out when both are empty',
    here: 'left out when both are empty; `[]` stays before keywords',
    test: { file: 'test/fixtures/wamp/own-vectors/scenarios.json', title: 'payload shapes survive' },
  },
  {
    id: 'D-11',
    topic: 'no role, or an unknown one, in HELLO',
    crossbar: 'closes with 1002 in both cases',
    here: 'ABORT `wamp.error.protocol_violation` without any role; unknown names are ignored',
    test: { file: 'test/fixtures/wamp/own-vectors/invalid-messages.json', title: 'HELLO empty roles' },
  },
  {
    id: 'D-12',
    topic: 'the reason in the answer to a GOODBYE',
    crossbar: '`wamp.close.normal`',
    here: "`wamp.close.goodbye_and_out`; components of older versions of autobahn-python reconnect forever unless they get Crossbar.io's reason",
    switch: '`compat.goodbye_with_normal`',
    test: {
      file: 'test/unit/session/session.test.ts',
      title: 'answers GOODBYE with goodbye_and_out, leaves the realm, and gives the transport back',
    },
  },
  {
    id: 'D-13',
    topic: 'a second HELLO, or a message before HELLO',
    crossbar: 'logged and ignored',
    here: 'ABORT `wamp.error.protocol_violation`',
    test: {
      file: 'test/fixtures/wamp/own-vectors/scenarios.json',
      title: 'second HELLO is a protocol violation and frees resources',
    },
  },
  {
    id: 'D-14',
    topic: 'YIELD or ERROR for an unknown invocation',
    crossbar: 'an unknown id is ignored, and an ERROR for that of another session ends its call',
    here: 'ignored when this session was once sent the invocation, else ABORT `wamp.error.protocol_violation`',
    test: {
      file: 'test/unit/router/dealer/dealer.test.ts',
      title: 'ignores an answer that comes twice, and throws for one that was never asked for',
    },
  },
  {
    id: 'D-15',
    topic: 'the transport after an ABORT',
    crossbar: 'stays open',
    here: 'closed when the ABORT is sent',
    test: { file: 'test/unit/session/session.test.ts', title: 'refuses %s with ABORT and closes' },
  },
  {
    id: 'D-16',
    topic: 'a callee leaves in the middle of a call',
    crossbar: '`wamp.error.canceled`',
    here: 'the same',
    test: {
      file: 'test/unit/router/dealer/dealer.test.ts',
      title: 'answers the callers of a callee that left with canceled, once, and frees its procedures',
    },
  },
  {
    id: 'D-17',
    topic: 'success without content over long-poll',
    crossbar: 'status 204',
    here: 'the same: autobahn-js takes nothing else for a success',
    test: {
      file: 'test/unit/webservice/longpoll/longpoll.test.ts',
      title: 'answers a message and the end with 204',
    },
  },
  {
    id: 'D-18',
    topic: 'the separator of messages in a JSON batch',
    crossbar: '0x18',
    here: '0x1E is sent, and both are understood',
    test: { file: 'test/unit/serializer/batched.test.ts', title: 'are split as far as they are good' },
  },
  {
    id: 'D-19',
    topic: 'reasons of refused authentication',
    crossbar: '`wamp.error.not_authorized`, `wamp.error.no_auth_method`',
    here: 'the same, in one wording for unknown and wrong; those of the specification (`wamp.error.authentication_denied`, `wamp.error.no_matching_auth_method`, `wamp.error.authentication_required`) on request',
    switch: '`options.auth_error_uris`',
    test: {
      file: 'test/integration/authentication.test.ts',
      title: 'are refused by the names of the specification where the config says so',
    },
  },
  {
    id: 'D-20',
    topic: 'an unknown method among those that a client offers',
    crossbar: 'refused where authentication is configured',
    here: 'skipped, the next one is tried',
    test: {
      file: 'test/integration/authentication.test.ts',
      title: 'are taken in its order, and unknown ones passed over',
    },
  },
  {
    id: 'D-21',
    topic: 'the salted key of WAMP-CRA',
    crossbar: 'the result of PBKDF2 in Base64',
    here: 'the same; the config of a salted user has that key, as the documents of Crossbar.io say, or the password, as its program (25.12) takes it: Base64 of exactly `keylen` bytes is a key',
    test: { file: 'test/unit/auth/wampcra/wampcra.test.ts', title: 'of a known challenge: $name, $secret' },
  },
  {
    id: 'D-22',
    topic: 'WAMP-SCRAM',
    crossbar: 'a dialect in names and computation',
    here: 'both: as `wamp-scram` by the specification, as `scram` in the dialect of Crossbar.io',
    test: { file: 'test/unit/auth/scram/scram.test.ts', title: 'have the known answers: $name' },
  },
  {
    id: 'D-23',
    topic: 'the error of a denied request',
    crossbar: '`wamp.error.not_authorized`',
    here: 'the same',
    test: {
      file: 'test/unit/router/role.test.ts',
      title: 'answers a denied request with not_authorized, before it says whether the URI exists',
    },
  },
  {
    id: 'D-24',
    topic: 'an empty `eligible` list',
    crossbar: 'counts as no list: all subscribers get the event',
    here: 'admits nobody',
    switch: '`compat.empty_eligible_admits_all`',
    test: { file: 'test/unit/router/compat.test.ts', title: 'off: an empty %s admits nobody; on: everybody' },
  },
  {
    id: 'D-25',
    topic: '`disclose_me`',
    crossbar: 'ignored: the config decides',
    here: 'the config decides; a request with it is refused where the config does not disclose',
    switch: '`compat.ignore_disclose_me`',
    test: { file: 'test/unit/router/compat.test.ts', title: 'on: it is passed over, and nobody is shown' },
  },
  {
    id: 'D-26',
    topic: 'asking a callee for progressive results',
    crossbar: 'always',
    here: 'always, although the specification asks only callees that announced `progressive_call_results`: wampy announces it as a caller only, kraftfahrstrasse in another place, and both support it',
    test: {
      file: 'test/unit/router/dealer/progressive-calls.test.ts',
      title: 'of a callee that announced nothing reach the caller that asked for them',
    },
  },
  {
    id: 'D-27',
    topic: 'the timeout of a call',
    crossbar: 'taken for seconds; `wamp.error.canceled`',
    here: 'milliseconds; `wamp.error.timeout`',
    test: {
      file: 'test/unit/router/dealer/call-timeout.test.ts',
      title: 'answers after so many milliseconds, interrupts the callee, and swallows its late answer',
    },
  },
  {
    id: 'D-28',
    topic: 'CANCEL with mode `skip`',
    crossbar: 'the caller is not answered',
    here: '`wamp.error.canceled` at once',
    switch: '`compat.cancel_without_error`',
    test: {
      file: 'test/unit/router/dealer/call-canceling.test.ts',
      title: 'skip: answers at once and leaves the callee alone',
    },
  },
  {
    id: 'D-29',
    topic: 'CANCEL without a mode, or with an unknown one',
    crossbar: 'as `killnowait`; closes with 1002',
    here: 'as `killnowait`; ABORT `wamp.error.protocol_violation`',
    test: { file: 'test/fixtures/wamp/own-vectors/invalid-messages.json', title: 'CANCEL bad mode' },
  },
  {
    id: 'D-30',
    topic: 'a CALL that may not disclose its caller',
    crossbar: 'does not occur',
    here: '`wamp.error.option_disallowed.disclose_me`',
    switch: '`compat.ignore_disclose_me`',
    test: { file: 'test/unit/router/dealer/dealer.test.ts', title: 'refuses disclose_me where the role does not' },
  },
  {
    id: 'D-31',
    topic: 'the best of several wildcard registrations',
    crossbar: 'the first that is found',
    here: 'the longest run of literal components decides, then the next one',
    test: {
      file: 'test/unit/router/dealer/pattern-registration.test.ts',
      title: 'sends a call of $procedure to $string_prefix',
    },
  },
  {
    id: 'D-32',
    topic: 'registering with another invocation policy',
    crossbar: '`wamp.error.procedure_exists_with_different_invocation_policy`',
    here: 'the same',
    test: {
      file: 'test/unit/router/dealer/shared-registration.test.ts',
      title: 'refuses another policy, and a second callee where nothing is shared',
    },
  },
  {
    id: 'D-33',
    topic: '`wamp.session.on_leave`',
    crossbar: 'the session id',
    here: 'session id, `authid` and `authrole`; handlers of one argument read the first',
    test: { file: 'test/unit/router/meta/session.test.ts', title: 'tell who came and who went, each once' },
  },
  {
    id: 'D-34',
    topic: 'killing sessions',
    crossbar: 'reason `wamp.close.normal`; the caller may end itself; lists of ids; no `kill_all`',
    here: 'reason `wamp.close.killed`; never the caller; a list for `kill_by_authid`, a count for `kill_by_authrole` and `kill_all`',
    test: {
      file: 'test/unit/router/meta/session.test.ts',
      title: 'kill_by_authrole and kill_all count them, and spare the caller',
    },
  },
  {
    id: 'D-35',
    topic: 'what a prefix is',
    crossbar: 'a plain text',
    here: 'the same',
    test: {
      file: 'test/unit/router/dealer/pattern-registration.test.ts',
      title: 'sends a call of $procedure to $string_prefix',
    },
  },
  {
    id: 'D-36',
    topic: 'unsubscribing or unregistering what another session holds',
    crossbar: 'an error',
    here: '`wamp.error.no_such_subscription`, `wamp.error.no_such_registration`',
    test: {
      file: 'test/unit/router/broker/broker.test.ts',
      title: 'answers an unsubscribe of a foreign, unknown or past subscription with no_such_subscription',
    },
  },
  {
    id: 'D-37',
    topic: 'AUTHENTICATE before HELLO',
    crossbar: 'ABORT `wamp.error.not_authorized`, stays open',
    here: 'ABORT `wamp.error.protocol_violation`, closes',
    test: { file: 'test/fixtures/wamp/own-vectors/invalid-messages.json', title: 'AUTHENTICATE before HELLO' },
  },
  {
    id: 'D-38',
    topic: 'a caller disappears in the middle of a call',
    crossbar: 'INTERRUPT to its callee',
    here: 'the same, when the callee announced `call_canceling`',
    test: {
      file: 'test/unit/router/dealer/dealer.test.ts',
      title: 'interrupts a callee that can be interrupted when the caller leaves; its late answer is harmless',
    },
  },
  {
    id: 'D-39',
    topic: 'default `match` and `invoke` in the meta API',
    crossbar: '`exact`, `single`',
    here: 'the same',
    test: {
      file: 'test/unit/router/dealer/registration-directory.test.ts',
      title: 'shows a registration as the meta API does',
    },
  },
  {
    id: 'D-40',
    topic: 'the callee in RESULT.Details',
    crossbar: 'always shown',
    here: 'not shown',
    test: {
      file: 'test/unit/router/dealer/dealer.test.ts',
      title: 'passes the call to the callee and the answer to the caller, payloads unchanged',
    },
  },
  {
    id: 'D-41',
    topic: 'the transport after a GOODBYE',
    crossbar: 'stays open',
    here: 'stays open for another HELLO, within `hello_timeout`',
    test: {
      file: 'test/integration/session.test.ts',
      title: 'carries one session after the other: new id, request ids from 1, nothing left of the first',
    },
  },
  {
    id: 'D-42',
    topic: 'a meta procedure with wrong arguments',
    crossbar: '`wamp.error.runtime_error` with internal text',
    here: '`wamp.error.invalid_argument`',
    test: {
      file: 'test/unit/router/meta/session.test.ts',
      title: '%s %j %j is answered with invalid_argument and changes nothing',
    },
  },
  {
    id: 'D-43',
    topic: 'the ERROR after a CANCEL that autobahn-js does not expect',
    crossbar: 'not sent for `skip`',
    here: 'sent; it can be left out for `skip` and `killnowait`, never for `kill`',
    switch: '`compat.cancel_without_error`',
    test: { file: 'test/unit/router/compat.test.ts', title: 'on: it ends without a word' },
  },
  {
    id: 'D-44',
    topic: '`wamp.subscription.get_events`',
    crossbar: 'the limit by position; the result is one list, the newest event first',
    here: 'as the specification: filters in keywords, each event an argument of the result, the oldest first; with a limit by position as Crossbar.io, but for the names in an event (`timestamp`, `subscription`, `details`). An answer has room for 128 KiB and 20,000 values; where there are more events it says `more: true` in a keyword, and `after_publication` (with `reverse`, `before_publication`) goes on. An event of more than 256 KiB, or 20,000 values, comes without its payload, with `omitted_bytes`',
    test: {
      file: 'test/unit/router/broker/meta-history.test.ts',
      title: 'takes a limit by position as Crossbar.io does, and answers as it does: one list, the newest first',
    },
  },
  {
    id: 'D-45',
    topic: 'taking a subscription from autobahn-python, which announces `subscription_revocation` and does not know it',
    crossbar: 'announces it too; not measured',
    here: 'UNSUBSCRIBED with request id 0, as to all clients that announce it; autobahn-python 22.7 closes its connection then. Only `wamp.subscription.remove_subscriber` takes subscriptions away',
    test: {
      file: 'test/unit/router/broker/broker-directory.test.ts',
      title: 'revokes: a message with request id 0 for those who know it, silence for the others',
    },
  },
  {
    id: 'D-46',
    topic: 'the end of the router: GOODBYE `wamp.close.system_shutdown`, as the specification has it',
    crossbar: 'no GOODBYE, according to its source; not measured',
    here: 'none, the connection is closed with 1001: autobahn-js and wampy do not reconnect after a GOODBYE',
    switch: '`controller.options.shutdown_goodbye`',
    test: {
      file: 'test/integration/shutdown.test.ts',
      title: 'closes WebSockets with 1001 and RawSockets with the end of the connection, both without GOODBYE',
    },
  },
  {
    id: 'D-47',
    topic: 'an authenticator or authorizer that is not registered, or does not answer in time',
    crossbar: 'ABORT or ERROR at once; not measured',
    here: 'the router waits 5 seconds for it, and 5 for its answer; after that a login ends with close code 1013, without an ABORT, which clients take for final; a request gets `wamp.error.authorization_failed`',
    test: {
      file: 'test/integration/absent-authenticator.test.ts',
      title: 'and does not come in time: the connection is closed so that clients come back',
    },
  },
  {
    id: 'D-48',
    topic: 'who may register the procedure of an authenticator or authorizer',
    crossbar: 'every session that may by the rules, also in place of another one; not measured',
    here: 'the role that the config names, else the one that registered it first; others get `wamp.error.not_authorized`',
    switch: '`authenticator-callee-role`, `authorizer-callee-role`',
    test: {
      file: 'test/unit/router/deciders.test.ts',
      title: 'belongs to the role that registers it first, also while that is away',
    },
  },
  {
    id: 'D-49',
    topic: 'the role `trusted`, which every realm has',
    crossbar:
      'sessions of the router itself have it; whoever gets it by the config may do everything, too; not measured',
    here: 'components and principals get it where the config says so, with a warning each. An authenticator cannot give it, and a cookie does not remember it. A role of this name in the realm takes its place',
    test: { file: 'test/integration/components.test.ts', title: 'the role trusted, which is in no config' },
  },
  {
    id: 'D-50',
    topic: '`default_file` of a static directory',
    crossbar:
      'answers with status 200 for paths of one level that do not exist; deeper ones get 404. Directories have their `index.html`',
    here: 'answers with status 200 for all paths that do not exist, if they have no file extension and `Accept` takes HTML; others get 404. Browsers do not keep it. Directories have their `index.html`, or what `options.index` names',
    test: {
      file: 'test/unit/webservice/static/static.test.ts',
      title: 'is answered with the default file, where the config names one, and never with another: %s',
    },
  },
  {
    id: 'D-51',
    topic: 'a port that transports of several workers share',
    crossbar:
      'the system chooses a process for each connection; a realm or path of another one is not found; not measured',
    here: 'one listener; HELLO leads to the worker that has the realm, a request to the one that has the path. The transports agree in all but `auth` and paths of their own',
    test: {
      file: 'test/integration/shared-ports.test.ts',
      title: 'leads to the worker that has the realm, by the auth of its transport',
    },
  },
  {
    id: 'D-52',
    topic: 'how long browsers keep a static file, where `cache_timeout` does not say',
    crossbar: '12 hours, according to its source; not measured',
    here: 'HTML is asked for each time, a name with a hash is kept for a year (`immutable`), all others 12 hours',
    switch: '`options.cache_timeout`',
    test: { file: 'test/unit/webservice/static/caching.test.ts', title: 'how long a file is kept' },
  },
  {
    id: 'D-53',
    topic: 'compressed copies beside a static file',
    crossbar: 'files of their own, and nothing else; not measured',
    here: 'a client that takes the coding gets `app.js.br` or `app.js.gz` for `app.js`; nothing is compressed by the node',
    test: {
      file: 'test/unit/webservice/static/compressed.test.ts',
      title: 'with Accept-Encoding %j: %s',
    },
  },
  {
    id: 'D-54',
    topic: 'pages of other origins at `static` and `json`',
    crossbar: 'may read everything: the origin is echoed, with credentials',
    here: 'may read nothing, unless the service says so; then without credentials',
    switch: '`options.allow_cross_origin`',
    test: {
      file: 'test/unit/webservice/static/static.test.ts',
      title: 'may be read by pages of other sites where the config says so, and never as the visitor: %s',
    },
  },
  {
    id: 'D-55',
    topic: 'what `nodeinfo` tells',
    crossbar: 'everybody learns the process, the start, the number of workers and the public key of the node',
    here: 'everybody learns the version and how long the node runs; the roles that the service names learn the rest',
    switch: '`options.roles`',
    test: {
      file: 'test/unit/webservice/nodeinfo/nodeinfo.test.ts',
      title: 'is a document for programs, and says nothing else',
    },
  },
  {
    id: 'D-56',
    topic: 'an absolute `url` in a call of `RESTCallee`, and a redirect to another server',
    crossbar: 'leaves `baseurl`; redirects of GET are followed anywhere',
    here: 'another server is refused, unless `allow_absolute` is set; a redirect to another server is the result. 10 s, 1 MiB and 100 requests are the limits',
    switch: '`extra.allow_absolute`',
    test: { file: 'test/unit/component/rest/arguments.test.ts', title: 'does not leave the server by the url %s' },
  },
  {
    id: 'D-57',
    topic: 'what `MessageForwarder` sends, and what it does when a server fails',
    crossbar: 'arguments only; all events at once; no second try',
    here: 'the topic and the publication are in `X-WAMP-Topic` and `X-WAMP-Publication`; one request at a time for each address, in order, 1,000 events wait; three tries',
    test: {
      file: 'test/unit/component/rest/subscriber.test.ts',
      title: 'arrive in order, one at a time, also from several subscriptions',
    },
  },
  {
    id: 'D-58',
    topic: 'what a CGI script gets, and for how long it runs',
    crossbar:
      'the whole environment of the node, `Authorization` and all cookies; no limits; it goes on when its client has left',
    here: 'the variables of RFC 3875, `PATH`, `LANG` and what the config says, no `Authorization` and no cookie of the node; `PATH_INFO` works; 30 s, 16 at a time; it ends when its client leaves',
    switch: '`options` of the service',
    test: {
      file: 'test/unit/webservice/cgi/environment.test.ts',
      title: 'has the variables of RFC 3875, those of the config, and of the node only two',
    },
  },
  {
    id: 'D-59',
    topic: 'the service `archive`',
    crossbar:
      'unpacks every file that is asked for, and sends no validator; a file is of the type of its last extension; `hashes` count for any archive; not measured',
    here: 'clients that take gzip get files as they are packed, with an `ETag`; of `.js` and `.min.js` the longer extension counts; ZIP64, encrypted entries and bombs are refused, names with a leading dot are not served',
    test: {
      file: 'test/unit/webservice/archive/archive.test.ts',
      title: 'goes out as it is packed to a client that takes gzip, and unpacked to others',
    },
  },
  {
    id: 'D-60',
    topic: 'pages of other origins at a `publisher`, `caller` or `webhook`',
    crossbar: 'any page may ask, also without a preflight',
    here: 'pages of the same host, unless `allowed_origins` has others: 403 before anything is done',
    switch: '`options.allowed_origins`',
    test: {
      file: 'test/browser/bridge.test.ts',
      title: 'pages of a foreign origin publish nothing, with and without a preflight',
    },
  },
  {
    id: 'D-61',
    topic: 'a signed request to a `publisher` or `caller` that comes twice',
    crossbar: 'is served again as long as its time is right',
    here: '401',
    test: {
      file: 'test/unit/webservice/bridge/bridge.test.ts',
      title: 'is served once, and again under another number',
    },
  },
  {
    id: 'D-62',
    topic:
      'a request to a `publisher` or `caller` whose topic, procedure, `args`, `kwargs` or options have the wrong type',
    crossbar: 'status 500, or what can be made of it is published',
    here: '400',
    test: { file: 'test/unit/webservice/bridge/publisher.test.ts', title: 'refuses %s' },
  },
  {
    id: 'D-63',
    topic: '`require_ip` and `require_tls` of a `publisher` or `caller`',
    crossbar: '400 for others; does not start with a network whose host bits are set',
    here: '403; such bits are no matter',
    test: { file: 'test/unit/webservice/bridge/bridge.test.ts', title: 'from outside of %j: %s gets %i' },
  },
  {
    id: 'D-64',
    topic: 'what a `webhook` publishes',
    crossbar: 'all headers; a body that is no UTF-8 is refused with 400, and a signature by SHA-256 alone, too',
    here: 'no `Authorization`, `Cookie` and `X-Hub-Signature`, unless `secret_headers` asks for them; such a body as bytes; SHA-256 is preferred',
    switch: '`options.secret_headers`',
    test: {
      file: 'test/unit/webservice/bridge/webhook.test.ts',
      title: 'keeps secrets to itself, unless it is asked to publish them',
    },
  },
  {
    id: 'D-65',
    topic: 'the service `upload`',
    crossbar:
      'was removed in 2018; its last version took the name of a file for a path, believed the sizes that it was told, and let a page name any topic; according to its source, not measured',
    here: 'is there. Names are reduced to their last part, sizes are checked, pieces of different visitors and files do not mix, a file takes the place of no other, topics and origins can be limited, and what is unfinished is bounded. What will never be right is 400 or 415, at which resumable.js gives up',
    switch: '`options.overwrite`, `options.topics`, `options.allowed_origins`',
    test: { file: 'test/unit/webservice/upload/upload.slow.test.ts', title: 'called %j is put into the directory' },
  },
  {
    id: 'D-66',
    topic: 'a request for messages over long-poll when there are none',
    crossbar:
      'is never answered, so that autobahn-js gives the connection up after 12 seconds; `request_timeout` is read and not applied; according to its source, not measured',
    here: 'status 204 after `request_timeout`, 10 seconds',
    switch: '`options.request_timeout`',
    test: {
      file: 'test/integration/long-poll.test.ts',
      title: 'stays while it is idle for longer than a request, and a session, may take',
    },
  },
  {
    id: 'D-67',
    topic: 'how long a client of long-poll may be quiet',
    crossbar:
      '`session_timeout` from the arrival of its last request, also while it waits for messages; according to its source, not measured',
    here: '`session_timeout` from the answer to its last request: one that waits is a sign of life',
    switch: '`options.session_timeout`',
    test: {
      file: 'test/integration/long-poll.test.ts',
      title: 'stays while it is idle for longer than a request, and a session, may take',
    },
  },
  {
    id: 'D-68',
    topic: 'how much may wait for a client of long-poll',
    crossbar:
      '`queue_limit_bytes` and `queue_limit_messages` are read and not applied; according to its source, not measured',
    here: 'they hold where they are configured; otherwise `max_unsent_bytes` alone, as for every client',
    switch: '`options.queue_limit_bytes`, `options.queue_limit_messages`',
    test: {
      file: 'test/integration/long-poll.test.ts',
      title: 'queue_limit_messages and max_message_size hold',
    },
  },
  {
    id: 'D-69',
    topic: 'messages of a client of long-poll that overtake each other',
    crossbar: 'are routed as they come, so that events of one publisher swap places',
    here: 'those that come too early wait for at most 300 ms, as long as the client counts its requests up from 1; answers of callees have no such ids and pass at once',
    test: { file: 'test/unit/transport/longpoll/order.test.ts', title: 'pass in the order of their ids' },
  },
  {
    id: 'D-70',
    topic: 'the services `wsgi` and `resource`',
    crossbar:
      'run in the process of the router; no limits to requests, bodies and what waits for slow clients; what the client sends as `X-Forwarded-For` is what the application sees; Twisted takes forms apart before a WSGI application; according to its source, not measured',
    here: 'run in the Python process of the worker; bodies, requests and unsent bytes are bounded, a slow application is 504, one that is gone 502; what is said of the client is what the node knows; a form comes as it is; the cookie of the node stays with the node',
    switch: '`options` of the service',
    test: { file: 'test/integration/python-applications.test.ts', title: 'is told who asks, and by nobody else' },
  },
  {
    id: 'D-71',
    topic: 'the service `reverseproxy`',
    crossbar:
      'asks by HTTP/1.0 with the whole body; of repeated headers the last one passes, and those of one connection pass, too; `X-Forwarded-Port` is 80 and `-Proto` http, unless configured; `Location` and `Set-Cookie` stay as they are; 501 when the backend is down, an empty 200 when it resets, no time limit; no WebSockets',
    here: 'streams both ways over connections that are kept; repeated headers stay, those of one connection do not; the port and scheme by which the client came; `Location` and the path of cookies are those that the browser sees, and the cookie of the node stays here; 502, 503 or 504, and a cut where half of an answer has left; WebSockets pass',
    switch: '`options` of the service',
    test: {
      file: 'test/integration/reverse-proxy-faults.test.ts',
      title: 'of one connection stay on it, and those that come twice come twice, both ways',
    },
  },
  {
    id: 'D-72',
    topic: 'the service `websocket-reverseproxy`',
    crossbar:
      'ends both WebSockets itself: no header, cookie or origin passes, close codes become 1000, and messages before the backend is ready are lost; according to its source, not measured',
    here: 'passes the bytes on after a handshake of the backend itself, with the headers of the client; close codes, pings and compression are those of both ends. Limits on messages are set at the backend',
    test: {
      file: 'test/unit/webservice/proxy/tunnel.slow.test.ts',
      title: 'is asked for as the client asks, and answered as the backend answers',
    },
  },
];
