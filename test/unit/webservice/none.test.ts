import { createWebService } from '../../../src/webservice/registry.js';
import { webServiceContract } from '../../contract/web-service.js';
import { serviceDeps } from '../../support/web.js';

webServiceContract('none', {
  create: () => createWebService({ type: 'none' }, serviceDeps()),
  status: 404,
  validators: false,
  upgrades: false,
});
