/** The other nodes of a realm: an uplink that answers when the test says so. */
import type { Publication, RegistrationClaim, Uplink } from '../../src/router/uplink.js';
import type { WampError } from '../../src/wamp/error.js';

export function testUplink() {
  /** The answers to `wanted`, and to `registered`, in order: each may be called once. */
  const done: (() => void)[] = [];
  const answers: ((error?: WampError) => void)[] = [];
  /** What was asked and said, in order. */
  const log: string[] = [];
  const claims: RegistrationClaim[] = [];
  const published: Publication[] = [];
  const idOf = ({ uri }: { readonly uri: string }): number => 7000 + uri.length;
  let place = 0;
  const uplink: Uplink = {
    idOf,
    wanted: ({ uri }, callback) => {
      log.push(`wanted ${uri}`);
      done.push(callback);
    },
    unwanted: ({ uri }) => void log.push(`unwanted ${uri}`),
    registered: (claim, callback) => {
      log.push(`registered ${claim.uri} by ${claim.callee.id}`);
      claims.push(claim);
      answers.push((error) => {
        if (error !== undefined) return callback(error);
        callback(undefined, { id: idOf(claim), place: ++place, createdMs: 0, isFirst: true });
      });
    },
    unregistered: (claim) => void log.push(`unregistered ${claim.uri} by ${claim.callee.id}`),
    publish: (publication) => void published.push(publication),
    ask: (_question, callback) => callback([]),
  };
  return { uplink, done, answers, log, claims, published };
}
