import { describe, expect, it } from 'vitest';
import type { Pattern } from '../../../src/mqtt/filters.js';
import { MqttSubscriptions } from '../../../src/mqtt/subscriptions.js';
import { escapedTopics } from '../../../src/mqtt/topics.js';
import { EVENT } from '../../../src/wamp/message.js';
import type { Event, Qos } from '../../../src/wamp/message.js';
import type { Dict } from '../../../src/wamp/payload.js';
import { NO_PAYLOAD } from '../../../src/wamp/payload.js';

/** A router that answers when the test says so, the oldest request first. */
class ScriptedRouter {
  readonly #ids = new Map<string, number>();
  readonly #answers: (() => void)[] = [];
  readonly refused = new Set<string>();
  #said: string[] = [];
  readonly subscriptions: MqttSubscriptions;

  constructor(maxSubscriptions = 10, maxQos: Qos = 2) {
    const requests = {
      subscribe: ({ match, uri }: Pattern, getRetained: boolean, done: (id: number | undefined) => void) => {
        const name = `${match} ${uri}`;
        this.#said.push(`+ ${name}${getRetained ? ' retained' : ''}`);
        const id = this.#ids.get(name) ?? this.#ids.size + 1;
        this.#ids.set(name, id);
        this.#answers.push(() => done(this.refused.has(name) ? undefined : id));
      },
      unsubscribe: (id: number, done: () => void) => {
        this.#said.push(`- ${id}`);
        this.#answers.push(done);
      },
    };
    this.subscriptions = new MqttSubscriptions(requests, { topics: escapedTopics, maxQos, maxSubscriptions });
  }

  get said(): string[] {
    return this.#said.splice(0);
  }

  answer(): this {
    for (let next = this.#answers.shift(); next !== undefined; next = this.#answers.shift()) next();
    return this;
  }

  answerOne(): void {
    this.#answers.shift()?.();
  }

  /** Subscribes. @returns a list that gets what is granted. */
  subscribe(text: string, qos: Qos = 0): (Qos | undefined)[] {
    const granted: (Qos | undefined)[] = [];
    this.subscriptions.subscribe(text, qos, true, (each) => granted.push(each));
    return granted;
  }

  unsubscribe(text: string): string[] {
    const done: string[] = [];
    this.subscriptions.unsubscribe(text, () => done.push(text));
    return done;
  }

  qos(subscription: number, topic: string, details: Dict = {}): Qos | undefined {
    return this.subscriptions.qosFor(event(subscription, details), topic);
  }
}

function event(subscription: number, details: Dict = {}): Event {
  return { type: EVENT, subscription, publication: 1, details, payload: NO_PAYLOAD, frames: [] };
}

describe('a filter', () => {
  it('is granted when all its patterns are', () => {
    const router = new ScriptedRouter();
    const granted = router.subscribe('a/#', 2);
    expect(router.said).toEqual(['+ prefix a. retained', '+ exact a retained']);
    router.answerOne();
    expect(granted).toEqual([]);
    router.answer();
    expect(granted).toEqual([2]);
    expect(router.subscriptions.filters).toEqual([{ topic: 'a/#', qos: 2 }]);
  });

  it('is granted with no more than the node has', () => {
    const router = new ScriptedRouter(10, 1);
    const granted = router.subscribe('a', 2);
    router.answer();
    expect(granted).toEqual([1]);
  });

  it('is refused when one of its patterns is, and the others are given up', () => {
    const router = new ScriptedRouter();
    router.refused.add('exact a');
    const granted = router.subscribe('a/#');
    router.answer();
    expect(granted).toEqual([undefined]);
    expect(router.said.at(-1)).toBe('- 1');
    expect(router.subscriptions.filters).toEqual([]);
    expect(router.qos(1, 'a/b')).toBeUndefined();
  });

  it('is refused at once when it is none, or one too many; one that is there may be asked for again', () => {
    const router = new ScriptedRouter(1);
    expect(router.subscribe('a#')).toEqual([undefined]);
    const [first, other, again] = [router.subscribe('a'), router.subscribe('b'), router.subscribe('a', 1)];
    router.answer();
    expect([first, other, again]).toEqual([[0], [undefined], [1]]);
    expect(router.said).toEqual(['+ exact a retained', '+ exact a retained']);
  });
});

describe('an event', () => {
  it('has the highest QoS of the filters that mean its topic', () => {
    const router = new ScriptedRouter();
    router.subscribe('a/+/#', 1);
    router.subscribe('a/b/+/#', 0);
    router.subscribe('a/#', 2);
    router.answer();
    // "a/+/#" and "a/#" share the prefix "a.".
    expect(router.qos(1, 'a/b')).toBe(2);
    router.unsubscribe('a/#');
    router.answer();
    expect(router.qos(1, 'a/b')).toBe(1);
    expect(router.qos(1, 'b')).toBeUndefined();
    expect(router.subscriptions.uriOf(event(1, { topic: 'a.b' }))).toBe('a.b');
    expect(router.subscriptions.uriOf(event(9))).toBeUndefined();
  });

  it('that was retained is of the filter that was subscribed to last', () => {
    const router = new ScriptedRouter();
    router.subscribe('a/#', 2);
    router.answer();
    router.subscribe('a/+/#', 1);
    router.answer();
    expect(router.qos(1, 'a/b', { retained: true })).toBe(1);
    expect(router.qos(1, 'a/b')).toBe(2);
  });

  it('of an exact subscription is about its URI', () => {
    const router = new ScriptedRouter();
    router.subscribe('a', 1);
    router.answer();
    expect(router.subscriptions.uriOf(event(1))).toBe('a');
    expect(router.qos(1, 'a')).toBe(1);
  });
});

describe('unsubscribing', () => {
  it('ends what no other filter needs, and is over with the last answer', () => {
    const router = new ScriptedRouter();
    router.subscribe('a/#');
    router.subscribe('a');
    router.answer();
    expect(router.said).toHaveLength(3);
    const done = router.unsubscribe('a/#');
    expect(router.said).toEqual(['- 1']);
    expect(done).toEqual([]);
    router.answer();
    expect(done).toEqual(['a/#']);
    expect(router.unsubscribe('nothing')).toEqual(['nothing']);
    expect(router.qos(2, 'a')).toBe(0);
  });

  it('waits for the answer to a SUBSCRIBE, and for those that came behind it', () => {
    const router = new ScriptedRouter();
    router.subscribe('a');
    expect(router.unsubscribe('a')).toEqual(['a']);
    const again = router.subscribe('a', 1);
    router.answer();
    expect(again).toEqual([1]);
    expect(router.said).toEqual(['+ exact a retained', '+ exact a retained']);
    expect(router.qos(1, 'a')).toBe(1);

    router.subscribe('b');
    router.unsubscribe('b');
    router.answer();
    expect(router.said).toEqual(['+ exact b retained', '- 2']);
    expect(router.qos(2, 'b')).toBeUndefined();
  });

  it('by the router takes all filters away that need the subscription', () => {
    const router = new ScriptedRouter();
    router.subscribe('a/#');
    router.subscribe('a/+/#');
    router.answer();
    expect(router.said).toHaveLength(3);
    expect(router.subscriptions.revoked(1)).toEqual(['a/#', 'a/+/#']);
    expect(router.said).toEqual(['- 2']);
    expect(router.subscriptions.filters).toEqual([]);
    expect(router.subscriptions.revoked(1)).toEqual([]);
  });
});
