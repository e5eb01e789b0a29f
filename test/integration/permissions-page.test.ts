/** docs/permissions.md, done: its config, each of its commands with the output that it shows, and what client and log say. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';

import { formatLine } from '../../src/log/format.js';
import { nodeDirectory, runCli, startDaemon } from '../support/daemon.js';
import { WampClient } from '../support/wamp-client.js';

const page = readFileSync(path.resolve(import.meta.dirname, '../../docs/permissions.md'), 'utf8');
const config = /^```json\n([^]*?)^```/m.exec(page)?.[1] ?? '';
const shown = [...page.matchAll(/^```sh\nnpx crossbar-ts ([^\n]+)\n```\n\n```text\n([^]*?)^```/gm)].map(
  ([, command = '', output = '']) => [command, output] as const,
);
const shownLine = /^```text\n(warn [^]*?)^```/m.exec(page)?.[1] ?? '';

/** The ids of a session are others each time. */
const withoutIds = (line: string): string => line.replace(/sessionId=\d+ authid=\S+/, 'sessionId=N authid=A');

describe('docs/permissions.md', () => {
  it('shows commands', () => {
    expect(shown.length).toBeGreaterThanOrEqual(4);
    expect([...page.matchAll(/^```sh$/gm)]).toHaveLength(shown.length);
  });

  it.each(shown)('%s', async (command, output) => {
    const cbdir = nodeDirectory(config);
    const words = command.replace('hello/.crossbar', cbdir).split(' ');
    const { code, stdout, stderr } = await runCli(words);
    expect([code, stdout, stderr]).toEqual([output.startsWith('allowed') ? 0 : 1, output, '']);
  });

  it('shows what client and log say', async () => {
    const daemon = await startDaemon({ cbdir: nodeDirectory(config.replace('"port": 8080', '"port": 0')) });
    onTestFinished(() => daemon.dispose());
    const client = await WampClient.join(daemon.url('/ws', 'ws'));
    const told = /the client gets (\S+): (.*)\n/.exec(shown[0]?.[1] ?? '');
    expect(await client.ask([48, 1, {}, 'com.shop.add'])).toEqual([8, 48, 1, {}, told?.[1], [told?.[2]]]);
    // Unacknowledged, so that nothing but the log tells of it.
    client.send([16, 2, {}, 'org.lost']);
    await client.ask([48, 3, {}, 'com.shop.add']);
    await client.leave();
    await daemon.stop();
    const lines = daemon.logs.filter(({ msg }) => msg === 'action denied');
    const asText = formatLine(JSON.stringify(lines[0]), { color: false, time: false });
    expect(withoutIds(asText)).toBe(withoutIds(shownLine));
    expect(lines[1]).toMatchObject({ action: 'publish', uri: 'org.lost', rule: 'no rule matches' });
    // At the end those that were left out are told.
    expect(lines.slice(2)).toMatchObject([{ action: 'call', uri: 'com.shop.add' }]);
  });
});
