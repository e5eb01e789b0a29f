import { describe, expect, it } from 'vitest';
import { ProtocolViolation } from '../../../../src/wamp/error.js';
import { testRealm } from '../../../support/realm.js';

const procedure = 'com.example.procedure';

describe('progressive call results', () => {
  function streaming(...features: string[]) {
    const { realm, session } = testRealm();
    const a = session();
    const b = session('callee.progressive_call_results', ...features);
    b.tell(64, 1, {}, procedure).heard();
    return { realm, a, b };
  }

  it('reach the caller as they come, in order, whatever their shape', () => {
    const { a, b } = streaming();
    a.tell(48, 1, { receive_progress: true }, procedure);
    expect(b.heard()).toEqual([[68, 1, 1, { receive_progress: true }]]);
    b.tell(70, 1, { progress: true }, [1]).tell(70, 1, { progress: true }, [], { k: 1 });
    expect(a.heard()).toEqual([
      [50, 1, { progress: true }, [1]],
      [50, 1, { progress: true }, [], { k: 1 }],
    ]);
    b.tell(70, 1, { progress: true }).tell(70, 1, {}, ['end']).tell(70, 1, { progress: true }, ['late']);
    expect(a.heard()).toEqual([
      [50, 1, { progress: true }],
      [50, 1, {}, ['end']],
    ]);
  });

  it('may end with an error, or be left out by the callee', () => {
    const { a, b } = streaming();
    a.tell(48, 1, { receive_progress: true }, procedure).tell(48, 2, { receive_progress: true }, procedure);
    b.tell(70, 1, { progress: true }, [1]).tell(8, 68, 1, {}, 'com.error').tell(70, 2, {});
    expect(a.heard()).toEqual([
      [50, 1, { progress: true }, [1]],
      [8, 48, 1, {}, 'com.error'],
      [50, 2, {}],
    ]);
  });

  it('of a callee that announced nothing reach the caller that asked for them', () => {
    const { session } = testRealm();
    const [a, b] = [session(), session()];
    b.tell(64, 1, {}, procedure).heard();
    a.tell(48, 1, { receive_progress: true }, procedure);
    expect(b.heard()).toEqual([[68, 1, 1, { receive_progress: true }]]);
    b.tell(70, 1, { progress: true }, [1]).tell(70, 1, {}, [2]);
    expect(a.heard()).toEqual([
      [50, 1, { progress: true }, [1]],
      [50, 1, {}, [2]],
    ]);
  });

  it('are not passed on to a caller that did not ask', () => {
    const { session } = testRealm();
    const [a, b] = [session(), session('callee.progressive_call_results')];
    b.tell(64, 1, {}, procedure).heard();
    a.tell(48, 1, {}, procedure);
    expect(b.heard()).toEqual([[68, 1, 1, {}]]);
    expect(b.tell(70, 1, { progress: true }, [1]).heard()).toEqual([]);
    expect(a.heard()).toEqual([]);
    b.tell(70, 1, {}, [2]);
    expect(a.heard()).toEqual([[50, 1, {}, [2]]]);
  });

  it('stop when the caller leaves; the callee is interrupted', () => {
    const { a, b, realm } = streaming('callee.call_canceling');
    a.tell(48, 1, { receive_progress: true }, procedure);
    b.tell(70, 1, { progress: true }, [1]).heard();
    a.leave();
    expect(b.heard()).toEqual([[69, 1, { mode: 'killnowait' }]]);
    expect(b.tell(70, 1, { progress: true }).tell(70, 1, {}).heard()).toEqual([]);
    expect(realm.size).toMatchObject({ calls: 0 });
  });

  it('stop when the callee leaves; the caller is told', () => {
    const { a, b } = streaming();
    a.tell(48, 1, { receive_progress: true }, procedure);
    b.tell(70, 1, { progress: true }, [1]).leave();
    expect(a.heard().map((message) => message[4] ?? message[2])).toEqual([{ progress: true }, 'wamp.error.canceled']);
  });
});

