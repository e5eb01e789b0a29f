import { describe, expect, it } from 'vitest';
import { ProtocolViolation } from '../../../../src/wamp/error.js';
import { testRealm } from '../../../support/realm.js';

const procedure = 'com.example.procedure';
const ppt = { ppt_scheme: 'wamp', ppt_serializer: 'cbor', ppt_keyid: 'k' };
const CALLER = ['caller.payload_passthru_mode', 'caller.progressive_call_invocations'];
const CALLEE = [
  'callee.payload_passthru_mode',
  'callee.progressive_call_results',
  'callee.progressive_call_invocations',
  'callee.call_canceling',
];

function pair(callerFeatures: readonly string[], calleeFeatures: readonly string[]) {
  const { session, realm } = testRealm();
  const a = session(...callerFeatures);
  const b = session(...calleeFeatures);
  b.tell(64, 1, {}, procedure).heard();
  return { a, b, realm };
}

describe('payload passthru mode of calls', () => {
  it('passes the attributes with calls, results, progress and errors', () => {
    const { a, b } = pair(CALLER, CALLEE);
    const bytes = new Uint8Array([1, 2]);
    a.tell(48, 1, { ...ppt, receive_progress: true, timeout: 0 }, procedure, [bytes]).tell(48, 2, ppt, procedure);
    expect(b.heard()).toEqual([
      [68, 1, 1, { receive_progress: true, ...ppt }, [bytes]],
      [68, 2, 1, ppt],
    ]);
    b.tell(70, 1, { progress: true, ...ppt }, [bytes])
      .tell(70, 1, ppt, [bytes])
      .tell(8, 68, 2, ppt, 'com.error');
    expect(a.heard()).toEqual([
      [50, 1, { progress: true, ...ppt }, [bytes]],
      [50, 1, ppt, [bytes]],
      [8, 48, 2, ppt, 'com.error'],
    ]);
  });

  it("passes autobahn's attributes, which nobody announces", () => {
    const enc = { enc_algo: 'cryptobox', enc_key: 'k', enc_serializer: 'json' };
    const { a, b } = pair([], []);
    a.tell(48, 1, enc, procedure);
    expect(b.heard()).toEqual([[68, 1, 1, enc]]);
    b.tell(70, 1, enc);
    expect(a.heard()).toEqual([[50, 1, enc]]);
  });

  it('breaks the protocol when it was not announced by who uses it', () => {
    const { a, b } = pair([], []);
    expect(() => a.tell(48, 1, ppt, procedure)).toThrow(ProtocolViolation);
    a.tell(48, 2, {}, procedure);
    expect(() => b.tell(70, 1, ppt)).toThrow(ProtocolViolation);
    expect(() => b.tell(8, 68, 1, ppt, 'com.error')).toThrow(ProtocolViolation);
  });

  it('is refused when the callee cannot read it', () => {
    const { a, b } = pair(CALLER, CALLEE.slice(1));
    expect(a.tell(48, 1, ppt, procedure).heard()[0]?.[4]).toBe('wamp.error.feature_not_supported');
    expect(b.heard()).toEqual([]);
    a.tell(48, 2, { progress: true }, procedure).tell(48, 2, { progress: true, ...ppt }, procedure);
    expect(a.heard().map((message) => message[4])).toEqual(['wamp.error.feature_not_supported']);
    expect(b.heard().map(([type]) => type)).toEqual([68, 69]);
  });

  it('ends the call when the caller cannot read the answer', () => {
    const { a, b, realm } = pair([], CALLEE);
    a.tell(48, 1, {}, procedure).tell(48, 2, { receive_progress: true }, procedure).tell(48, 3, {}, procedure);
    b.heard();
    b.tell(70, 1, ppt, ['x'])
      .tell(70, 2, { progress: true, ...ppt }, ['x'])
      .tell(8, 68, 3, ppt, 'com.error', ['x']);
    expect(a.heard()).toEqual(
      [1, 2, 3].map((id) => [
        ...[8, 48, id, {}, 'wamp.error.feature_not_supported'],
        ['the caller did not announce payload_passthru_mode'],
      ]),
    );
    expect(b.heard()).toEqual([[69, 2, { mode: 'killnowait' }]]);
    expect(realm.size).toMatchObject({ calls: 0 });
  });
});
