/** The context of the rules between keys. */
import type { RealPath } from '../real-path.js';
import type { SecretContext } from '../secrets.js';
import type { Report } from '../../schema/rules.js';

/** How a rule reports what it found, and reads secrets and links. */
export interface CheckRulesContext extends SecretContext {
  /** Reports an error in the value at `path`. */
  readonly report: Report;
  /** Warns of a value that is probably a mistake. */
  readonly warn: Report;
  /** Notes what has no effect. */
  readonly note: Report;
  readonly realPath: RealPath;
}
