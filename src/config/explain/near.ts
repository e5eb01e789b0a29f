/**
 * The rule that somebody meant: it does not match a URI, but nearly does. By the usual slips, such as an exact rule where a prefix
 * was meant, else by the number of wrong letters.
 */
import { patternText } from '../../router/permission.js';
import type { Action } from '../../router/permission.js';
import type { Rule } from '../../router/role.js';
import { slipsBetween } from '../suggest.js';

/** A rule that nearly matches, and in words why it does not. */
export interface NearRule {
  readonly rule: Rule;
  readonly why: string;
}

/** Longer texts are not compared letter by letter. */
const MAX_COMPARED = 200;

/** @returns the rule that comes nearest to matching `uri`, one that allows `action` before all others. */
export function nearRule(rules: readonly Rule[], action: Action, uri: string): NearRule | undefined {
  const slips = rules.flatMap((rule) => {
    const slip = slipOf(rule, uri);
    return slip === undefined
      ? []
      : [{ rule, ...slip, rank: slip.rank + (rule.permission[action] ? 0 : MAX_COMPARED) }];
  });
  const [best] = slips.toSorted((a, b) => a.rank - b.rank);
  return best && { rule: best.rule, why: best.why };
}

interface Slip {
  readonly why: string;
  /** The lower, the nearer. */
  readonly rank: number;
}

function slipOf(rule: Rule, uri: string): Slip | undefined {
  return (
    asteriskSlip(rule, uri) ?? matchSlip(rule, uri) ?? dotSlip(rule, uri) ?? lengthSlip(rule, uri) ?? typo(rule, uri)
  );
}

/** Beside `match` an asterisk is a letter. */
function asteriskSlip({ uri, match }: Rule, asked: string): Slip | undefined {
  const at = uri.indexOf('*');
  if (match === 'prefix' || at === -1 || !asked.startsWith(uri.slice(0, at))) return undefined;
  return { why: `beside "match": "${match}" an asterisk stands for nothing but itself`, rank: 0 };
}

function matchSlip({ uri, match }: Rule, asked: string): Slip | undefined {
  const head = uri.endsWith('.') ? uri : `${uri}.`;
  if (match !== 'exact' || !asked.startsWith(head)) return undefined;
  return { why: `it is exact; ${patternText({ uri: head, match: 'prefix' })} covers what is below`, rank: 0 };
}

function dotSlip({ uri, match }: Rule, asked: string): Slip | undefined {
  if (match !== 'prefix' || uri !== `${asked}.`) return undefined;
  return { why: `it covers what is below, and not "${asked}" itself`, rank: 0 };
}

/** The components before the first wildcard, and behind the last one, are right; but there are too many, or too few. */
function lengthSlip({ uri, match }: Rule, asked: string): Slip | undefined {
  const [own, others] = [uri.split('.'), asked.split('.')];
  if (match !== 'wildcard' || own.length === others.length || !own.includes('')) return undefined;
  const head = own.slice(0, own.indexOf('')).join('.');
  const tail = own.slice(own.lastIndexOf('') + 1).join('.');
  if ((head !== '' && !asked.startsWith(`${head}.`)) || (tail !== '' && !asked.endsWith(`.${tail}`))) return undefined;
  return { why: `it has ${own.length} components, and the URI has ${others.length}`, rank: 1 };
}

/** Few wrong letters, compared with as much of the URI as the pattern is about. */
function typo(rule: Rule, asked: string): Slip | undefined {
  const [own, other] = comparable(rule, asked);
  if (own.length > MAX_COMPARED || other.length > MAX_COMPARED) return undefined;
  if (own.toLowerCase() === other.toLowerCase()) return { why: 'upper and lower case differ', rank: 1 };
  const slips = slipsBetween(own, other);
  const limit = Math.max(1, Math.min(3, Math.floor(own.length / 4)));
  if (slips > limit) return undefined;
  return { why: slips === 1 ? 'a letter differs' : `${slips} letters differ`, rank: 1 + slips };
}

function comparable({ uri, match }: Rule, asked: string): readonly [string, string] {
  if (match === 'exact') return [uri, asked];
  const components = asked.split('.');
  const own = uri.split('.');
  if (match === 'prefix') {
    const head = components.slice(0, own.length);
    const last = own.at(-1) ?? '';
    // Of the component in which the prefix ends its beginning counts.
    if (head.length === own.length) head.push((head.pop() ?? '').slice(0, last.length));
    return [uri, head.join('.')];
  }
  return [own.map((component, at) => (component === '' ? (components[at] ?? '') : component)).join('.'), asked];
}
