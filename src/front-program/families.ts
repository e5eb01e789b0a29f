/**
 * What the words of the config of a front stand for. It has only what it serves itself (`atFront` of a `WebServiceType`): no login methods, no
 * components, and of the services those that need no router. What is not loaded takes no memory in each front.
 */
import { passedOn } from '../front/passed-on.js';
import { SERIALIZERS } from '../serializer/registry.js';
import { archiveServiceType } from '../webservice/archive/type.js';
import { jsonServiceType } from '../webservice/json.js';
import { noneServiceType } from '../webservice/none.js';
import { pathServiceType } from '../webservice/path.js';
import { reverseProxyServiceType, webSocketReverseProxyServiceType } from '../webservice/proxy/type.js';
import { redirectServiceType } from '../webservice/redirect.js';
import { staticServiceType } from '../webservice/static/static.js';
import { webSocketServiceType } from '../webservice/websocket.js';
import { TRANSPORTS } from '../worker/transports.js';
import type { WebServiceTypes } from '../webservice/service.js';
import type { WorkerFamilies } from '../worker/families.js';

/** One more line for each service that says `atFront`. */
const SERVICES: Partial<WebServiceTypes> = {
  archive: archiveServiceType,
  json: jsonServiceType,
  none: noneServiceType,
  path: pathServiceType,
  redirect: redirectServiceType,
  reverseproxy: reverseProxyServiceType,
  static: staticServiceType,
  websocket: webSocketServiceType,
  'websocket-reverseproxy': webSocketReverseProxyServiceType,
};

/** The families of a front. No word of its config is missing: all others were taken out of it. */
export const FRONT_FAMILIES = {
  transports: TRANSPORTS,
  services: SERVICES,
  serializers: passedOn(SERIALIZERS),
  components: {},
  methods: {},
} as unknown as WorkerFamilies;
