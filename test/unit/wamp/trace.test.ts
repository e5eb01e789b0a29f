/** Trace context in options and headers: what is taken, and what is dropped. */
import { describe, expect, it } from 'vitest';

import { traceFacts, traceIn, traceInHeaders } from '../../../src/wamp/trace.js';

const _traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

describe('the parent of a trace', () => {
  it.each([_traceparent, _traceparent.replace('00-', '01-'), _traceparent.replace(/01$/, 'ff')])(
    '%s is one',
    (text) => {
      expect(traceIn({ _traceparent: text, timeout: 5 })).toEqual({ _traceparent: text });
    },
  );

  it.each([
    ['', 7, null, {}, [_traceparent], new Uint8Array(55)],
    [_traceparent.toUpperCase(), ` ${_traceparent}`, `${_traceparent}-00`, `${_traceparent}\n`, _traceparent.slice(1)],
    [_traceparent.replace(/^00/, 'ff'), _traceparent.replace(/-4.{31}-/, `-${'0'.repeat(32)}-`)],
    [_traceparent.replace(/-0.{15}-/, `-${'0'.repeat(16)}-`), _traceparent.replaceAll('-', '_'), 'x'.repeat(55)],
  ])('these are none: %j', (...values) => {
    for (const value of values) expect(traceIn({ _traceparent: value, _tracestate: 'a=b' })).toBeUndefined();
  });

  it('is what the log calls "trace"', () => {
    expect(traceFacts({ _traceparent, _tracestate: 'a=b' })).toEqual({ trace: _traceparent });
    expect(traceFacts({ _traceparent: 'x' })).toEqual({});
    expect(traceFacts({})).toEqual({});
  });
});

describe('the state of a trace', () => {
  const stateOf = (_tracestate: unknown): unknown => traceIn({ _traceparent, _tracestate })?._tracestate;

  it.each([
    'a=b',
    'rojo=00f067aa0ba902b7,congo=t61rcWkgMzE',
    'fw529a3039@dt=FfD1d8wz,\tb=1 , ,c= x~!',
    'a=b,',
    `a=${'b'.repeat(256)},c=${'d'.repeat(251)}`,
    Array.from({ length: 32 }, (_, at) => `k${at}=1`).join(','),
  ])('%j is passed on as it is', (state) => expect(stateOf(state)).toBe(state));

  it.each([
    ['', 7, null, ['a=b'], 'a', '=b', 'A=b', 'a=', 'a=b=c', 'a=é', 'a=b\n', 'a=b\0', 'a b=c'],
    [`a=${'b'.repeat(256)},c=${'d'.repeat(252)}`, `a=${'b'.repeat(257)}`, `${'a'.repeat(257)}=b`],
    [Array.from({ length: 33 }, (_, at) => `k${at}=1`).join(',')],
  ])('these are none, and the parent stays: %j', (...states) => {
    for (const state of states) {
      const trace = traceIn({ _traceparent, _tracestate: state });
      expect(trace).toEqual({ _traceparent });
    }
  });

  it('means nothing without a parent', () => expect(traceIn({ _tracestate: 'a=b' })).toBeUndefined());
});

it('headers of HTTP say the same', () => {
  expect(traceInHeaders({ traceparent: _traceparent, tracestate: 'a=b' })).toEqual({
    _traceparent,
    _tracestate: 'a=b',
  });
  expect(traceInHeaders({ traceparent: `${_traceparent}, ${_traceparent}` })).toBeUndefined();
  expect(traceInHeaders({ tracestate: 'a=b' })).toBeUndefined();
});
