/** Node directories with modules in them, and configs with components. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { temporaryDirectory } from './daemon.js';
import { nodeConfig } from './node-config.js';

/** A node directory with files in it: name -> text. */
export function directoryWith(files: Readonly<Record<string, string>>): string {
  const cbdir = path.join(temporaryDirectory(), '.crossbar');
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(cbdir, name)), { recursive: true });
    writeFileSync(path.join(cbdir, name), text);
  }
  return cbdir;
}

/** As `nodeConfig`, with components on `realm1`. */
export function configWith(components: readonly object[], parts?: Parameters<typeof nodeConfig>[0]): object {
  const config = nodeConfig(parts) as { readonly workers: readonly object[] };
  const filled = components.map((component) => ({ type: 'module', realm: 'realm1', ...component }));
  return { ...config, workers: [{ ...config.workers[0], components: filled }] };
}
