/** What `check` says of containers whose components name what is not there: the node starts all the same, so these are warnings. */
import { expect, it } from 'vitest';

import { runCli } from '../support/daemon.js';
import { nodeConfig } from '../support/node-config.js';
import { directoryWith } from '../support/node-directory.js';

it('warns of each module, file and program of a container that is not there', async () => {
  const tls = { ca_certificates: ['here.pem', 'gone.pem'], certificate: 'gone.pem', key: 'gone.key' };
  const transport = {
    type: 'websocket',
    url: 'wss://localhost/',
    endpoint: { type: 'tcp', host: 'localhost', port: 443, tls },
  };
  const options = { python: '/no/such/python' };
  const here = {
    type: 'module',
    module: './here.js',
    realm: 'realm1',
    transport: { type: 'websocket', url: 'ws://localhost/' },
  };
  const components = [
    here,
    { ...here, module: './gone.js' },
    { type: 'class', classname: 'a.B', realm: 'realm1', transport },
  ];
  const { workers, ...config } = nodeConfig() as { workers: object[] };
  const cbdir = directoryWith({
    'here.js': '',
    'here.pem': '',
    'config.json': JSON.stringify({ ...config, workers: [...workers, { type: 'container', options, components }] }),
  });
  const { code, stderr } = await runCli(['check', '--cbdir', cbdir]);
  const found = stderr.split('\n').filter((line) => line.includes('/workers/1/'));
  expect(found.map((line) => line.replaceAll(cbdir, 'CBDIR').replace(/^warning: \S+: /, ''))).toEqual([
    '/workers/1/options/python: /no/such/python (options.python) is no program that this user may run',
    '/workers/1/components/1/module: module "./gone.js" cannot be imported: there is no file CBDIR/gone.js',
    '/workers/1/components/2/transport/endpoint/tls/ca_certificates/1: CBDIR/gone.pem cannot be read: there is no such file',
    '/workers/1/components/2/transport/endpoint/tls/certificate: CBDIR/gone.pem cannot be read: there is no such file',
    '/workers/1/components/2/transport/endpoint/tls/key: CBDIR/gone.key cannot be read: there is no such file',
  ]);
  expect(code).toBe(0);
});
