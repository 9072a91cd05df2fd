import { type Expression, type Node, parseSync, Visitor } from 'oxc-parser';

/** What a source requests of other modules. */
export interface ModuleUse {
  /**
   * Specifiers of imports, exports, `import()`, `require()` and URLs beside the file, which start with a dot. One that
   * ends with a slash is computed from there on.
   */
  readonly requests: readonly string[];
  /** Code that can reach modules nobody sees here. */
  readonly computed: readonly string[];
  /** Names that the source exports for another module. */
  readonly reexports: readonly string[];
}

/**
 * @param name as the errors have it
 * @throws Error for a source that does not parse
 */
export function readModule(name: string, source: string): ModuleUse {
  const { module, program, errors } = parseSync(name, source);
  if (errors.length > 0) throw new Error(`${name}: ${errors[0]?.message}`);
  const show = ({ start, end }: { readonly start: number; readonly end: number }) => source.slice(start, end);
  const requests = [
    ...module.staticImports.map(({ moduleRequest }) => moduleRequest.value),
    ...module.staticExports.flatMap(({ entries }) =>
      entries.flatMap(({ moduleRequest }) => moduleRequest?.value ?? []),
    ),
  ];
  const computed: string[] = [];
  /** Starts of `import.meta` whose use is understood. */
  const understood = new Set<number>();
  const request = (specifier: Node | undefined, toRequest = (text: string) => text) => {
    const text = specifier && readStart(specifier);
    if (text === undefined) computed.push(specifier ? show(specifier) : 'nothing');
    else requests.push(toRequest(text));
  };
  const isMeta = (node: Node | undefined, property: string) => {
    const found = node !== undefined && show(node) === `import.meta.${property}`;
    if (found) understood.add(node.start);
    return found;
  };
  new Visitor({
    ImportExpression: (node) => request(node.source),
    TSImportType: (node) => request(node.source),
    NewExpression: ({ callee, arguments: [url, base] }) => {
      if (show(callee) === 'URL' && isMeta(base, 'url')) request(url, beside);
    },
    CallExpression: ({ callee, arguments: [first] }) => {
      if (show(callee) === 'extname') isMeta(first, 'filename');
      else if (show(callee) === 'createRequire') isMeta(first, 'url');
      else if (isMeta(callee, 'resolve') || isRequire(callee, show)) request(first);
    },
  }).visit(program);
  for (const meta of module.importMetas)
    if (!understood.has(meta.start)) computed.push(source.slice(meta.start, meta.end + 20).split('\n')[0]!);
  const imported = new Set(
    module.staticImports.flatMap(({ entries }) => entries.map(({ localName }) => localName.value)),
  );
  const reexports = module.staticExports.flatMap(({ entries }) =>
    entries
      .filter(({ moduleRequest, localName }) => moduleRequest || imported.has(localName.name ?? ''))
      .map(({ exportName }) => exportName.name ?? '*'),
  );
  return { requests, computed, reexports };
}

/** `require(…)`, `require.resolve(…)`, `createRequire(…)(…)`, and functions named like it. */
function isRequire(callee: Node, show: (node: Node) => string): boolean {
  if (callee.type === 'CallExpression') return show(callee.callee) === 'createRequire';
  return /^(?:\w+R|r)equire(?:\.resolve)?$/.test(show(callee)) && !/^createRequire$/.test(show(callee));
}

/** The text of a specifier, or its folder when the rest is computed. @returns undefined when all of it is computed */
function readStart(specifier: Node | Expression): string | undefined {
  if (specifier.type === 'Literal' && typeof specifier.value === 'string') return specifier.value;
  if (specifier.type !== 'TemplateLiteral') return undefined;
  const start = specifier.quasis[0]?.value.cooked ?? '';
  if (specifier.expressions.length === 0) return start;
  const folder = start.slice(0, start.lastIndexOf('/') + 1);
  return folder === '' ? undefined : folder;
}

/** A URL without a scheme is relative to the file, with or without a dot. */
function beside(url: string): string {
  return url.startsWith('.') || URL.canParse(url) ? url : `./${url}`;
}
