/** The host for modules of JavaScript: the same Node.js as the node itself. */
import { MODULE_HOST } from '../../remote/module-host-file.js';
import { guestEnvironment } from '../guest/environment.js';
import type { HostProgram } from './component-host.js';
import type { PythonOptions, PythonSurroundings } from './python-program.js';

/** @returns how the modules of a worker are run. */
export function nodeProgram(
  { env: environment = { inherit: true, vars: {} } }: PythonOptions,
  { cbdir, env }: PythonSurroundings,
): HostProgram {
  const { program, file } = MODULE_HOST;
  const command = { file: program, arguments: [file], cwd: cbdir, env: guestEnvironment(environment, env) };
  return { name: 'Node.js', command: () => Promise.resolve({ ...command, setup: { cbdir } }) };
}
