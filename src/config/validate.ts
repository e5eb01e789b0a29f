/**
 * The schema check: ajv checks the value and fills in the defaults, and its errors become findings in our words. One mistake
 * makes one finding: where the `type` of an object is wrong, nothing else in it is reported.
 */
import type { ValidateFunction } from 'ajv';

import { explain } from './schema-errors.js';
import type { Complaint } from './schema-errors.js';
import { keyOffset, pointerOf, valueOffset } from './source/source.js';
import type { Path, SourceNode } from './source/source.js';
import type { Finding } from './source/text.js';
import type { SchemaTree } from './walk.js';

/** A schema, and the check that ajv compiled from it. */
export interface CompiledSchema {
  readonly tree: SchemaTree;
  readonly check: ValidateFunction;
}

/** Checks `value` and fills in the defaults. @returns what is wrong, in no particular order. */
export function validate(value: unknown, root: SourceNode, { tree, check }: CompiledSchema): Finding[] {
  if (check(value)) return [];
  const complaints = (check.errors ?? []).flatMap((error) => explain(error, tree));
  const misnamed = complaints.filter(({ misnames }) => misnames).map(({ path }) => path.slice(0, -1));
  const judged = complaints.filter((complaint) => !misnamed.some((path) => isMoot(complaint, path)));
  const findings = new Map<string, Finding>();
  for (const { path, at, text } of judged) {
    const offset = at === 'key' ? keyOffset(root, path) : valueOffset(root, path);
    const pointer = pointerOf(path);
    // Several keywords of one value may fail: the first one is reported. Each missing key is reported.
    const id = at === 'missing' ? `${pointer} ${text}` : pointer;
    if (!findings.has(id)) findings.set(id, { offset, pointer, text });
  }
  return [...findings.values()];
}

/** @returns whether a complaint is about the contents of `object`, whose `type` is wrong. */
function isMoot({ path, at, misnames }: Complaint, object: Path): boolean {
  const inside = path.length > object.length || at !== 'key';
  return !misnames && inside && contains(object, path);
}

function contains(outer: Path, inner: Path): boolean {
  return outer.every((segment, index) => inner[index] === segment);
}
