/** The page of the service `nodeinfo`. It shows what it is given, and knows nothing of who may see it. */
import { escapeHtml } from '../../http/answer.js';

/** What is told, by name. */
export type NodeFacts = Readonly<Record<string, unknown>>;

/** Facts whose name is not what people would call them. Those without a name here stand in another row. */
const TERMS: Readonly<Record<string, string>> = {
  uptime: 'Running for',
  id: 'Node',
  started: 'Since',
  title: 'Title',
  pid: 'Process',
  directory: 'Directory',
  node: 'Node.js',
  workers: 'Workers',
  sessions: 'Sessions',
  websocket: 'WebSocket',
};

/** @returns HTML. */
export function nodeInfoPage(facts: NodeFacts): string {
  const { version } = facts;
  const rows = [
    ['Software', escapeHtml(typeof version === 'string' ? `crossbar-ts ${version}` : 'crossbar-ts')],
    ...Object.entries(TERMS).flatMap(([name, term]) => (name in facts ? [[term, shown(name, facts[name])]] : [])),
  ];
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>crossbar-ts</title>
<style>
  body { font: 1rem/1.6 system-ui, sans-serif; max-width: 34rem; margin: 15vh auto 0; padding: 0 1.5rem; color: #223; background: #f7f8fa }
  dl { display: grid; grid-template-columns: 8rem 1fr; gap: .4rem 1rem } dt { color: #667 } dd { margin: 0; overflow-wrap: anywhere }
  @media (prefers-color-scheme: dark) { body { color: #dde; background: #15171c } dt { color: #99a } }
</style>
<h1>This is a WAMP router.</h1>
<p>It carries remote calls and events between programs and browsers.</p>
<dl>
${rows.map(([term, text]) => `  <dt>${term ?? ''}</dt><dd>${text ?? ''}</dd>`).join('\n')}
</dl>
</html>
`;
}

function shown(name: string, value: unknown): string {
  if (name === 'uptime' && typeof value === 'number') return duration(value);
  if (!Array.isArray(value)) return escapeHtml(String(value));
  return value.map((item: unknown) => `<code>${escapeHtml(itemText(item))}</code>`).join(' ') || 'none';
}

function itemText(item: unknown): string {
  return typeof item === 'object' && item !== null ? Object.values(item).map(String).join(' ') : String(item);
}

/** @returns the two largest units: `3 days 4 hours`. */
function duration(seconds: number): string {
  const parts = [
    [Math.floor(seconds / 86_400), 'day'],
    [Math.floor(seconds / 3600) % 24, 'hour'],
    [Math.floor(seconds / 60) % 60, 'minute'],
    [seconds % 60, 'second'],
  ] as const;
  const first = parts.findIndex(([count]) => count > 0);
  const texts = parts.slice(first < 0 ? -1 : first).slice(0, 2);
  return texts.map(([count, unit]) => `${String(count)} ${unit}${count === 1 ? '' : 's'}`).join(' ');
}
