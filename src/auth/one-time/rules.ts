/** What is checked of one-time tickets. */
import type { Place, RuleContext, Rules } from '../../schema/rules.js';

/** The default of `parameter`. */
export const PARAMETER = 'ticket';
const ISSUE = 'crossbar.ticket.issue';
/** Only a rule that names the procedures of the node grants them. */
const NAMED = 'crossbar.';

/** Rule of the section: the parameter is for tickets in the URL, and somebody must be able to issue tickets. */
export const checkOneTime: Rules = (section, context) => {
  const { value: parameter, path } = section.get('parameter');
  const isRead = section
    .get('from')
    .items()
    .some(({ value }) => value === 'query');
  if (parameter !== PARAMETER && !isRead) context.note(path, 'found without "query" in "from", so it has no effect');
  if (!isIssued(context)) {
    context.warn(
      section.path,
      `nobody can issue tickets, so nobody can join by them: no role has a rule that names "${ISSUE}", and no "login" service gives any`,
    );
  }
};

function isIssued({ realms, workers }: RuleContext): boolean {
  const roles = realms.flatMap((realm) => realm.get('roles').items());
  return roles.some(mayIssue) || workers.some((worker) => worker.get('transports').items().some(givesTickets));
}

function mayIssue(role: Place): boolean {
  if (!role.get('authorizer').missing) return true;
  const rules = role.get('permissions').items();
  return rules.some((rule) => {
    const uri = rule.get('uri').text() ?? '';
    return (
      uri.startsWith(NAMED) && rule.at('allow', 'call').value === true && ISSUE.startsWith(uri.replace(/\*.*$/, ''))
    );
  });
}

/** A place with a `login` service below it. */
function givesTickets(place: Place): boolean {
  if (place.get('type').value === 'login' && place.at('options', 'ticket').value === true) return true;
  const below = [place.get('paths'), place.get('websocket'), place.get('web')];
  return below.some(
    (part) => part.isObject && [part, ...part.entries()].some((each) => each.isObject && givesTickets(each)),
  );
}
