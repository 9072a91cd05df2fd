import { mlflowRouteGroups } from '../shared/mlflow/catalog.ts';
import { registerRouteGroup } from './hosting/http.ts';

for (const group of mlflowRouteGroups({})) registerRouteGroup(group);
