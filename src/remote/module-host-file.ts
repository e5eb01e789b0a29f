/** The program for JavaScript components: what runs it, and where it is, beside the code that runs. */
import { execPath } from 'node:process';
import { fileURLToPath } from 'node:url';

/** `program file` runs it. */
export const MODULE_HOST: { readonly file: string; readonly program: string } = {
  file: fileURLToPath(new URL('../remote/module-host.js', import.meta.url)),
  program: execPath,
};
