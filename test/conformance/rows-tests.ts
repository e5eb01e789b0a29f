/** What a row of the conformance checklist is, and the files that hold most of them. */

export interface HeldRow {
  readonly id: string;
  readonly what: string;
  /** Titles of tests, or names of vectors in a fixture that a test plays. */
  readonly tests: readonly { readonly file: string; readonly title: string }[];
}

type Held = readonly [file: string, title: string];

export function row(id: string, what: string, ...tests: readonly Held[]): HeldRow {
  return { id, what, tests: tests.map(([file, title]) => ({ file, title })) };
}

/** The title of a test in a file, for rows that name one after the other. */
const tests =
  (file: string) =>
  (title: string): Held => [file, title];

const FIXTURES = 'test/fixtures/wamp/own-vectors';
export const SCENARIOS = `${FIXTURES}/scenarios.json`;
export const INVALID = `${FIXTURES}/invalid-messages.json`;
const MESSAGES = `${FIXTURES}/messages.json`;
const RAWSOCKET = `${FIXTURES}/rawsocket.json`;
const BATCHED = `${FIXTURES}/batched.json`;

/** The tests that play the vectors of a fixture, each of them by its name. */
export const PLAYED_BY: Readonly<Record<string, { readonly file: string; readonly title: string }>> = {
  [SCENARIOS]: { file: 'test/integration/vectors/scenarios.test.ts', title: '$id $title' },
  [INVALID]: { file: 'test/integration/vectors/invalid.test.ts', title: '$in: $name -> $expect' },
  [MESSAGES]: { file: 'test/integration/vectors/messages.test.ts', title: 'client: $name' },
  [RAWSOCKET]: { file: 'test/integration/rawsocket.test.ts', title: '$name' },
  [BATCHED]: { file: 'test/integration/vectors/batched.test.ts', title: '$name' },
};

export const invalidVector = tests(INVALID);
export const messageVector = tests(MESSAGES);
export const rawSocketVector = tests(RAWSOCKET);
export const batchedVector = tests(BATCHED);

export const gaps = tests('test/conformance/gaps.test.ts');
export const messages = tests('test/integration/vectors/messages.test.ts');
export const scenarios = tests('test/integration/vectors/scenarios.test.ts');
export const uris = tests('test/integration/vectors/uris.test.ts');
export const binaryJson = tests('test/integration/vectors/binary-json.test.ts');
export const batches = tests('test/integration/vectors/batched.test.ts');
export const overTheWire = tests('test/integration/session.test.ts');
export const limits = tests('test/integration/limits.test.ts');
export const security = tests('test/integration/security.test.ts');
export const connections = tests('test/integration/connections.test.ts');
export const universal = tests('test/integration/universal.test.ts');
export const rawSocket = tests('test/integration/rawsocket.test.ts');
export const formats = tests('test/unit/serializer/formats.test.ts');
export const json = tests('test/unit/serializer/json.test.ts');
export const uriRules = tests('test/unit/wamp/uri.test.ts');
export const session = tests('test/unit/session/session.test.ts');
export const details = tests('test/unit/session/details.test.ts');
export const authorization = tests('test/unit/session/authorizer/authorization.test.ts');
export const authentication = tests('test/integration/authentication.test.ts');
export const authClients = tests('test/integration/authentication-clients.test.ts');
export const authContract = tests('test/contract/auth-method.ts');
export const ticket = tests('test/unit/auth/ticket.test.ts');
export const wampcra = tests('test/unit/auth/wampcra/wampcra.test.ts');
export const scram = tests('test/unit/auth/scram/scram.test.ts');
export const cryptosign = tests('test/unit/auth/cryptosign/cryptosign.test.ts');
export const tlsCertificate = tests('test/unit/auth/tls/tls.test.ts');
export const dynamic = tests('test/unit/auth/dynamic/dynamic.test.ts');
export const dynamicOverTheWire = tests('test/integration/dynamic-authenticator.test.ts');
export const handshake = tests('test/unit/transport/websocket/handshake.test.ts');
export const rawHandshake = tests('test/unit/transport/rawsocket/handshake.test.ts');
export const rawFraming = tests('test/unit/transport/rawsocket/framing.test.ts');
export const longPoll = tests('test/integration/long-poll.test.ts');
export const longPollService = tests('test/unit/webservice/longpoll/longpoll.test.ts');
export const longPollOrder = tests('test/unit/transport/longpoll/order.test.ts');
export const rawReader = tests('test/unit/transport/rawsocket/reader.test.ts');

const router = (name: string) => tests(`test/unit/router/${name}.test.ts`);
export const broker = router('broker/broker');
export const brokerDirectory = router('broker/broker-directory');
export const brokerPatterns = router('broker/broker-patterns');
export const callCanceling = router('dealer/call-canceling');
export const compat = router('compat');
export const callPassthru = router('dealer/call-passthru');
export const callRerouting = router('dealer/call-rerouting');
export const callTimeout = router('dealer/call-timeout');
export const coverage = router('pattern-relations.slow');
export const dealer = router('dealer/dealer');
export const history = router('broker/history');
export const historyProcedure = router('broker/meta-history');
export const match = router('pattern-index');
export const patternRegistration = router('dealer/pattern-registration');
export const progressive = router('dealer/progressive-calls');
export const registrationDirectory = router('dealer/registration-directory');
export const registrationMeta = router('meta/registration');
export const retention = router('broker/retention');
export const role = router('role');
export const sessionMeta = router('meta/session');
export const shared = router('dealer/shared-registration');
export const subscriptionMeta = router('meta/subscription');
export const testaments = router('meta/testaments');
