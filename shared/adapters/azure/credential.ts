import { DefaultAzureCredential, type TokenCredential } from '@azure/identity';

let credential: TokenCredential | undefined;

/**
 * Creates the app's credential: a managed identity in Azure, the developer's login elsewhere. All clients share it and
 * its cached tokens.
 *
 * The SDK chooses the user-assigned identity in `AZURE_CLIENT_ID`. It tries managed identities before developer tools;
 * `AZURE_TOKEN_CREDENTIALS=ManagedIdentityCredential` restricts it to managed identities.
 *
 * @see https://learn.microsoft.com/javascript/api/@azure/identity/defaultazurecredential
 */
export function createCredential(): TokenCredential {
  credential ??= new DefaultAzureCredential();
  return credential;
}
