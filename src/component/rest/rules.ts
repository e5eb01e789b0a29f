/** What is checked of the addresses and topics of components that speak HTTP; and the classes of Crossbar.io that they stand for. */
import { invalidUriText, isValidUri } from '../../wamp/uri.js';
import type { Adapt, Rules } from '../../schema/rules.js';
import type { Match } from '../../wamp/uri.js';

/** Class of Crossbar.io -> our word for the same component. `adapter` is what the package was called before 2018. */
const NATIVE_CLASSES: ReadonlyMap<string, string> = new Map(
  ['crossbar.bridge.rest', 'crossbar.adapter.rest'].flatMap((module) => [
    [`${module}.RESTCallee`, 'callee'],
    [`${module}.callee.RESTCallee`, 'callee'],
    [`${module}.MessageForwarder`, 'subscriber'],
    [`${module}.subscriber.MessageForwarder`, 'subscriber'],
  ]),
);

/** A class of Crossbar.io itself that the node has, too: the component gets our word, and needs no Python. The other keys are the same. */
export const nativeClass: Adapt = (classname) => {
  const word = NATIVE_CLASSES.get(String(classname));
  return word === undefined ? undefined : { value: word, at: ['type'] };
};

/** Rule of an address that requests go to. */
export const checkHttpUrl: Rules = ({ value, path }, { report }) => {
  if (typeof value !== 'string' || !/^https?:\/\//i.test(value)) return;
  if (!URL.canParse(value)) return report(path, `found ${JSON.stringify(value)}, which is no URL (allowed: one)`);
  const { username, password } = new URL(value);
  // The value is left out: it holds a password.
  if (username + password !== '') report(path, 'found a URL with a user or a password (allowed: one without)');
};

/** Rule of a subscription: the broker would refuse it, and the component would not start. */
export const checkTopic: Rules = (subscription, { report }) => {
  const topic = subscription.get('topic');
  const uri = topic.text();
  const match = (subscription.get('match').text() ?? 'exact') as Match;
  if (uri === undefined || !['exact', 'prefix', 'wildcard'].includes(match) || isValidUri(uri, 'loose', match)) return;
  report(topic.path, `found an ${invalidUriText('topic', uri, match)} (allowed: a URI)`);
};

/** Rule of the procedure. */
export const checkProcedure: Rules = ({ value, path }, { report }) => {
  if (typeof value !== 'string' || isValidUri(value, 'loose')) return;
  report(path, `found an ${invalidUriText('procedure', value)} (allowed: a URI)`);
};
