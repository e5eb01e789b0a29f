/**
 * @param header a `Host` header, in which a client is free to say anything.
 * @returns the host of the URL, as the client sees it; `localhost` for what does not look like one.
 */
export function hostNameOf(header = ''): string {
  return /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d*)?$/i.exec(header)?.[1] ?? 'localhost';
}
