import type { OpenApiDocument } from './openapi.ts';

/** A readable page of the API: one file, no script, nothing fetched from elsewhere. */
export function renderDocsPage(document: OpenApiDocument): string {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
  const groups = Map.groupBy(operations, ({ operation }) => operation.tags[0] ?? 'other');
  const nav = [...groups.keys()]
    .map((tag) => `<li><a href="#${escape(tag)}">${escape(tag)}</a></li>`)
    .join('');
  const sections = [...groups]
    .map(
      ([tag, items]) =>
        `<section id="${escape(tag)}"><h2>${escape(tag)}</h2>${items.map(renderOperation).join('')}</section>`,
    )
    .join('');
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Slipway API ${escape(document.info.version)}</title><style>${style}</style></head>
<body><header><h1>Slipway API</h1><p>Version ${escape(document.info.version)} · ${operations.length} operations ·
<a href="/openapi.json">openapi.json</a></p><p>${escape(document.info.description)} Errors are problem details (RFC 9457) with a
<code>code</code> and a <code>correlationId</code>.</p></header><nav aria-label="Groups"><ul>${nav}</ul></nav><main>${sections}</main></body></html>`;
}

interface Entry {
  readonly path: string;
  readonly method: string;
  readonly operation: OpenApiDocument['paths'][string][string];
}

function renderOperation({ path, method, operation }: Entry): string {
  const parameters = operation.parameters
    .map(
      (parameter) =>
        `<tr><td><code>${escape(parameter.name)}</code></td><td>${parameter.in}</td><td>${parameter.required ? 'required' : 'optional'}</td><td><code>${escape(describeType(parameter.schema))}</code></td></tr>`,
    )
    .join('');
  const responses = Object.entries(operation.responses)
    .map(([status, response]) => {
      const { description, content } = response as {
        description: string;
        content?: Record<string, { schema: object }>;
      };
      const schema = renderSchema(content?.['application/json']?.schema);
      return `<tr><td><code>${status}</code></td><td>${escape(description)}${schema}</td></tr>`;
    })
    .join('');
  const body = operation.requestBody?.content['application/json'];
  return `<article id="${escape(operation.operationId)}"><h3><span class="method ${method}">${method.toUpperCase()}</span> <code>${escape(path)}</code></h3>
<p>${escape(operation.summary)} <small>${escape(operation.description)} authLevel: ${escape(operation['x-auth-level'])}.</small></p>
${parameters && `<table><caption>Parameters</caption><tbody>${parameters}</tbody></table>`}${body ? `<p>Body:</p>${renderJson(body.example)}${renderSchema(body.schema)}` : ''}
<table><caption>Answers</caption><tbody>${responses}</tbody></table></article>`;
}

function renderSchema(schema: object | undefined): string {
  if (schema === undefined) return '';
  return `<details><summary>JSON schema</summary>${renderJson(schema)}</details>`;
}

function renderJson(value: unknown): string {
  return `<pre>${escape(JSON.stringify(value, null, 2))}</pre>`;
}

function describeType(schema: Record<string, unknown>): string {
  const type = typeof schema['type'] === 'string' ? schema['type'] : 'any';
  const limits = ['minimum', 'maximum', 'maxLength', 'pattern', 'default']
    .filter((key) => schema[key] !== undefined)
    .map((key) => `${key} ${String(schema[key] as string | number)}`);
  return [type, ...limits].join(', ');
}

function escape(text: string): string {
  const entities: Record<string, string> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  };
  return text.replaceAll(/[&<>"']/g, (character) => entities[character] ?? character);
}

const style = `
:root{color-scheme:light dark;--line:color-mix(in srgb,CanvasText 18%,Canvas);--soft:color-mix(in srgb,CanvasText 5%,Canvas)}
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:1.5rem}
h1{margin:0}h2{margin-top:2.5rem;text-transform:capitalize;border-bottom:1px solid var(--line)}h3{margin:1.5rem 0 .25rem}
nav ul{display:flex;flex-wrap:wrap;gap:1rem;list-style:none;padding:0}
article{padding-bottom:.5rem}small{opacity:.75}code,pre{font:14px/1.45 ui-monospace,monospace}
pre{background:var(--soft);padding:.75rem;overflow:auto;max-height:24rem}
table{border-collapse:collapse;width:100%;margin:.5rem 0}caption{text-align:left;font-weight:600}
td:first-child{width:9rem}td{border-top:1px solid var(--line);padding:.3rem .6rem .3rem 0;vertical-align:top;overflow-wrap:anywhere}
.method{font-size:.8rem;padding:.1rem .45rem;border:1px solid currentColor;border-radius:.3rem}
`;

/** The page's content security policy: its own style and nothing else. */
export const docsPagePolicy =
  "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'";
