import { parse } from '@bufbuild/cel';
import { RefwardenError } from '../../failures/failure.ts';
import { expressionRoots } from '../../policy/assertions.ts';
import type { ExpressionRoot, ExpressionScope } from '../../policy/assertions.ts';
import { PatternRefused } from '../../policy/re2.ts';
import { excerpt } from '../excerpt.ts';
import { countedRange, knownFunctions, neverBooleanFunctions } from './metered-functions.ts';
import { fieldShape, itemShape, rootShapes, whyNoField } from './shapes.ts';
import type { Shape } from './shapes.ts';
import { compileTextPattern } from './text-pattern.ts';

/** Longest expression, in characters; the schema of policies says the same. */
const maxExpressionLength = 4096;
/** Most nodes of one expression; `a.b == 'c'` has four. */
const maxNodes = 1000;
/** Deepest nesting of loops (`all`, `exists`, `map`, ...): one within another. */
const maxLoopDepth = 2;

/** Deepest nesting of brackets: the parser takes time by the cube of it where the text is broken. */
const maxBracketDepth = 32;

/** Most RE2 instructions of all patterns of one expression that are written out: compiling them takes some milliseconds. */
const maxPatternInstructions = 4000;

/** The function of `list[0]`. */
const indexing = '_[_]';

/** Names of types, as in `type(x) == string`. */
const typeNames: ReadonlySet<string> = new Set(
  'int uint double bool string bytes list map null_type type'.split(' '),
);

export type Expr = NonNullable<ReturnType<typeof parse>['expr']>;
type Comprehension = Extract<Expr['exprKind'], { case: 'comprehensionExpr' }>['value'];

export interface ParsedExpression {
  /** Each loop of it pays for its items. */
  readonly expr: Expr;
  readonly uses: readonly ExpressionRoot[];
}

/** @throws RefwardenError `ExpressionInvalid`; the message says what is wrong and where. */
export function parseExpression(expression: string, scope: ExpressionScope): ParsedExpression {
  if (expression.length > maxExpressionLength) {
    throw new RefwardenError(
      'ExpressionInvalid',
      `The expression is longer than ${maxExpressionLength} characters.`,
    );
  }
  if (bracketDepth(expression) > maxBracketDepth) {
    throw new RefwardenError(
      'ExpressionInvalid',
      `The expression does not parse: its brackets are nested deeper than ${maxBracketDepth}.`,
    );
  }
  const { expr, sourceInfo } = parseText(expression);
  const reader = new ExpressionReader(expression, scope, (id) => sourceInfo?.positions[id.toString()]);
  reader.readCondition(expr);
  return { expr, uses: [...reader.uses] };
}

const reservedNamespace = ' CEL reserves the word namespace: write namespaceObject.';

function parseText(expression: string): ReturnType<typeof parse> & { readonly expr: Expr } {
  try {
    return parse(expression);
  } catch (cause) {
    // The parser says `<input>:line:column: what`; a stack overflow says nothing of use.
    const place = /^<input>:([0-9]+):([0-9]+): ([^]*)$/.exec(cause instanceof Error ? cause.message : '');
    const what = place === null ? 'it is nested too deep' : `at ${place[1]}:${place[2]}, ${place[3]}`;
    const hint = /(?<![.\w])namespace\b/.test(expression) ? reservedNamespace : '';
    throw new RefwardenError(
      'ExpressionInvalid',
      `The expression does not parse: ${excerpt(what)}.${hint}`,
      cause,
    );
  }
}

