/**
 * What ajv makes of the config schema. Compiling takes as long as all the rest of a start, so in `dist/` this module is
 * replaced by the code that ajv generates from the same schema with the same options: `scripts/validator.js` does that
 * with {@link compile}.
 */
import { Ajv } from 'ajv';
import type { CodeOptions, ValidateFunction } from 'ajv';

import { nodeSchemaTree } from './schema.js';
import { validatorSchema } from './validator-schema.js';
import type { SchemaTree } from './walk.js';

let compiled: ValidateFunction | undefined;

/** @returns the check of a whole config: it fills the defaults in and lists everything that is wrong. */
export function validator(): ValidateFunction {
  compiled ??= compile().validate;
  return compiled;
}

/**
 * @param code - how the compiled code is to be handed out, for the build
 * @param tree - the schema of a config with more words than we ship; this takes as long as all the rest of a start
 */
export function compile(
  code: CodeOptions = {},
  tree: SchemaTree = nodeSchemaTree,
): { readonly ajv: Ajv; readonly validate: ValidateFunction } {
  const ajv = new Ajv({
    allErrors: true,
    verbose: true,
    // `explain.ts` writes them.
    messages: false,
    useDefaults: true,
    discriminator: true,
    strict: true,
    allowUnionTypes: true,
    // Variants require `type` beside `oneOf`, where no `properties` stand.
    strictRequired: false,
    // One function for each object, and each is there once.
    inlineRefs: false,
    code,
  });
  return { ajv, validate: ajv.compile(validatorSchema(tree)) };
}
