/**
 * The check that ajv compiles from the config schema. Compiling takes as long as the rest of a start. So in `dist/` this module
 * is replaced by code that ajv generated from the same schema with the same options (`scripts/validator.js`, with
 * {@link compile}).
 */
import { Ajv } from 'ajv';
import type { CodeOptions, ValidateFunction } from 'ajv';

import { nodeSchemaTree } from './schema.js';
import { validatorSchema } from './validator-schema.js';
import type { SchemaTree } from './walk.js';

let compiled: ValidateFunction | undefined;

/** @returns the check of a whole config: it fills in the defaults and lists all errors. */
export function validator(): ValidateFunction {
  // It runs a few times: making the code shorter would take longer than all of them.
  compiled ??= compile({ optimize: false }).validate;
  return compiled;
}

/**
 * @param code - the form of the compiled code, for the build
 * @param tree - the schema to compile
 */
export function compile(
  code: CodeOptions = {},
  tree: SchemaTree = nodeSchemaTree,
): { readonly ajv: Ajv; readonly validate: ValidateFunction } {
  const ajv = new Ajv({
    allErrors: true,
    verbose: true,
    // `schema-errors.ts` writes them.
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
