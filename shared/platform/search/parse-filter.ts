import { isAppError } from '../../core/errors.ts';
import type { Comparison, Condition, Expression } from './expression.ts';
import { refuse, searchLimits, shorten } from './expression.ts';
import type { Token } from './lexer.ts';
import { isWord, splitName, tokenize } from './lexer.ts';
import type { Operator, SearchField, SearchSubject } from './subject.ts';
import { numberOperators, textOperators } from './subject.ts';

/**
 * Reads a filter: conditions joined by AND, OR and NOT (which binds closest), with parentheses.
 *
 * @returns undefined for an empty filter
 * @throws INVALID_ARGUMENT naming the character and what would be right there
 */
export function parseFilter(text: string, subject: SearchSubject): Expression | undefined {
  const parser = new FilterParser(tokenize(text), subject);
  return parser.parse();
}

const joiners = ['and', 'or'] as const;

class FilterParser {
  readonly #tokens: readonly Token[];
  readonly #subject: SearchSubject;
  #next = 0;
  #conditions = 0;

  constructor(tokens: readonly Token[], subject: SearchSubject) {
    this.#tokens = tokens;
    this.#subject = subject;
  }

  parse(): Expression | undefined {
    if (this.#peek().kind === 'end') return undefined;
    const expression = this.#joined('or', 1);
    const rest = this.#peek();
    if (rest.kind === 'end') return expression;
    throw refuse(
      `Invalid clause(s) in filter string: '${shorten(rest.text)}'. Join conditions with AND or OR`,
      rest.at,
    );
  }

  /** Conditions joined by OR, each of them by AND. */
  #joined(kind: (typeof joiners)[number], depth: number): Expression {
    const part = () => (kind === 'or' ? this.#joined('and', depth + 1) : this.#negated(depth + 1));
    const parts = [part()];
    while (isWord(this.#peek(), kind.toUpperCase())) {
      this.#take();
      parts.push(part());
    }
    if (parts.length === 1) return parts[0]!;
    // What parentheses hold is not nested any deeper when it is joined in the same way.
    return { kind, parts: parts.flatMap((one) => (one.kind === kind ? one.parts : [one])) };
  }

  #negated(depth: number): Expression {
    const token = this.#peek();
    if (depth > searchLimits.nesting * 3)
      throw refuse(`A filter is nested at most ${searchLimits.nesting} deep`, token.at);
    if (isWord(token, 'NOT')) {
      this.#take();
      return { kind: 'not', part: this.#negated(depth + 3) };
    }
    if (token.kind !== '(') return withAlternatives(this.#condition());
    this.#take();
    const inner = this.#joined('or', depth + 1);
    const closing = this.#take();
    if (closing.kind === ')') return inner;
    throw refuse(
      `Invalid clause(s) in filter string: expected ')' but found '${shorten(closing.text)}'`,
      closing.at,
    );
  }

  #condition(): Condition {
    const name = this.#take();
    if (name.kind !== 'name')
      throw refuse(
        name.kind === 'end'
          ? 'Invalid clause(s) in filter string: it ends where a condition should follow'
          : `Invalid comparison clause. Expected 'Identifier' found '${shorten(name.text)}': a field such as metrics.loss or tags."my key" comes first`,
        name.at,
      );
    this.#conditions += 1;
    if (this.#conditions > searchLimits.conditions)
      throw refuse(
        `A filter has at most ${searchLimits.conditions} conditions; use IN for many values`,
        name.at,
      );
    const field = this.#fieldOf(name);
    const token = this.#take();
    if (isWord(token, 'IS')) return this.#missing(field);
    const isNegated = isWord(token, 'NOT');
    const word = isNegated ? this.#take() : token;
    if (isWord(word, 'IN')) return this.#list(name, field, isNegated, word);
    if (isWord(word, 'LIKE') || isWord(word, 'ILIKE')) {
      const op = word.text.toUpperCase() as 'LIKE' | 'ILIKE';
      checkOperator(field, op, word);
      const pattern = this.#text(name, this.#take());
      return { kind: 'condition', field, op: 'like', pattern, ignoreCase: op === 'ILIKE', isNegated };
    }
    if (isNegated || token.kind !== 'operator')
      throw refuse(
        `Invalid comparison clause: expected a comparison (${operatorsOf(field).join(', ')}, IS NULL) found '${shorten(word.text)}'`,
        word.at,
      );
    checkOperator(field, token.text, token);
    const op = token.text as Comparison;
    const value = this.#take();
    return {
      kind: 'condition',
      field,
      op,
      value: field.type === 'number' ? this.#number(name, value) : this.#text(name, value),
    };
  }

  #missing(field: SearchField): Condition {
    const isNegated = isWord(this.#peek(), 'NOT');
    if (isNegated) this.#take();
    const token = this.#take();
    if (!isWord(token, 'NULL'))
      throw refuse(
        `Invalid comparison clause: expected IS NULL or IS NOT NULL found '${shorten(token.text)}'`,
        token.at,
      );
    return { kind: 'condition', field, op: 'missing', isNegated };
  }

  #list(name: Token, field: SearchField, isNegated: boolean, word: Token): Condition {
    checkOperator(field, 'IN', word);
    const what =
      'While parsing a list in the query, expected a non-empty list of string values in parentheses';
    const opening = this.#take();
    if (opening.kind !== '(') throw refuse(`${what}, but found '${shorten(opening.text)}'`, opening.at);
    const values: (number | string)[] = [];
    if (this.#peek().kind === ')') throw refuse(`${what}, but got empty list`, opening.at);
    for (;;) {
      const value = this.#take();
      values.push(field.type === 'number' ? this.#number(name, value) : this.#text(name, value));
      if (values.length > searchLimits.listValues)
        throw refuse(`A list has at most ${searchLimits.listValues} values`, value.at);
      const token = this.#take();
      // As in Python, whose lists MLflow reads: a comma may stand before the end.
      const isOver = token.kind === ')' || (token.kind === ',' && this.#peek().kind === ')');
      if (token.kind === ',' && isOver) this.#take();
      if (isOver) return { kind: 'condition', field, op: 'in', values, isNegated };
      if (token.kind !== ',') throw refuse(`${what}, but got ill-formed list`, token.at);
    }
  }

  #number(name: Token, token: Token): number {
    if (token.kind === 'number') return token.value;
    throw refuse(
      `Expected numeric value type for ${describe(name)}. Found ${shorten(token.text) || 'nothing'}`,
      token.at,
    );
  }

  #text(name: Token, token: Token): string {
    if (token.kind === 'string') return token.value;
    if (token.kind === 'name' && token.pieces.length === 1 && token.pieces[0]!.quote === '"')
      return token.pieces[0]!.text;
    throw refuse(
      `Expected a quoted string value for ${describe(name)} (e.g. 'my-value'). Got value ${shorten(token.text) || 'nothing'}`,
      token.at,
    );
  }

  #fieldOf(token: Token & { readonly kind: 'name' }): SearchField {
    const { entity, key } = splitName(token.pieces);
    try {
      const field = key === '' ? undefined : this.#subject.fieldOf(entity, key);
      if (field !== undefined) return field;
    } catch (error) {
      throw isAppError(error, 'INVALID_ARGUMENT') ? refuse(error.message, token.at) : error;
    }
    throw refuse(
      `Invalid identifier '${shorten(token.text)}': ${this.#subject.what} have no such field`,
      token.at,
    );
  }

  #peek(): Token {
    return this.#tokens[this.#next]!;
  }

  /** The last one, the end, can be taken again and again. */
  #take(): Token {
    const token = this.#peek();
    if (token.kind !== 'end') this.#next += 1;
    return token;
  }
}

/** A value is missing where none of the fields has it. */
function withAlternatives(condition: Condition): Expression {
  const { alternatives } = condition.field;
  if (alternatives === undefined) return condition;
  const parts = [condition, ...alternatives.map((field) => ({ ...condition, field }))];
  return { kind: condition.op === 'missing' && !condition.isNegated ? 'and' : 'or', parts };
}

function describe(name: Token): string {
  return shorten(name.text);
}

function operatorsOf(field: SearchField): readonly Operator[] {
  return field.operators ?? (field.type === 'number' ? numberOperators : textOperators);
}

function checkOperator(field: SearchField, op: string, token: Token): void {
  const allowed = operatorsOf(field);
  if (allowed.some((known) => known === op)) return;
  const names = allowed.map((known) => `'${known}'`).join(', ');
  throw refuse(`Invalid comparator '${shorten(token.text)}' not one of ${names}`, token.at);
}
