import { DefaultAzureCredential, type TokenCredential } from '@azure/identity';

let credential: TokenCredential | undefined;

/**
 * The app's identity: a managed identity in Azure, the developer's own login elsewhere. One for all clients, so that
 * they share its tokens.
 *
 * The SDK reads `AZURE_CLIENT_ID` by itself: it chooses the user-assigned identity. The chain asks for a managed
 * identity before any developer tool; `AZURE_TOKEN_CREDENTIALS=ManagedIdentityCredential` cuts it down to that.
 *
 * @see https://learn.microsoft.com/javascript/api/@azure/identity/defaultazurecredential
 */
export function createCredential(): TokenCredential {
  credential ??= new DefaultAzureCredential();
  return credential;
}
