/** The trace of a CALL is that of its INVOCATION, and the trace of a PUBLISH that of its EVENT. */
import { expect, it } from 'vitest';

import { testRealm } from '../../support/realm.js';

const procedure = 'com.example.procedure';
const trace = {
  _traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
  _tracestate: 'rojo=00f067aa0ba902b7',
};
const bad = { _traceparent: 'x', _tracestate: 'a=b' };

it('a call has it, and its result has not', () => {
  const { session } = testRealm();
  const [a, b] = [session(), session()];
  b.tell(64, 1, {}, procedure).heard();
  a.tell(48, 1, trace, procedure)
    .tell(48, 2, bad, procedure)
    .tell(48, 3, { ...trace, _tracestate: '' }, procedure);
  expect(b.heard()).toEqual([
    [68, 1, 1, trace],
    [68, 2, 1, {}],
    [68, 3, 1, { _traceparent: trace._traceparent }],
  ]);
  b.tell(70, 1, trace);
  expect(a.heard()).toEqual([[50, 1, {}]]);
});

it('each message of a progressive call has its own', () => {
  const { session } = testRealm();
  const caller = session('caller.progressive_call_invocations');
  const callee = session('callee.progressive_call_invocations', 'callee.call_canceling');
  callee.tell(64, 1, {}, procedure).heard();
  caller.tell(48, 1, { progress: true, ...trace }, procedure).tell(48, 1, { ...trace, _tracestate: 'b=c' }, procedure);
  expect(callee.heard()).toEqual([
    [68, 1, 1, { progress: true, ...trace }],
    [68, 1, 1, { ...trace, _tracestate: 'b=c' }],
  ]);
});

it('an event has it, also the one that is kept', () => {
  const { session } = testRealm();
  const [a, b] = [session(), session()];
  for (const [id, topic, match] of [
    [1, 'com.topic', 'exact'],
    [2, 'com.', 'prefix'],
  ])
    b.tell(32, id, { match }, topic).heard();
  a.tell(16, 1, { ...trace, retain: true }, 'com.topic').tell(16, 2, bad, 'com.topic');
  const details = b.heard().map((message) => message.slice(3));
  expect(details).toEqual([[trace], [{ ...trace, topic: 'com.topic' }], [{}], [{ topic: 'com.topic' }]]);
  a.tell(32, 3, { get_retained: true }, 'com.topic');
  expect(a.heard().at(-1)?.[3]).toEqual({ ...trace, retained: true });
});
