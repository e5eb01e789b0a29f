/** The program of a router worker in a process of its own: what runs it, and where it is, beside the code that runs. */
import { execPath } from 'node:process';
import { fileURLToPath } from 'node:url';

/** `program file` runs it: see `router-program/main.ts`. */
export const ROUTER_PROGRAM: { readonly file: string; readonly program: string } = {
  file: fileURLToPath(new URL('../router-program/main.js', import.meta.url)),
  program: execPath,
};
