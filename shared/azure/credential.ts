import { DefaultAzureCredential, type TokenCredential } from '@azure/identity';

let credential: TokenCredential | undefined;

/** The app's identity: a managed identity in Azure (`AZURE_CLIENT_ID` chooses which), the developer's own locally. */
export function createCredential(): TokenCredential {
  credential ??= new DefaultAzureCredential();
  return credential;
}
