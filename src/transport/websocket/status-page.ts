/** The page for a person who opened the URL of a WebSocket in a browser. */

/** @returns an HTML page that says what this address is for. Nothing in it comes from the request. */
export function statusPage(subprotocols: readonly string[], url: string | undefined): string {
  const where = url === undefined ? '' : `<p>Clients connect to <code>${escapeHtml(url)}</code>.</p>`;
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>WAMP router</title>
<style>
  body { font: 1.1rem/1.6 system-ui, sans-serif; max-width: 36rem; margin: 12vh auto; padding: 0 1.5rem; color-scheme: light dark; }
  code { font-size: 0.95em; }
</style>
<h1>This is a WebSocket</h1>
<p>A WAMP router answers here, to programs rather than to browsers' address bars.
It speaks ${subprotocols.map((name) => `<code>${escapeHtml(name)}</code>`).join(', ')}.</p>
${where}
</html>
`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}
