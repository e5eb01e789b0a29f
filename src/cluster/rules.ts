/** What is checked of the section `cluster`. */
import { checkNats } from '../engine/nats/rules.js';
import type { Rules } from '../schema/rules.js';

const HEARTBEAT = 1000;
const TIMES = [
  ['suspect_after', 3000],
  ['fence_after', 3000],
] as const;

/** Rule of the section: each time is longer than the one before, and some realm takes part. */
export const checkClusterSection: Rules = (section, { report, note, workers }) => {
  const heartbeat = section.get('heartbeat').number() ?? HEARTBEAT;
  for (const [key, fallback] of TIMES) {
    const place = section.get(key);
    if ((place.number() ?? fallback) <= heartbeat) {
      report(at(section.path, key), `is not more than "heartbeat", ${heartbeat} (allowed: more)`);
    }
  }
  const fence = section.get('fence_after').number() ?? 3000;
  if ((section.get('remove_after').number() ?? 5000) <= fence) {
    const why = 'or others take the place of a node that still serves';
    report(at(section.path, 'remove_after'), `is not more than "fence_after", ${fence} (allowed: more, ${why})`);
  }
  const realms = workers.flatMap((worker) => worker.get('realms').items());
  if (realms.some((realm) => realm.get('cluster').value === true)) return;
  note(section.path, 'no realm has "cluster": true, so nothing is shared with other nodes');
};

/** Rule of the variant. */
export const checkNatsSection: Rules = (section, context) => checkNats(section, context);

function at(path: readonly string[], key: string): readonly string[] {
  return [...path, key];
}
