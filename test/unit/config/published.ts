/** The published schema, as editors check a config with it. */
import { Ajv } from 'ajv';
import type { ValidateFunction } from 'ajv';

import { publishedSchema } from '../../../src/config/reference.js';

let compiled: ValidateFunction | undefined;

/**
 * @returns the check of a config without `strict`: formats and unknown keywords are no matter. Compiled once for all tests, without
 *   what makes it fast, which takes ten times as long.
 */
export function publishedCheck(): ValidateFunction {
  compiled ??= new Ajv({ strict: false, inlineRefs: false, code: { optimize: false } }).compile(publishedSchema());
  return compiled;
}
