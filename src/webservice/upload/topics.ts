/** Topics that the config allows, written as the URIs of permissions are. Pure. */

/** @param patterns each a URI, a prefix with a `*` at its end, or a URI with components that are empty or `*`. */
export function isAllowedTopic(topic: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) => fits(topic, pattern));
}

function fits(topic: string, pattern: string): boolean {
  if (pattern.indexOf('*') === pattern.length - 1 && pattern !== '') return topic.startsWith(pattern.slice(0, -1));
  const components = topic.split('.');
  const wanted = pattern.split('.');
  if (wanted.length !== components.length) return false;
  return wanted.every((each, index) => each === '' || each === '*' || each === components[index]);
}
