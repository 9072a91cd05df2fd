/**
 * The values that the host and the Node worker exchange for each binding: `TypedData` of `FunctionRpc.proto` as JSON.
 * Exactly one member is set.
 *
 * @see https://github.com/Azure/azure-functions-language-worker-protobuf
 */
export interface TypedData {
  readonly string?: string;
  readonly json?: string;
  readonly bytes?: Uint8Array;
  readonly int?: number;
  readonly double?: number;
  readonly http?: RpcHttp;
  readonly collectionString?: { readonly string: readonly string[] };
  readonly collectionSint64?: { readonly sint64: readonly number[] };
  readonly modelBindingData?: ModelBindingData;
}

export interface NullableString {
  readonly value: string;
}

/** A request (with url, method and the nullable maps) or a reply (with statusCode, headers and cookies). */
export interface RpcHttp {
  readonly method?: string;
  readonly url?: string;
  readonly nullableHeaders?: Readonly<Record<string, NullableString>>;
  readonly nullableQuery?: Readonly<Record<string, NullableString>>;
  readonly nullableParams?: Readonly<Record<string, NullableString>>;
  readonly statusCode?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly cookies?: readonly RpcHttpCookie[];
  readonly body?: TypedData | null;
}

export interface RpcHttpCookie {
  readonly name: string;
  readonly value: string;
  readonly domain?: NullableString;
  readonly path?: NullableString;
  readonly expires?: { readonly value: { readonly seconds: number } };
  readonly secure?: { readonly value: boolean };
  readonly httpOnly?: { readonly value: boolean };
  readonly sameSite?: 'none' | 'lax' | 'strict' | 'explicitNone';
  readonly maxAge?: { readonly value: number };
}

/** A deferred binding: a reference instead of the data. `content` holds JSON. */
interface ModelBindingData {
  readonly version: string;
  readonly source: string;
  readonly contentType: string;
  readonly content: Uint8Array;
}

export interface NamedData {
  readonly name: string;
  readonly data: TypedData;
}

/** A trigger's request to the worker for one call. */
export interface InvocationRequest {
  readonly invocationId: string;
  readonly inputData: readonly NamedData[];
  readonly triggerMetadata: Readonly<Record<string, TypedData>>;
  readonly retryContext?: {
    readonly retryCount: number;
    readonly maxRetryCount: number;
    readonly exception?: { readonly message: string };
  };
}

export interface InvocationResponse {
  readonly invocationId: string;
  readonly returnValue?: TypedData | null;
  readonly outputData?: readonly NamedData[];
}

/** The JavaScript value of an output: bytes and texts unchanged, JSON parsed. */
export function fromTypedData(data: TypedData | null | undefined): unknown {
  if (!data) return undefined;
  if (data.string !== undefined) return data.string;
  if (data.json !== undefined) return JSON.parse(data.json) as unknown;
  if (data.bytes !== undefined) return data.bytes;
  return data.int ?? data.double;
}

/** The host's default encoding of values other than text and bytes. */
export function jsonData(value: unknown): TypedData {
  return { json: JSON.stringify(value) };
}
