/**
 * The TypeScript compiler, for tests that read the syntax of the source. It is required, not imported: an import looks through its nine
 * megabytes for the names of its exports, which takes longer than loading it.
 */
import { createRequire } from 'node:module';
import type ts from 'typescript';

export const compiler = createRequire(import.meta.url)('typescript') as typeof ts;
