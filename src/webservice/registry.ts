/**
 * The web services we ship: config word -> service. A new one is a file of its own and a line here.
 */
import { archiveServiceType } from './archive/type.js';
import { callerServiceType, publisherServiceType, webhookServiceType } from './bridge/type.js';
import { cgiServiceType } from './cgi/type.js';
import type { CookieConfig } from '../cookie/schema.js';
import { CookieSection, TrackedService } from './cookies.js';
import { healthServiceType, healthzServiceType, readyzServiceType } from './health/health.js';
import { jsonServiceType } from './json.js';
import { loginServiceType } from './login/login.js';
import { monitorServiceType } from './monitor/type.js';
import { metricsServiceType } from './metrics/metrics.js';
import { nodeInfoServiceType } from './nodeinfo/nodeinfo.js';
import { longPollServiceType } from './longpoll/longpoll.js';
import { mqttServiceType } from './mqtt/type.js';
import { noneServiceType } from './none.js';
import { pathServiceType } from './path.js';
import { redirectServiceType } from './redirect.js';
import { resourceServiceType, wsgiServiceType } from './python/type.js';
import { reverseProxyServiceType, webSocketReverseProxyServiceType } from './proxy/type.js';
import type { PathServiceConfig } from './schema.js';
import type { WebService } from '../http/service.js';
import type { WebServiceDeps, WebServiceType, WebServiceTypes } from './service.js';
import { staticServiceType } from './static/static.js';
import { uploadServiceType } from './upload/type.js';
import { webSocketServiceType } from './websocket.js';

/** The services that we ship. */
export const WEB_SERVICES: WebServiceTypes = {
  archive: archiveServiceType,
  caller: callerServiceType,
  cgi: cgiServiceType,
  health: healthServiceType,
  healthz: healthzServiceType,
  json: jsonServiceType,
  login: loginServiceType,
  longpoll: longPollServiceType,
  monitor: monitorServiceType,
  mqtt: mqttServiceType,
  metrics: metricsServiceType,
  nodeinfo: nodeInfoServiceType,
  none: noneServiceType,
  path: pathServiceType,
  publisher: publisherServiceType,
  readyz: readyzServiceType,
  redirect: redirectServiceType,
  resource: resourceServiceType,
  reverseproxy: reverseProxyServiceType,
  static: staticServiceType,
  upload: uploadServiceType,
  webhook: webhookServiceType,
  websocket: webSocketServiceType,
  'websocket-reverseproxy': webSocketReverseProxyServiceType,
  wsgi: wsgiServiceType,
};

function sectionOf(config: CookieConfig, deps: WebServiceDeps): CookieSection {
  return deps.sectionOf?.(config, deps) ?? new CookieSection(config, deps);
}

/**
 * Builds the service of one path. A `cookie` section of its own replaces the inherited one; a service that does not
 * take upgrades, and so does not track visitors itself, is put behind the section in force.
 */
export function createWebService(config: PathServiceConfig, deps: WebServiceDeps): WebService {
  const cookies = config.cookie === undefined ? deps.cookies : sectionOf(config.cookie, deps);
  const serviceType: WebServiceType = deps.families.services[config.type];
  const service = serviceType.create(config, { ...deps, cookies });
  if (cookies === undefined || service.upgrade !== undefined || serviceType.tracksItself === true) return service;
  return new TrackedService(service, cookies, deps.log);
}
