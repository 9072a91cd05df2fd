import { AppError } from '../../shared/core/errors.ts';

/** A binding path such as `landing/{dataset}/{file}`, which extracts values from a path or inserts them. */
export interface BindingTemplate {
  readonly parameters: readonly string[];
  /** The text before the first parameter. */
  readonly prefix: string;
  /** @returns the values; undefined when the path does not match */
  read(path: string): Readonly<Record<string, string>> | undefined;
  /** @throws AppError INVALID_ARGUMENT for a parameter without a value */
  write(values: Readonly<Record<string, string>>): string;
}

type Token = { readonly kind: 'literal' | 'parameter'; readonly text: string };

/**
 * Parses a binding template with the grammar of the WebJobs SDK: `{name}`, and `{{` and `}}` for braces. Every
 * parameter is greedy and crosses slashes: in `{dataset}/{file}` the path `a/b/c` gives dataset "a/b", file "c".
 *
 * @throws AppError INVALID_ARGUMENT for unbalanced braces or a name that is not an identifier
 * @see https://github.com/Azure/azure-webjobs-sdk/blob/dev/src/Microsoft.Azure.WebJobs.Host/Bindings/Path/BindingTemplateParser.cs
 */
export function parseBindingTemplate(template: string): BindingTemplate {
  const tokens = tokenize(template);
  const parameters = tokens.filter(({ kind }) => kind === 'parameter').map(({ text }) => text);
  const repeated = parameters.find((name, index) => parameters.indexOf(name) !== index);
  if (repeated !== undefined) throw invalid(template, `{${repeated}} is repeated`);
  const source = tokens.map(({ kind, text }) => (kind === 'literal' ? RegExp.escape(text) : '(.*)')).join('');
  const pattern = new RegExp(`^${source}$`, 's');
  const firstParameter = tokens.findIndex(({ kind }) => kind === 'parameter');
  const head = firstParameter === -1 ? tokens : tokens.slice(0, firstParameter);
  return {
    parameters,
    prefix: head.map(({ text }) => text).join(''),
    read(path) {
      const match = pattern.exec(path);
      return match
        ? Object.fromEntries(parameters.map((name, index) => [name, match[index + 1]!]))
        : undefined;
    },
    write: (values) =>
      tokens
        .map(({ kind, text }) => {
          if (kind === 'literal') return text;
          const value = values[text.toLowerCase()];
          if (value === undefined) throw invalid(template, `{${text}} has no value`);
          return value;
        })
        .join(''),
  };
}

function tokenize(template: string): readonly Token[] {
  const tokens: Token[] = [];
  for (const [text] of template.matchAll(/\{\{|\}\}|\{[^{}]*\}|[^{}]+|[{}]/g)) {
    if (text === '{' || text === '}') throw invalid(template, 'braces do not match');
    if (text === '{{' || text === '}}') tokens.push({ kind: 'literal', text: text[0]! });
    else if (!text.startsWith('{')) tokens.push({ kind: 'literal', text });
    else if (/^\{[\p{L}_][\p{L}\p{N}_.-]*\}$/u.test(text))
      tokens.push({ kind: 'parameter', text: text.slice(1, -1) });
    else throw invalid(template, `${text} is not a valid parameter name`);
  }
  return tokens;
}

function invalid(template: string, reason: string): AppError {
  return new AppError('INVALID_ARGUMENT', `Binding path "${template}": ${reason}.`, { template });
}
