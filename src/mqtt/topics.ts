/**
 * Topics of MQTT and URIs of WAMP: one name for the same thing. `/` between levels is `.` between components. What stands inside a
 * level is either escaped, so that each topic has a URI of its own, or left as it is, as in Crossbar.io. It knows no sessions; the
 * filters of subscribers are in `filters.ts`.
 */
import { MAX_URI_LENGTH } from '../wamp/uri.js';

/** How topics become URIs. One constant object per way; both are without state. */
export interface TopicMapping {
  /** @returns the URI of a topic. It may be longer than a URI is, or against the rule of a realm: the realm says so. */
  uriOf(topic: string): string;
  /** @returns the topic of a URI; undefined where MQTT has no such topic, so that no client may see it. */
  topicOf(uri: string): string | undefined;
  /**
   * The same for one level of a filter that is no wildcard.
   * @returns undefined when no topic that has a URI has such a level.
   */
  componentOf(level: string): string | undefined;
  /** Divides a filter or a topic where its URI is divided. */
  levelsOf(name: string): readonly string[];
}

/** What a URI does not take inside a component (`loose` in `wamp/uri.ts`), and the mark of what stands for it. */
const UNFIT = /[%.#\s]/gu;
const HAS_UNFIT = /[.#\s]/u;
const ESCAPE = /%[0-9A-F]{2}/;
/** Something to escape, or an empty level: most topics have neither. */
const IS_SPECIAL = /[%.#\s]|^\/|\/\/|\/$|^$/u;

/** What has no place in UTF-8. */
const LONE_SURROGATE = /\p{Surrogate}/u;

/** An empty level. A `%` of the topic itself is never alone: it is escaped. */
const EMPTY = '%';

/**
 * Each topic has a URI of its own, and finds the way back: inside a level `%`, `.`, `#` and white space are escaped as `%XX`, and an
 * empty level is a bare `%`. A component that is no escape is shown as it is.
 */
export const escapedTopics: TopicMapping = {
  uriOf: (topic) => (IS_SPECIAL.test(topic) ? topic.split('/').map(escaped).join('.') : topic.replaceAll('/', '.')),
  topicOf: (uri) => topicFrom(uri, unescaped),
  componentOf: escaped,
  levelsOf: (name) => name.split('/'),
};

/** As in Crossbar.io: only the separator changes, so `a.b` comes back as `a/b`. */
export const plainTopics: TopicMapping = {
  uriOf: (topic) => topic.replaceAll('/', '.'),
  topicOf: (uri) => topicFrom(uri, (component) => component),
  componentOf: (level) => (level === '' || HAS_UNFIT.test(level) ? undefined : level),
  levelsOf: (name) => name.split(/[/.]/),
};

/** config word -> what it does */
export const TOPIC_MAPPINGS = { escaped: escapedTopics, crossbar: plainTopics } as const;

/**
 * @returns why it is no topic that a client may name in a PUBLISH or a will, for a log; undefined when it is one (section "Topic
 * Names and Topic Filters"). Text that is not well-formed has not come so far.
 */
export function topicFault(topic: string): string | undefined {
  if (topic === '') return 'the topic is empty';
  if (topic.includes('\0')) return 'the topic has a NUL in it';
  return /[+#]/.test(topic) ? 'the topic has a wildcard in it' : undefined;
}

/** Events that a wildcard at the beginning of a filter never stands for (section "Topics beginning with $"), by the first level. */
export function isHiddenTopic(topic: string): boolean {
  return topic.startsWith('$') || /^(?:wamp|crossbar)(?:\/|$)/.test(topic);
}

function escaped(level: string): string {
  if (level === '') return EMPTY;
  return level.replace(UNFIT, (unit) =>
    unit.charCodeAt(0) < 0x80 ? hex(unit.charCodeAt(0)) : encodeURIComponent(unit),
  );
}

function hex(octet: number): string {
  return `%${octet.toString(16).toUpperCase().padStart(2, '0')}`;
}

/** Only what {@link escaped} writes is an escape: else two URIs would be shown as one topic without need. */
function unescaped(component: string): string {
  if (component === EMPTY) return '';
  if (!ESCAPE.test(component)) return component;
  let level: string;
  try {
    level = decodeURIComponent(component);
  } catch (error) {
    if (!(error instanceof URIError)) throw error;
    return component;
  }
  return level !== '' && escaped(level) === component ? level : component;
}

/** A component may have a `/` in it, which would divide its level in two: then it has no topic. */
function topicFrom(uri: string, levelOf: (component: string) => string): string | undefined {
  if (uri.length > MAX_URI_LENGTH || uri.includes('/')) return undefined;
  const topic = uri.split('.').map(levelOf).join('/');
  return LONE_SURROGATE.test(topic) || topicFault(topic) !== undefined ? undefined : topic;
}
