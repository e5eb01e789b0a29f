/** What is checked of the service `metrics` beyond what the schema can say. */
import type { Rules } from '../../schema/rules.js';
import { isValidUri, quoted } from '../../wamp/uri.js';

const MAX_PATTERNS = 64;

/** Rule of `uris`: a pattern that nothing can match would show nothing, and nobody would know why. */
export const checkUris: Rules = (list, { report }) => {
  const { length } = list.items();
  if (length > MAX_PATTERNS) {
    report(
      list.path,
      `found ${length} (allowed: at most ${MAX_PATTERNS}, because each message is compared with all of them)`,
    );
  }
  for (const item of list.items()) {
    const uri = item.get('uri').text();
    const match = item.get('match').value;
    if (uri === undefined || (match !== undefined && match !== 'exact' && match !== 'prefix' && match !== 'wildcard'))
      continue;
    if (isValidUri(uri, 'loose', match)) continue;
    report(
      item.get('uri').path,
      `found ${quoted(uri)}, which is no URI (allowed: a URI, or a pattern with its "match")`,
    );
  }
};
