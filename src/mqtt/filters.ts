/**
 * Filters of MQTT as subscriptions of WAMP. Not each filter has one pattern that says the same: where a pattern says more, the events
 * are looked at again, by their topics. Pure; the mapping of names is in `topics.ts`.
 */
import { MAX_URI_LENGTH, isValidUri } from '../wamp/uri.js';
import type { Match } from '../wamp/uri.js';
import { isHiddenTopic } from './topics.js';
import type { TopicMapping } from './topics.js';

/** A subscription that a filter needs. */
export interface Pattern {
  readonly match: Match;
  readonly uri: string;
}

/** What is subscribed to for a filter, and what of it the filter means. */
export interface FilterPlan {
  /** One, or two: `a/#` means `a`, too. The permission to subscribe is asked for each. */
  readonly patterns: readonly Pattern[];
  /** @returns whether the filter means a topic (section "Topic wildcards"). */
  matches(topic: string): boolean;
}

const ONE = '+';
const ALL = '#';

/** The longest filter: each of its levels stands for a character of a URI at least, and only `/#` may stand for none. */
const MAX_FILTER_LENGTH = MAX_URI_LENGTH + 2;

/**
 * So many levels a filter with wildcards may have: they are compared for each event, in each filter of a client. As in the broker of
 * mosquitto.
 */
export const MAX_LEVELS = 200;

/** @returns undefined for what is no filter, or could never mean a topic that has a URI. */
export function planFilter(filter: string, mapping: TopicMapping): FilterPlan | undefined {
  if (filter.length > MAX_FILTER_LENGTH || !isFilter(filter)) return undefined;
  const levels = mapping.levelsOf(filter);
  if (levels.length > MAX_LEVELS && levels.some((level) => level === ONE || level === ALL)) return undefined;
  const components = levels.map((level) => (level === ONE || level === ALL ? level : mapping.componentOf(level)));
  if (!components.every((component) => component !== undefined)) return undefined;
  // No topic is empty, so the parent of "/#" is none.
  const hasParent = levels.length > 1 && filter !== `/${ALL}`;
  const patterns = patternsOf(components, hasParent);
  // `loose` is the weaker rule: by the stricter one the realm judges.
  if (!patterns.every(({ match, uri }) => isValidUri(uri, 'loose', match))) return undefined;
  return { patterns, matches: (topic) => means(levels, topic, mapping) };
}

/** @returns whether each wildcard has a level of its own, and `#` the last one. */
function isFilter(filter: string): boolean {
  if (filter === '' || filter.includes('\0')) return false;
  const levels = filter.split('/');
  return levels.every((level, index) => {
    if (level === ALL) return index === levels.length - 1;
    return level === ONE || !/[+#]/.test(level);
  });
}

function patternsOf(components: readonly string[], hasParent: boolean): readonly Pattern[] {
  const end = components.at(-1) === ALL ? components.length - 1 : components.length;
  const firstWildcard = components.slice(0, end).indexOf(ONE);
  if (end === components.length) return [withoutRest(components, firstWildcard)];
  if (firstWildcard !== -1) return [prefixOf(components.slice(0, firstWildcard))];
  const parent = components.slice(0, end);
  return hasParent ? [prefixOf(parent), { match: 'exact', uri: parent.join('.') }] : [prefixOf(parent)];
}

/** A filter without `#`. */
function withoutRest(components: readonly string[], firstWildcard: number): Pattern {
  if (firstWildcard === -1) return { match: 'exact', uri: components.join('.') };
  const uri = components.map((component) => (component === ONE ? '' : component)).join('.');
  // A wildcard pattern has so many components, and no more: then more is subscribed to than is meant.
  return isValidUri(uri, 'loose', 'wildcard')
    ? { match: 'wildcard', uri }
    : prefixOf(components.slice(0, firstWildcard));
}

function prefixOf(components: readonly string[]): Pattern {
  return { match: 'prefix', uri: components.map((component) => `${component}.`).join('') };
}

function means(filter: readonly string[], topic: string, mapping: TopicMapping): boolean {
  const first = filter[0];
  if ((first === ONE || first === ALL) && isHiddenTopic(topic)) return false;
  const levels = levelsOf(topic, mapping);
  const open = filter.at(-1) === ALL;
  const count = open ? filter.length - 1 : filter.length;
  if (open ? levels.length < count : levels.length !== count) return false;
  for (let index = 0; index < count; index++) {
    const wanted = filter[index];
    if (wanted !== ONE && wanted !== levels[index]) return false;
  }
  return true;
}

/** The topic that was divided last: a client with many filters asks for the same one again and again. */
let divided: { readonly topic: string; readonly by: TopicMapping; readonly levels: readonly string[] } | undefined;

function levelsOf(topic: string, by: TopicMapping): readonly string[] {
  if (divided?.topic !== topic || divided.by !== by) divided = { topic, by, levels: by.levelsOf(topic) };
  return divided.levels;
}
