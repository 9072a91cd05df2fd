import { sha256 } from '../../../shared/core/ids.ts';

export interface UrlOptions {
  /** Origin of the host, without a trailing slash. */
  readonly origin: string;
  readonly hubName: string;
  readonly systemKey: string;
}

export const webhookPath = '/runtime/webhooks/durabletask';
const connection = 'Storage';

/** Replaces the system key in the path of `rpcBaseUrl`, whose users cannot add a query. */
export function rpcPrefix(systemKey: string): string {
  return `rpc/${sha256(`durabletask-rpc:${systemKey}`).slice(0, 32)}/`;
}

/** The links of the 202 answer and of `createHttpManagementPayload`. */
export function managementUrls(options: UrlOptions, instanceId: string): Readonly<Record<string, string>> {
  const instance = `${options.origin}${webhookPath}/instances/${encodeURIComponent(instanceId)}`;
  const query = `taskHub=${options.hubName}&connection=${connection}&${keyQuery(options)}`;
  const command = (name: string): string => `${instance}/${name}?reason={text}&${query}`;
  return {
    id: instanceId,
    statusQueryGetUri: `${instance}?${query}`,
    sendEventPostUri: `${instance}/raiseEvent/{eventName}?${query}`,
    terminatePostUri: command('terminate'),
    purgeHistoryDeleteUri: `${instance}?${query}`,
    suspendPostUri: command('suspend'),
    resumePostUri: command('resume'),
  };
}

/**
 * The value of a `durableClient` input binding, as JSON text.
 *
 * `rewindPostUri` and `restartPostUri` are missing: this host implements neither.
 *
 * @see azure-functions-durable-extension BindingHelper.DurableOrchestrationClientToString
 */
export function clientBinding(options: UrlOptions): string {
  const base = `${options.origin}${webhookPath}`;
  const create = `${base}/orchestrators/{functionName}[/{instanceId}]`;
  const wait = 'timeout={timeoutInSeconds}&pollingInterval={intervalInSeconds}';
  return JSON.stringify({
    taskHubName: options.hubName,
    connectionName: null,
    creationUrls: {
      createNewInstancePostUri: `${create}?${keyQuery(options)}`,
      createAndWaitOnNewInstancePostUri: `${create}?${wait}&${keyQuery(options)}`,
    },
    managementUrls: managementUrls(options, 'INSTANCEID'),
    baseUrl: base,
    requiredQueryStringParameters: keyQuery(options),
    rpcBaseUrl: `${base}/${rpcPrefix(options.systemKey)}`,
  });
}

function keyQuery({ systemKey }: UrlOptions): string {
  return `code=${encodeURIComponent(systemKey)}`;
}
