/**
 * The environment of a script: the variables of RFC 3875, section 4.1, the headers of the request, and what the config says. Nothing of
 * the node is in it but `PATH` and `LANG`; nor what is the secret of the visitor and the node: its cookie, and `Authorization`. Pure.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { hostNameOf } from '../../http/host-name.js';
import type { WebRequest } from '../../http/service.js';
import { isSecure, isTls } from '../../transport/peer.js';
import { SERVER_NAME } from '../../transport/refusal.js';
import type { Script } from './scripts.js';

type Environment = Readonly<Record<string, string>>;

/** What all requests of a service have in common. */
export interface EnvironmentParts {
  /** That of the node. */
  readonly own: Readonly<Record<string, string | undefined>>;
  /** That of the config. */
  readonly vars: Environment;
  /** The names of the cookies by which the node recognises visitors. */
  readonly cookieNames: ReadonlySet<string>;
}

const DEFAULT_PATH = '/usr/local/bin:/usr/bin:/bin';

/** Headers that are variables of their own, or that no script gets: `Proxy` would become `HTTP_PROXY`, by which programs go out. */
const NO_VARIABLES = new Set([
  ...['authorization', 'content-length', 'content-type', 'cookie', 'proxy', 'proxy-authorization', 'transfer-encoding'],
]);

/** @param length of the body in bytes; undefined when there is none */
export function scriptEnvironment(
  { req, mount, query, client, cookie }: WebRequest,
  script: Script,
  { own, vars, cookieNames }: EnvironmentParts,
  length: number | undefined,
): Environment {
  const type = req.headers['content-type'];
  const user = cookie?.isHeld === true ? cookie.authid : undefined;
  return {
    PATH: own['PATH'] ?? DEFAULT_PATH,
    ...(own['LANG'] !== undefined && { LANG: own['LANG'] }),
    ...vars,
    ...headerVariables(req.headers, cookieNames),
    GATEWAY_INTERFACE: 'CGI/1.1',
    SERVER_PROTOCOL: `HTTP/${req.httpVersion}`,
    SERVER_SOFTWARE: SERVER_NAME,
    SERVER_NAME: hostNameOf(req.headers.host),
    SERVER_PORT: String(req.socket.localPort ?? (isTls(req.socket) ? 443 : 80)),
    REQUEST_METHOD: req.method ?? '',
    REQUEST_URI: req.url ?? '',
    SCRIPT_NAME: `${mount === '/' ? '' : decodeURIComponent(mount)}${script.name}`,
    SCRIPT_FILENAME: script.file,
    PATH_INFO: script.pathInfo,
    ...(script.pathInfo !== '' && { PATH_TRANSLATED: script.pathTranslated }),
    QUERY_STRING: query.slice(1),
    REMOTE_ADDR: (client.remoteAddress ?? '').replace(/^::ffff:(?=\d+\.)/, ''),
    ...(isSecure(req) && { HTTPS: 'on' }),
    ...(type !== undefined && { CONTENT_TYPE: type }),
    ...(length !== undefined && { CONTENT_LENGTH: String(length) }),
    ...(user !== undefined && !/[\x00-\x1f\x7f]/.test(user) && { AUTH_TYPE: 'Cookie', REMOTE_USER: user }),
  };
}

function headerVariables(headers: IncomingHttpHeaders, cookieNames: ReadonlySet<string>): Environment {
  const variables: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    // A name with `_` would be the same variable as one with `-`, which a proxy in front may have set.
    if (value === undefined || NO_VARIABLES.has(name) || !/^[a-z0-9-]+$/.test(name)) continue;
    variables[variableOf(name)] = Array.isArray(value) ? value.join(', ') : value;
  }
  const cookies = foreignCookies(headers.cookie ?? '', cookieNames);
  if (cookies !== '') variables['HTTP_COOKIE'] = cookies;
  return variables;
}

function variableOf(header: string): string {
  return `HTTP_${header.toUpperCase().replaceAll('-', '_')}`;
}

/** @returns a `Cookie` header without the cookies of the node. */
function foreignCookies(header: string, cookieNames: ReadonlySet<string>): string {
  const pieces = header.split(';').map((piece) => piece.trim());
  return pieces.filter((piece) => piece !== '' && !cookieNames.has(piece.split('=', 1).join('').trim())).join('; ');
}