describe('progressive call invocations', () => {
  const CALLER = 'caller.progressive_call_invocations';
  const CALLEE = ['callee.progressive_call_invocations', 'callee.call_canceling'] as const;

  function sending(options: Record<string, unknown> = {}) {
    const { realm, session, clock } = testRealm();
    const a = session(CALLER);
    const b = session(...CALLEE);
    b.tell(64, 1, options, procedure).heard();
    return { realm, session, clock, a, b };
  }

  it('go to the same callee under the same id, until one says that it is the last', () => {
    const { a, b } = sending();
    a.tell(48, 1, { progress: true }, procedure, [1]).tell(48, 1, { progress: true, timeout: 5 }, procedure, [2]);
    a.tell(48, 1, {}, procedure, [3]);
    expect(b.heard()).toEqual([
      [68, 1, 1, { progress: true }, [1]],
      [68, 1, 1, { progress: true }, [2]],
      [68, 1, 1, {}, [3]],
    ]);
    expect(() => a.tell(48, 1, {}, procedure)).toThrow(ProtocolViolation);
    expect(() => a.tell(48, 1, { progress: true }, procedure)).toThrow(ProtocolViolation);
    b.tell(70, 1, {}, ['sum']);
    expect(a.heard()).toEqual([[50, 1, {}, ['sum']]]);
  });

  it('break the protocol when the caller did not announce them', () => {
    const { session } = testRealm();
    expect(() => session().tell(48, 1, { progress: true }, procedure)).toThrow(ProtocolViolation);
  });

  it.each([[[]], [['callee.progressive_call_invocations']], [['callee.call_canceling']]])(
    'are refused once when the callee announced only %j',
    (features) => {
      const { session } = testRealm();
      const a = session(CALLER);
      const b = session(...features);
      b.tell(64, 1, {}, procedure).heard();
      a.tell(48, 1, { progress: true }, procedure).tell(48, 1, { progress: true }, procedure);
      a.tell(48, 1, {}, procedure);
      expect(a.heard().map((message) => message[4])).toEqual(['wamp.error.feature_not_supported']);
      expect(b.heard()).toEqual([]);
      // The last one closed the book: the id is free again.
      a.tell(48, 1, {}, procedure);
      expect(b.heard()).toEqual([[68, 1, 1, {}]]);
    },
  );

  it('are answered once when there is no such procedure', () => {
    const { session } = testRealm();
    const a = session(CALLER);
    a.tell(48, 1, { progress: true }, procedure).tell(48, 1, {}, procedure);
    expect(a.heard().map((message) => message[4])).toEqual(['wamp.error.no_such_procedure']);
  });

  it.each([
    ['answered', [70, 1, {}, [1]]],
    ['failed', [8, 68, 1, {}, 'com.error']],
  ])('are dropped after the callee %s', (_what, answer) => {
    const { a, b } = sending();
    a.tell(48, 1, { progress: true }, procedure, [1]);
    b.tell(...answer).heard();
    a.tell(48, 1, { progress: true }, procedure, [2]).tell(48, 1, {}, procedure, [3]);
    expect(a.heard()).toHaveLength(1);
    expect(b.heard()).toEqual([]);
  });

  it('stay with the callee that was chosen, and are not rerouted after the second', () => {
    const { session } = testRealm();
    const a = session(CALLER);
    const callees = [session(...CALLEE), session(...CALLEE)];
    for (const callee of callees) callee.tell(64, 1, { invoke: 'roundrobin' }, procedure).heard();
    a.tell(48, 1, { progress: true }, procedure).tell(48, 1, { progress: true }, procedure);
    a.tell(48, 2, { progress: true }, procedure).tell(48, 2, {}, procedure);
    expect(callees.map((callee) => callee.heard().map(([, id]) => id))).toEqual([
      [1, 1],
      [1, 1],
    ]);
    callees[0]?.tell(8, 68, 1, {}, 'wamp.error.unavailable');
    expect(a.heard()[0]?.slice(2, 5)).toEqual([1, {}, 'wamp.error.unavailable']);
  });

  it('wait together with their call for a callee that is busy', () => {
    const { a, b } = sending({ concurrency: 1 });
    a.tell(48, 1, {}, procedure);
    a.tell(48, 2, { progress: true }, procedure, [1]).tell(48, 2, { progress: true }, procedure, [2]);
    a.tell(48, 2, {}, procedure, [3]);
    expect(b.heard()).toEqual([[68, 1, 1, {}]]);
    b.tell(70, 1, {});
    expect(b.heard()).toEqual([
      [68, 2, 1, { progress: true }, [1]],
      [68, 2, 1, { progress: true }, [2]],
      [68, 2, 1, {}, [3]],
    ]);
  });

  it.each(['caller', 'callee'])('end with the %s', (who) => {
    const { a, b, realm } = sending();
    a.tell(48, 1, { progress: true }, procedure);
    b.heard();
    (who === 'caller' ? a : b).leave();
    if (who === 'caller') expect(b.heard()).toEqual([[69, 1, { mode: 'killnowait' }]]);
    else
      expect(
        a
          .tell(48, 1, {}, procedure)
          .heard()
          .map((message) => message[4]),
      ).toEqual(['wamp.error.canceled']);
    a.leave();
    b.leave();
    for (const count of Object.values(realm.size)) expect(count).toBe(0);
  });
});
