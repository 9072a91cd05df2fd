import { searchErrors } from './errors.ts';
import type { Comparison, Condition, Expression } from './expression.ts';
import { searchLimits, shorten } from './expression.ts';
import type { Token } from './lexer.ts';
import { isWord, splitName, tokenize } from './lexer.ts';
import type { Operator, SearchField, SearchSubject } from './subject.ts';
import { findField, numberOperators, textOperators } from './subject.ts';

/**
 * Parses a filter: conditions joined by AND, OR and NOT, with parentheses. NOT binds closest, then AND.
 *
 * @returns undefined for an empty filter
 * @throws INVALID_ARGUMENT with the position and what is expected there
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
    throw searchErrors.trailingText(foundAt(rest));
  }

  /** A disjunction of conjunctions. */
  #joined(kind: (typeof joiners)[number], depth: number): Expression {
    const part = () => (kind === 'or' ? this.#joined('and', depth + 1) : this.#negated(depth + 1));
    const parts = [part()];
    while (isWord(this.#peek(), kind.toUpperCase())) {
      this.#take();
      parts.push(part());
    }
    if (parts.length === 1) return parts[0]!;
    // Flatten: `a AND (b AND c)` has one level.
    return { kind, parts: parts.flatMap((one) => (one.kind === kind ? one.parts : [one])) };
  }

  #negated(depth: number): Expression {
    const token = this.#peek();
    if (depth > searchLimits.nesting * 3)
      throw searchErrors.nestedTooDeep({ maxDepth: searchLimits.nesting, character: token.at + 1 });
    if (isWord(token, 'NOT')) {
      this.#take();
      return { kind: 'not', part: this.#negated(depth + 3) };
    }
    if (token.kind !== '(') return withAlternatives(this.#condition());
    this.#take();
    const inner = this.#joined('or', depth + 1);
    const closing = this.#take();
    if (closing.kind === ')') return inner;
    throw searchErrors.groupNotClosed(foundAt(closing));
  }

  #condition(): Condition {
    const name = this.#take();
    if (name.kind === 'end') throw searchErrors.conditionMissing({ character: name.at + 1 });
    if (name.kind !== 'name') throw searchErrors.fieldExpected(foundAt(name));
    this.#conditions += 1;
    if (this.#conditions > searchLimits.conditions)
      throw searchErrors.tooManyConditions({
        maxConditions: searchLimits.conditions,
        character: name.at + 1,
      });
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
      throw searchErrors.comparisonExpected({ ...foundAt(word), operators: operatorsOf(field) });
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
    if (!isWord(token, 'NULL')) throw searchErrors.nullExpected(foundAt(token));
    return { kind: 'condition', field, op: 'missing', isNegated };
  }

  #list(name: Token, field: SearchField, isNegated: boolean, word: Token): Condition {
    checkOperator(field, 'IN', word);
    const opening = this.#take();
    if (opening.kind !== '(') throw searchErrors.listExpected(foundAt(opening));
    const values: (number | string)[] = [];
    if (this.#peek().kind === ')') throw searchErrors.listEmpty({ character: opening.at + 1 });
    for (;;) {
      const value = this.#take();
      values.push(field.type === 'number' ? this.#number(name, value) : this.#text(name, value));
      if (values.length > searchLimits.listValues)
        throw searchErrors.listTooLong({ maxValues: searchLimits.listValues, character: value.at + 1 });
      const token = this.#take();
      // A trailing comma is allowed, as in Python.
      const isOver = token.kind === ')' || (token.kind === ',' && this.#peek().kind === ')');
      if (token.kind === ',' && isOver) this.#take();
      if (isOver) return { kind: 'condition', field, op: 'in', values, isNegated };
      if (token.kind !== ',') throw searchErrors.listNotClosed(foundAt(token));
    }
  }

  #number(name: Token, token: Token): number {
    if (token.kind === 'number') return token.value;
    throw searchErrors.numberExpected({ ...foundAt(token), field: shorten(name.text) });
  }

  #text(name: Token, token: Token): string {
    if (token.kind === 'string') return token.value;
    if (token.kind === 'name' && token.pieces.length === 1 && token.pieces[0]!.quote === '"')
      return token.pieces[0]!.text;
    throw searchErrors.stringExpected({ ...foundAt(token), field: shorten(name.text) });
  }

  #fieldOf(token: Token & { readonly kind: 'name' }): SearchField {
    const { entity, key } = splitName(token.pieces);
    const character = token.at + 1;
    const field = key === '' ? undefined : findField(this.#subject, entity, key, { character });
    if (field !== undefined) return field;
    throw searchErrors.fieldUnknown({ name: shorten(token.text), what: this.#subject.what, character });
  }

  #peek(): Token {
    return this.#tokens[this.#next]!;
  }

  /** Takes the next token; the end token repeats. */
  #take(): Token {
    const token = this.#peek();
    if (token.kind !== 'end') this.#next += 1;
    return token;
  }
}

/** A value is missing when every alternative lacks it. */
function withAlternatives(condition: Condition): Expression {
  const { alternatives } = condition.field;
  if (alternatives === undefined) return condition;
  const parts = [condition, ...alternatives.map((field) => ({ ...condition, field }))];
  return { kind: condition.op === 'missing' && !condition.isNegated ? 'and' : 'or', parts };
}

function foundAt(token: Token): { readonly found: string; readonly character: number } {
  return { found: shorten(token.text), character: token.at + 1 };
}

function operatorsOf(field: SearchField): readonly Operator[] {
  return field.operators ?? (field.type === 'number' ? numberOperators : textOperators);
}

function checkOperator(field: SearchField, op: string, token: Token): void {
  const allowed = operatorsOf(field);
  if (allowed.some((known) => known === op)) return;
  throw searchErrors.operatorNotAllowed({ ...foundAt(token), operators: allowed });
}
