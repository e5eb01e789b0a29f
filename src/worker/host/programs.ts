/** The component hosts we ship: name -> program. The compiler demands one for every name. */
import { nodeProgram } from './node-program.js';
import { pythonProgram } from './python-program.js';
import type { HostName } from '../../component/component-type.js';
import type { HostProgram } from './component-host.js';
import type { PythonOptions, PythonSurroundings } from './python-program.js';

/** How each host is started. */
export const HOST_PROGRAMS: Readonly<
  Record<HostName, (options: PythonOptions, surroundings: PythonSurroundings) => HostProgram>
> = {
  python: pythonProgram,
  node: nodeProgram,
};
