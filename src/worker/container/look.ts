/**
 * What the components of a container name: modules, files of TLS, the Python that runs them. Where something is not there, the node
 * starts all the same, and the component does not.
 */
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';

import { errorCode, messageOf } from '../../system/error.js';
import { findModule } from '../../system/module.js';
import { lookAtPython } from '../host/look.js';
import type { Look, LookTools } from '../../schema/look.js';
import type { ContainerWorkerConfig } from './schema.js';

type Component = ContainerWorkerConfig['components'][number];
type Warn = LookTools['warn'];

/** The look `container`. */
export const lookAtContainer: Look<ContainerWorkerConfig> = async (config, tools) => {
  const { cbdir, warn } = tools;
  await lookAtPython(config, { ...tools, report: warn });
  for (const [index, component] of config.components.entries()) {
    const below: Warn = (keys, text) => warn(['components', String(index), ...keys], text);
    if ('module' in component) await lookForModule(cbdir, component.module, below);
    await lookForFiles(component, below);
  }
};

async function lookForModule(cbdir: string, module: string, warn: Warn): Promise<void> {
  try {
    await findModule(cbdir, module);
  } catch (error) {
    warn(['module'], messageOf(error));
  }
}

async function lookForFiles({ transport: { endpoint } }: Component, warn: Warn): Promise<void> {
  if (endpoint?.type !== 'tcp' || endpoint.tls === undefined) return;
  const { ca_certificates: authorities = [], certificate, key } = endpoint.tls;
  const files: readonly (readonly [keys: readonly string[], file: string | undefined])[] = [
    ...authorities.map((file, index) => [['ca_certificates', String(index)], file] as const),
    [['certificate'], certificate],
    [['key'], key],
  ];
  for (const [keys, file] of files) {
    if (file === undefined) continue;
    const problem = await problemWith(file);
    if (problem !== undefined) warn(['transport', 'endpoint', 'tls', ...keys], `${file} cannot be read: ${problem}`);
  }
}

async function problemWith(file: string): Promise<string | undefined> {
  try {
    await access(file, constants.R_OK);
    return undefined;
  } catch (error) {
    return errorCode(error) === 'ENOENT' ? 'there is no such file' : messageOf(error);
  }
}
