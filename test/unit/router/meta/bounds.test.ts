/** What one CALL of a procedure of the router may cost. */
import { describe, expect, it } from 'vitest';
import { MAX_ARGUMENT_BYTES } from '../../../../src/router/meta/procedure.js';
import { MAX_TESTAMENT_BYTES } from '../../../../src/router/meta/testaments.js';
import { CALL } from '../../../../src/wamp/message.js';
import type { Dict, Payload } from '../../../../src/wamp/payload.js';
import { testRealm } from '../../../support/realm.js';
import type { ScriptedSession } from '../../../support/realm.js';

const ADD = 'wamp.session.add_testament';

/** A payload as from a client, that counts how often values are made of it, and copies. */
class CountingPayload implements Payload {
  made = 0;
  copies = 0;
  readonly #args: readonly unknown[];
  readonly byteLength: number;

  constructor(args: readonly unknown[], byteLength = 100) {
    this.#args = args;
    this.byteLength = byteLength;
  }

  get args(): readonly unknown[] {
    this.made++;
    return this.#args;
  }

  get kwargs(): Dict | undefined {
    this.made++;
    return undefined;
  }

  detach(): Payload {
    this.copies++;
    return this;
  }
}

function calling() {
  const { realm, session, clock } = testRealm();
  const caller = session();
  const call = (procedure: string, payload: Payload, from: ScriptedSession = caller) => {
    realm.receive(from, { type: CALL, requestId: 1, options: {}, procedure, payload });
    return from.heard();
  };
  return { realm, session, clock, caller, call };
}

describe('a CALL of a meta procedure', () => {
  it.each([
    [ADD, ['com.will', ['x'], {}, {}, 'detached']],
    ['wamp.session.kill', [99, 'com.reason', 'text']],
    ['wamp.subscription.lookup', ['com.a', { match: 'prefix' }]],
    ['wamp.registration.remove_callee', [1, 2, 'com.reason']],
  ])('has its payload taken apart once: %s', (procedure, args) => {
    const payload = new CountingPayload(args);
    calling().call(procedure, payload);
    // Arguments and keyword arguments, each once.
    expect(payload.made).toBe(2);
  });

  it.each(['wamp.session.list', ADD, 'wamp.no.such'])('of more than 64 KiB is refused unread: %s', (procedure) => {
    const payload = new CountingPayload(['x'], MAX_ARGUMENT_BYTES + 1);
    const text = `"${procedure}" takes arguments of at most 65536 bytes`;
    expect(calling().call(procedure, payload)).toEqual([[8, 48, 1, {}, 'wamp.error.payload_size_exceeded', [text]]]);
    expect(payload.made).toBe(0);
  });

  it('that kills many sessions lets others have a turn, and is answered when all are gone', () => {
    const { realm, session, clock, caller, call } = calling();
    for (let i = 0; i < 250; i++) session();
    const done: number[] = [];
    call('wamp.session.kill_all', new CountingPayload([]));
    for (let turn = 0; turn < 5; turn++) {
      done.push(realm.size.sessions);
      clock.advance(0);
    }
    expect(done[0]).toBe(151);
    expect(realm.size.sessions).toBe(1);
    expect(caller.heard()).toEqual([[50, 1, {}, [250]]]);
  });
});

describe('testaments', () => {
  it('are kept as what came in, in memory of its own, and read when they are due', () => {
    const { session, caller, call } = calling();
    const heir = session().tell(32, 1, {}, 'com.will');
    heir.heard();
    const payload = new CountingPayload(['com.will', ['x'], {}]);
    call(ADD, payload);
    expect(payload).toMatchObject({ made: 2, copies: 1 });
    expect(caller.keptBytes).toBeGreaterThan(payload.byteLength);
    caller.leave();
    expect(payload.made).toBe(4);
    expect(heir.heard()).toEqual([[36, 1, expect.any(Number), {}, ['x']]]);
    expect(caller.keptBytes).toBe(0);
  });

  it('of a session take no more than 128 KiB together', () => {
    const { caller, call } = calling();
    const add = () => call(ADD, new CountingPayload(['com.will', ['x'], {}], 60_000))[0];
    expect([add()?.[0], add()?.[0]]).toEqual([50, 50]);
    const text = `the testaments of a session take at most ${MAX_TESTAMENT_BYTES} bytes`;
    expect(add()).toEqual([8, 48, 1, {}, 'wamp.error.testament_error', [text]]);
    caller.tell(48, 2, {}, 'wamp.session.flush_testaments').heard();
    expect(caller.keptBytes).toBe(0);
    expect(add()?.[0]).toBe(50);
  });
});
