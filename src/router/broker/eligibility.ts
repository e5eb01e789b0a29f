/**
 * Which subscribers may get a publication (section "Subscriber Black- and Whitelisting"). All lists that are given apply. A
 * subscriber on an exclude list gets nothing, whatever else lists it. An empty eligible list admits nobody.
 */
import type { PublishOptions } from '../../wamp/message.js';
import type { RouterSession } from '../session.js';

/** Whether a subscriber may get the publication. */
export type Eligibility = (subscriber: RouterSession) => boolean;

/**
 * @param emptyAdmitsAll for clients of Crossbar.io: an empty eligible list counts as none.
 * @returns the test for each subscriber; undefined when the publisher gave no list, as usual.
 */
export function eligibilityOf(options: PublishOptions, emptyAdmitsAll = false): Eligibility | undefined {
  const { eligible, eligible_authid, eligible_authrole, exclude, exclude_authid, exclude_authrole } = options;
  if (
    eligible === undefined &&
    exclude === undefined &&
    eligible_authid === undefined &&
    exclude_authid === undefined &&
    eligible_authrole === undefined &&
    exclude_authrole === undefined
  ) {
    return undefined;
  }
  const white = <T>(list: readonly T[] | undefined) => (emptyAdmitsAll && list?.length === 0 ? undefined : list);
  const admitting = [
    membership(white(eligible), (subscriber) => subscriber.id),
    membership(white(eligible_authid), (subscriber) => subscriber.authid),
    membership(white(eligible_authrole), (subscriber) => subscriber.authrole),
  ].filter((test) => test !== undefined);
  const black = [
    membership(exclude, (subscriber) => subscriber.id),
    membership(exclude_authid, (subscriber) => subscriber.authid),
    membership(exclude_authrole, (subscriber) => subscriber.authrole),
  ].filter((test) => test !== undefined);
  return (subscriber) => admitting.every((test) => test(subscriber)) && !black.some((test) => test(subscriber));
}

function membership<T>(list: readonly T[] | undefined, key: (subscriber: RouterSession) => T): Eligibility | undefined {
  if (list === undefined) return undefined;
  const members = new Set(list);
  return (subscriber) => members.has(key(subscriber));
}
