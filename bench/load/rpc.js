/**
 * Calls: one caller, one callee that hands the arguments back, a number of calls in flight. And its baseline: the same
 * texts to an echo server, where a message goes through the server twice instead of four times.
 */
import { ClosedLoop } from './closed-loop.js';
import { measure } from './measure.js';
import { Payloads, Sequence } from './sequence.js';
import { CALL, INVOCATION, RESULT, WampSession, YIELD } from './wamp-session.js';
import { WebSocketClient } from './websocket.js';

/** @typedef {import('../load.js').LoadContext} LoadContext */

/** @param {LoadContext} context */
export async function rpc(context) {
  const { options, violations, url } = context;
  const procedure = `bench.echo.${process.pid}`;
  const payloads = new Payloads(options.payload);
  const callee = await WampSession.open(url, options.realm, violations);
  const caller = await WampSession.open(url, options.realm, violations);
  const invocations = new Sequence('callee', violations);
  const results = new Sequence('caller', violations);
  const loop = new ClosedLoop({
    window: options.window,
    send: (number) => caller.send([CALL, caller.nextRequestId(), {}, procedure, [payloads.build(number)]]),
  });

  callee.handlers.set(INVOCATION, ([, requestId, , , args]) => {
    invocations.accept(payloads.numberIn(firstOf(args)), loop.sent);
    callee.send([YIELD, requestId, {}, args ?? []]);
  });
  let done = 0;
  caller.handlers.set(RESULT, ([, requestId, , args]) => {
    const number = payloads.numberIn(firstOf(args));
    if (!results.accept(number, loop.sent)) return;
    // Request ids count from 1, the numbers from 0.
    if (requestId !== number + 1)
      violations.add('mixed up', `call ${number + 1} got the result of ${String(requestId)}`);
    done++;
    loop.arrived(number);
  });

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
  client.onText = (bytes, start, end) => {
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

/** @param {unknown} args */
function firstOf(args) {
  return Array.isArray(args) ? args[0] : undefined;
}
