/** The program of fronts: what runs it, and where it is, beside the code that runs. */
import { execPath } from 'node:process';
import { fileURLToPath } from 'node:url';

/** `program file` runs it: see `front-program/main.ts`. */
export const FRONT_PROGRAM: { readonly file: string; readonly program: string } = {
  file: fileURLToPath(new URL('../front-program/main.js', import.meta.url)),
  program: execPath,
};
