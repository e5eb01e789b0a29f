/** What the rules between keys are given. */
import type { RealPath } from '../real-path.js';
import type { SecretContext } from '../secrets.js';
import type { Report } from '../../schema/rules.js';

/** How a rule says what it found, and what it may ask of the machine. */
export interface CheckRulesContext extends SecretContext {
  /** Says that something is wrong with the value at `path`. */
  readonly report: Report;
  /** Says that something is probably not meant. */
  readonly warn: Report;
  readonly realPath: RealPath;
}