// Comments and texts, whose brackets are none. Where what is no CEL is taken for one of these, the parser stops there.
const skipped =
  /\/\/.*|(?:[rR][bB]?|[bB][rR])(?:"""[^]*?"""|'''[^]*?'''|"[^"\n]*"|'[^'\n]*')|"""(?:\\[^]|[^\\])*?"""|'''(?:\\[^]|[^\\])*?'''|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'/g;

/** Those that are never closed count as well. */
function bracketDepth(expression: string): number {
  let depth = 0;
  let deepest = 0;
  for (const [bracket] of expression.replace(skipped, '').matchAll(/[[\](){}]/g)) {
    depth += '[({'.includes(bracket) ? 1 : depth > 0 ? -1 : 0;
    deepest = Math.max(deepest, depth);
  }
  return deepest;
}

interface Surroundings {
  /** Of the loops around, with what each is. */
  readonly variables: ReadonlyMap<string, Shape>;
  readonly loops: number;
}

/** Reads an expression for what it names, and makes its loops pay. */
class ExpressionReader {
  readonly uses = new Set<ExpressionRoot>();
  readonly #expression: string;
  readonly #scope: ExpressionScope;
  readonly #offsetOf: (id: bigint) => number | undefined;
  #nodes = 0;
  #patternInstructions = 0;

  constructor(expression: string, scope: ExpressionScope, offsetOf: (id: bigint) => number | undefined) {
    this.#expression = expression;
    this.#scope = scope;
    this.#offsetOf = offsetOf;
  }

  /** The whole of it, which is to be true or false. */
  readCondition(expr: Expr): void {
    const shape = this.read(expr, { variables: new Map(), loops: 0 });
    const isObject = typeof shape === 'object';
    if (isObject || isNeverBoolean(expr)) {
      this.#refuse(expr, 'it is neither true nor false, whatever it reads: compare it with something');
    }
  }

  /** @returns the shape of its value. */
  read(expr: Expr | undefined, around: Surroundings): Shape {
    if (expr === undefined) return undefined;
    if (++this.#nodes > maxNodes) this.#refuse(expr, `it has more than ${maxNodes} parts`);
    const { exprKind } = expr;
    switch (exprKind.case) {
      case 'constExpr':
        return undefined;
      case 'identExpr':
        return this.#name(expr, exprKind.value.name, around);
      case 'selectExpr':
        return this.#select(expr, this.read(exprKind.value.operand, around), exprKind.value.field);
      case 'callExpr': {
        const { function: name, target, args } = exprKind.value;
        if (!knownFunctions.has(name))
          this.#refuse(expr, `there is no function ${excerpt(name)} of that form`);
        if (name === 'matches') this.#checkPattern(args.at(-1));
        const [first] = [target, ...args].map((part) => this.read(part, around)).slice(target ? 0 : 1);
        return name === indexing ? itemShape(first) : undefined;
      }
      case 'listExpr':
        for (const element of exprKind.value.elements) this.read(element, around);
        return undefined;
      case 'structExpr':
        if (exprKind.value.messageName !== '') {
          this.#refuse(expr, `there is no type ${excerpt(exprKind.value.messageName)}`);
        }
        for (const { keyKind, value } of exprKind.value.entries) {
          if (keyKind.case === 'mapKey') this.read(keyKind.value, around);
          this.read(value, around);
        }
        return undefined;
      case 'comprehensionExpr':
        this.#readLoop(expr, exprKind.value, around);
        return undefined;
      default:
        return this.#refuse(expr, 'a part of it is of no known kind');
    }
  }

  #select(expr: Expr, operand: Shape, field: string): Shape {
    const why = whyNoField(operand, field);
    if (why !== undefined) this.#refuse(expr, `there is no field ${excerpt(field)}; ${why}`);
    return fieldShape(operand, field);
  }

  #readLoop(expr: Expr, loop: Comprehension, around: Surroundings): void {
    const { iterVar, accuVar, iterRange, accuInit, loopCondition, loopStep, result } = loop;
    const loops = around.loops + 1;
    if (loops > maxLoopDepth) {
      this.#refuse(expr, `loops (all, exists, map, ...) are nested deeper than ${maxLoopDepth}`);
    }
    const item = itemShape(this.read(iterRange, around));
    const before = this.#nodes;
    const inside = {
      variables: new Map([...around.variables, [iterVar, item], [accuVar, undefined]]),
      loops,
    };
    for (const part of [accuInit, loopCondition, loopStep, result]) this.read(part, inside);
    if (iterRange !== undefined) loop.iterRange = counted(iterRange, this.#nodes - before);
  }

  #name(expr: Expr, name: string, { variables }: Surroundings): Shape {
    if (variables.has(name)) return variables.get(name);
    if (typeNames.has(name)) return undefined;
    const roots: readonly ExpressionRoot[] = expressionRoots[this.#scope];
    const root = roots.find((known) => known === name);
    if (root !== undefined) {
      this.uses.add(root);
      return rootShapes[root];
    }
    const elsewhere: readonly string[] = expressionRoots[this.#scope === 'assert' ? 'crossCheck' : 'assert'];
    const where = this.#scope === 'assert' ? 'crossChecks' : 'assert';
    const what = elsewhere.includes(name)
      ? `${name} is known in ${where} only`
      : `${excerpt(name)} is not known`;
    return this.#refuse(expr, `${what}; known here: ${roots.join(', ')}`);
  }

  /** One that is written out is refused now, not when it is first met. */
  #checkPattern(pattern: Expr | undefined): void {
    if (pattern?.exprKind.case !== 'constExpr') return;
    const { constantKind } = pattern.exprKind.value;
    if (constantKind.case !== 'stringValue') return;
    try {
      this.#patternInstructions += compileTextPattern(constantKind.value).size;
    } catch (thrown) {
      const why = thrown instanceof PatternRefused ? thrown.why : 'is not RE2';
      this.#refuse(pattern, `the pattern of matches ${excerpt(why)}`);
    }
    if (this.#patternInstructions > maxPatternInstructions)
      this.#refuse(pattern, 'its patterns of matches together repeat too much');
  }

  #refuse({ id }: Expr, what: string): never {
    const offset = this.#offsetOf(id);
    const lines = this.#expression.slice(0, offset ?? 0).split('\n');
    const place = offset === undefined ? '' : ` (at ${lines.length}:${(lines.at(-1)?.length ?? 0) + 1})`;
    throw new RefwardenError('ExpressionInvalid', `The expression cannot be used: ${what}${place}.`);
  }
}

/** Its own form says so: arithmetic, `size(...)`, a text, a list of `map` or `filter`. */
function isNeverBoolean({ exprKind }: Expr): boolean {
  switch (exprKind.case) {
    case 'constExpr':
      return exprKind.value.constantKind.case !== 'boolValue';
    case 'listExpr':
    case 'structExpr':
      return true;
    case 'comprehensionExpr':
      return exprKind.value.accuInit?.exprKind.case === 'listExpr';
    case 'callExpr': {
      const { function: name, args } = exprKind.value;
      if (name === '_?_:_') return args.slice(1).every(isNeverBoolean);
      if (name === 'dyn') return args.every(isNeverBoolean);
      return neverBooleanFunctions.has(name);
    }
    default:
      return false;
  }
}

/** The range, paid for: `stepsEach` for each of its items. */
function counted(range: Expr, stepsEach: number): Expr {
  return {
    $typeName: 'cel.expr.Expr',
    id: range.id,
    exprKind: {
      case: 'callExpr',
      value: {
        $typeName: 'cel.expr.Expr.Call',
        function: countedRange,
        args: [range, parse(`${stepsEach}`).expr],
      },
    },
  };
}
