/** Compiles single folders of `src/` for child processes of a test, so that it needs no build of the whole project. */
import { cp, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';

import ts from 'typescript';

const root = path.join(import.meta.dirname, '../..');

/** @param target an existing directory; gets one folder of JavaScript per folder of `src/`, and the node_modules. */
export async function transpile(folders: readonly string[], target: string): Promise<void> {
  await symlink(path.join(root, 'node_modules'), path.join(target, 'node_modules'));
  await cp(path.join(root, 'package.json'), path.join(target, 'package.json'));
  for (const folder of folders) {
    for (const file of await readdir(path.join(root, 'src', folder), { recursive: true })) {
      if (!file.endsWith('.ts')) continue;
      const source = await readFile(path.join(root, 'src', folder, file), 'utf8');
      const compilerOptions = {
        module: ts.ModuleKind.ESNext,
        target: ts.ScriptTarget.ES2023,
        verbatimModuleSyntax: true,
      };
      const { outputText } = ts.transpileModule(source, { compilerOptions, fileName: file });
      const output = path.join(target, folder, file.replace(/\.ts$/, '.js'));
      await mkdir(path.dirname(output), { recursive: true });
      await writeFile(output, outputText);
    }
  }
}
