/** Python with Autobahn, as Debian has it, and nodes with components of Python. */
import { spawnSync } from 'node:child_process';
import { cpSync } from 'node:fs';
import path from 'node:path';

import { directoryWith } from './node-directory.js';
import { LOOPBACK, openRealm } from './node-config.js';

/** Debian's. */
export const PYTHON = '/usr/bin/python3';

/** Whether Debian's Python has Autobahn on Twisted. */
export const hasAutobahn = spawnSync(PYTHON, ['-c', 'import autobahn.twisted']).status === 0;

const COMPONENTS = path.resolve(import.meta.dirname, '../clients/python');

/** A node directory with the components of the tests in `app`, and more files. */
export function pythonDirectory(files: Readonly<Record<string, string>> = {}): string {
  const cbdir = directoryWith({ 'app/beside.py': 'WORD = "found"\n', ...files });
  cpSync(COMPONENTS, path.join(cbdir, 'app'), { recursive: true });
  return cbdir;
}

/** What a node with components of Python may have beside them. */
export interface PythonNodeParts {
  readonly realms?: readonly object[];
  readonly options?: object;
  readonly websocket?: object;
  readonly paths?: object;
  readonly controller?: object;
}

/** A node whose router has components of Python: class names of `app`, or whole components. */
export function pythonConfig(components: readonly (string | object)[], parts: PythonNodeParts = {}): object {
  const { realms = [openRealm('realm1')], options, websocket = {}, paths = {}, controller = {} } = parts;
  const filled = components.map((component) => ({
    realm: 'realm1',
    type: 'class',
    ...(typeof component === 'string' ? { classname: component } : component),
  }));
  const web = { type: 'web', endpoint: LOOPBACK, paths: { ws: { type: 'websocket', ...websocket }, ...paths } };
  const workers = [
    {
      ...{ type: 'router', options: { python: PYTHON, pythonpath: ['app'], ...options }, realms },
      ...{ components: filled, transports: [web] },
    },
  ];
  return { version: 2, controller, workers };
}
