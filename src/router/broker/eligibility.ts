/**
 * Which subscribers may get a publication (section "Subscriber Black- and Whitelisting"). Every list that is present must
 * be satisfied, exclusion wins over eligibility, and an empty white list admits nobody.
 */
import type { PublishOptions } from '../../wamp/message.js';
import type { RouterSession } from '../session.js';

export type Eligibility = (subscriber: RouterSession) => boolean;

/**
 * @param emptyAdmitsAll for clients of Crossbar.io: an empty white list counts as none.
 * @returns the test to put to each subscriber, or undefined when the publisher set no list: the usual case.
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
