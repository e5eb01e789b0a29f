/**
 * Pattern subscriptions that lie about a topic: prefixes of several lengths and wildcards, near misses among them, so that
 * a look-up cannot leave early. Exactly one, the first, matches.
 */

/** @typedef {{ uri: string, match: 'prefix' | 'wildcard' }} Pattern */

/** What each pattern but the first is, in turn: it has the beginning or most components of the topic, and a number of its own. */
const KINDS = /** @type {readonly ((run: string, number: string) => Pattern)[]} */ ([
  (_run, number) => ({ match: 'prefix', uri: `bench.${number}` }),
  (run, number) => ({ match: 'wildcard', uri: `bench..${run}.here.w${number}` }),
  (run, number) => ({ match: 'prefix', uri: `bench.topic.${run}.${number}` }),
  (run, number) => ({ match: 'wildcard', uri: `.topic.${run}.w${number}.temperature` }),
  (run, number) => ({ match: 'prefix', uri: `bench.topic.${run}.here.${number}` }),
  (_run, number) => ({ match: 'wildcard', uri: `bench.topic..w${number}.` }),
]);

/** @param {number | string} run anything that makes it one's own */
export function patternTopic(run) {
  return `bench.topic.${run}.here.temperature`;
}

/**
 * @param {number} count
 * @param {number | string} run
 * @returns {Pattern[]} the first one matches {@link patternTopic}, no other does
 */
export function patternsAround(count, run) {
  const others = Array.from({ length: count - 1 }, (_, index) => {
    const kind = KINDS[index % KINDS.length];
    if (kind === undefined) throw new Error('there is a kind for every remainder');
    return kind(String(run), String(index).padStart(6, '0'));
  });
  return [{ match: 'prefix', uri: `bench.topic.${run}.here.` }, ...others];
}
