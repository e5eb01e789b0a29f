/**
 * Calls: one caller, one callee that hands the arguments back, a number of calls in flight. And its baseline: the same
 * texts to an echo server, where a message goes through the server twice instead of four times.
 */
import { ClosedLoop } from './closed-loop.js';
import { EnvelopeReader, PreparedMessage } from './codec.js';
import { measure } from './measure.js';
import { Payloads, Sequence } from './sequence.js';
import { CALL, INVOCATION, RESULT, WampSession, YIELD } from './wamp-session.js';
import { WebSocketClient } from './websocket.js';

/** @typedef {import('../load.js').LoadContext} LoadContext */

/** @param {LoadContext} context */
export async function rpc(context) {
  const { options, violations, url } = context;
  const { rawsocket } = options;
  const [serializer = 'json'] = options.serializers;
  const procedure = `bench.echo.${process.pid}`;
  const payloads = new Payloads(options.payload);
  const callee = await WampSession.open(url, options.realm, violations, { serializer, rawsocket });
  const caller = await WampSession.open(url, options.realm, violations, { serializer, rawsocket });
  const invocations = new Sequence('callee', violations);
  const results = new Sequence('caller', violations);
  const send = senders(caller, callee, procedure, payloads);
  const loop = new ClosedLoop({
    window: options.window,
    send: (number) => send.call(caller.nextRequestId(), number),
  });

  let done = 0;
  const onInvocation = (/** @type {number} */ requestId, /** @type {number} */ number) => {
    invocations.accept(number, loop.sent);
    send.yield(requestId, number);
  };
  const onResult = (/** @type {number} */ requestId, /** @type {number} */ number) => {
    if (!results.accept(number, loop.sent)) return;
    // Request ids count from 1, the numbers from 0.
    if (requestId !== number + 1) violations.add('mixed up', `call ${number + 1} got the result of ${requestId}`);
    done++;
    loop.arrived(number);
  };
  receive(callee, INVOCATION, payloads, onInvocation);
  receive(caller, RESULT, payloads, onResult);

  await callee.register(procedure);
  loop.start();
  const stretch = await measure(
    context.stretch,
    () => done,
    () => loop.startTiming(),
  );
  await loop.drain(options.drain);
  invocations.finish(loop.sent);
  results.finish(loop.sent);
  callee.client.drop();
  caller.client.drop();
  return { unit: 'call', ...stretch, latencyMs: loop.latencies() };
}

/** @param {LoadContext} context */
export async function echo(context) {
  const { options, violations, url } = context;
  const payloads = new Payloads(options.payload);
  const client = await WebSocketClient.open(url, 'bench');
  const echoes = new Sequence('client', violations);
  const loop = new ClosedLoop({
    window: options.window,
    send: (number) =>
      client.send(JSON.stringify([CALL, number + 1, {}, `bench.echo.${process.pid}`, [payloads.build(number)]])),
  });
  let done = 0;
  client.onMessage = (bytes, start, end) => {
    const number = payloads.numberIn(firstOf(JSON.parse(bytes.toString('utf8', start, end))[4]));
    if (!echoes.accept(number, loop.sent)) return;
    done++;
    loop.arrived(number);
  };
  client.onEnd = (reason) => violations.add('connection lost', reason.message);

  loop.start();
  const stretch = await measure(
    context.stretch,
    () => done,
    () => loop.startTiming(),
  );
  await loop.drain(options.drain);
  echoes.finish(loop.sent);
  client.drop();
  return { unit: 'echo', ...stretch, latencyMs: loop.latencies() };
}

/**
 * A callee answers with the text that it has just compared with what was sent, so the number says all.
 *
 * @param {WampSession} caller
 * @param {WampSession} callee
 * @param {string} procedure
 * @param {Payloads} payloads
 */
function senders(caller, callee, procedure, payloads) {
  const call = (/** @type {number} */ id, /** @type {string} */ payload) => [CALL, id, {}, procedure, [payload]];
  const answer = (/** @type {number} */ id, /** @type {string} */ payload) => [YIELD, id, {}, [payload]];
  if (!caller.codec.binary) {
    return {
      call: (/** @type {number} */ id, /** @type {number} */ number) => caller.send(call(id, payloads.build(number))),
      yield: (/** @type {number} */ id, /** @type {number} */ number) =>
        callee.send(answer(id, payloads.build(number))),
    };
  }
  const preparedCall = new PreparedMessage(caller.codec, call, payloads);
  const preparedYield = new PreparedMessage(callee.codec, answer, payloads);
  return {
    call: (/** @type {number} */ id, /** @type {number} */ number) => caller.client.send(preparedCall.fill(id, number)),
    yield: (/** @type {number} */ id, /** @type {number} */ number) =>
      callee.client.send(preparedYield.fill(id, number)),
  };
}

/**
 * @param {WampSession} session
 * @param {number} type
 * @param {Payloads} payloads
 * @param {(requestId: number, number: number) => void} take
 */
function receive(session, type, payloads, take) {
  session.handlers.set(type, (message) =>
    take(Number(message[1]), payloads.numberIn(firstOf(message[type === RESULT ? 3 : 4]))),
  );
  if (!session.codec.binary) return;
  const reader = new EnvelopeReader(session.codec, payloads);
  session.intercept = (bytes, start, end) => {
    if (!reader.read(bytes, start, end) || reader.type !== type) return false;
    take(reader.requestId, reader.number);
    return true;
  };
}

/** @param {unknown} args */
function firstOf(args) {
  return Array.isArray(args) ? args[0] : undefined;
}
