/** The media type of an entry: what the config says, else what its extension usually means. Pure. */

/** What web pages are made of. Text is UTF-8. */
const USUAL: Readonly<Record<string, string>> = {
  ...text('html', 'text/html', 'htm'),
  ...text('css', 'text/css'),
  ...text('js', 'text/javascript', 'mjs'),
  ...text('txt', 'text/plain', 'log'),
  ...text('md', 'text/markdown'),
  ...text('csv', 'text/csv'),
  ...text('xml', 'text/xml'),
  ...text('json', 'application/json', 'map'),
  ...text('webmanifest', 'application/manifest+json'),
  ...text('svg', 'image/svg+xml'),
  ...{ xhtml: 'application/xhtml+xml', wasm: 'application/wasm', pdf: 'application/pdf', zip: 'application/zip' },
  ...{ gz: 'application/gzip', png: 'image/png', jpg: 'image/jpeg', jpeg: 'image/jpeg', gif: 'image/gif' },
  ...{ webp: 'image/webp', avif: 'image/avif', ico: 'image/vnd.microsoft.icon', bmp: 'image/bmp' },
  ...{ woff: 'font/woff', woff2: 'font/woff2', ttf: 'font/ttf', otf: 'font/otf', eot: 'application/vnd.ms-fontobject' },
  ...{ mp3: 'audio/mpeg', ogg: 'audio/ogg', wav: 'audio/wav', flac: 'audio/flac', m4a: 'audio/mp4' },
  ...{ mp4: 'video/mp4', webm: 'video/webm', ogv: 'video/ogg', mov: 'video/quicktime' },
};

/** @param types extension with its dot -> media type. Of `.js` and `.min.js` the longer one counts, whatever the case. */
export function mediaTypes(types: Readonly<Record<string, string>>): (name: string) => string {
  const own = Object.entries(types)
    .map(([extension, type]) => [(extension.startsWith('.') ? '' : '.') + extension.toLowerCase(), type] as const)
    .sort(([a], [b]) => b.length - a.length);
  return (name) => {
    const file = name.slice(name.lastIndexOf('/') + 1).toLowerCase();
    const configured = own.find(([extension]) => file.endsWith(extension));
    return configured?.[1] ?? usualOf(file.slice(file.lastIndexOf('.') + 1));
  };
}

function usualOf(extension: string): string {
  return (Object.hasOwn(USUAL, extension) ? USUAL[extension] : undefined) ?? 'application/octet-stream';
}

function text(extension: string, type: string, ...others: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries([extension, ...others].map((each) => [each, `${type}; charset=utf-8`]));
}
