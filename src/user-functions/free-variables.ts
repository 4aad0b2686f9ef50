import type { AnyNode, Class, Function as FunctionNode, Identifier, Pattern } from "acorn";

/** A name that a function takes from outside itself, at one place. */
export interface FreeReference {
  readonly node: Identifier;
  /** The enclosing nodes, the nearest first, up to the function. */
  readonly ancestors: readonly AnyNode[];
  readonly assigned: boolean;
}

/** What a function takes from where it was written. */
export interface FunctionScan {
  /** In the order of the text. */
  readonly references: readonly FreeReference[];
  /** `this`, `super` and, in an arrow function, `arguments`, where they belong to the code around the function. */
  readonly receivers: readonly AnyNode[];
  /** `import(...)` expressions anywhere in the function. */
  readonly dynamicImports: readonly Extract<AnyNode, { type: "ImportExpression" }>[];
  /** `with` statements and direct calls of `eval`, after which no name is certain. */
  readonly unpredictable: readonly AnyNode[];
}

/**
 * Finds the free variables of a function by the scoping rules of ECMAScript 2024 (hoisting, block scopes, parameter
 * scopes, named function expressions, class scopes, catch clauses), without running it.
 */
export function scanFunction(fn: FunctionNode): FunctionScan {
  const scan: Scan = { references: [], receivers: [], dynamicImports: [], unpredictable: [], ancestors: [] };
  visitFunction(fn, rootScope, scan);
  scan.references.sort((a, b) => a.node.start - b.node.start);
  return scan;
}

interface Scan {
  readonly references: FreeReference[];
  readonly receivers: AnyNode[];
  readonly dynamicImports: Extract<AnyNode, { type: "ImportExpression" }>[];
  readonly unpredictable: AnyNode[];
  /** The path from the scanned function down to the node being visited. */
  readonly ancestors: AnyNode[];
}

interface Scope {
  readonly parent: Scope | undefined;
  readonly names: ReadonlySet<string>;
  /** True where `this`, `super` and `arguments` still belong to the code outside the scanned function. */
  readonly outerReceiver: boolean;
  /** `arguments` alone belongs outside: only arrow functions leave it there. */
  readonly outerArguments: boolean;
}

const rootScope: Scope = { parent: undefined, names: new Set(), outerReceiver: true, outerArguments: true };

function inner(parent: Scope, names: Iterable<string>): Scope {
  return { ...parent, parent, names: new Set(names) };
}

function isBound(name: string, scope: Scope): boolean {
  for (let at: Scope | undefined = scope; at; at = at.parent) if (at.names.has(name)) return true;
  return false;
}

function visit(node: AnyNode | null | undefined, scope: Scope, scan: Scan): void {
  if (!node) return;
  switch (node.type) {
    case "Identifier":
      reference(node, scope, scan, false);
      return;
    case "ThisExpression":
    case "Super":
      if (scope.outerReceiver) scan.receivers.push(node);
      return;
    case "FunctionDeclaration":
    case "FunctionExpression":
    case "ArrowFunctionExpression":
      visitFunction(node, scope, scan);
      return;
    case "ClassDeclaration":
    case "ClassExpression":
      visitClass(node, scope, scan);
      return;
    case "BlockStatement":
      within(node, scan, () => {
        const block = inner(scope, lexicalNames(node.body));
        for (const statement of node.body) visit(statement, block, scan);
      });
      return;
    case "SwitchStatement":
      within(node, scan, () => {
        visit(node.discriminant, scope, scan);
        const block = inner(scope, lexicalNames(node.cases.flatMap((c) => c.consequent)));
        for (const c of node.cases) visit(c, block, scan);
      });
      return;
    case "ForStatement":
      within(node, scan, () => {
        const loop = inner(scope, node.init ? lexicalNames([node.init]) : []);
        for (const part of [node.init, node.test, node.update, node.body]) visit(part, loop, scan);
      });
      return;
    case "ForInStatement":
    case "ForOfStatement":
      within(node, scan, () => {
        const loop = inner(scope, lexicalNames([node.left]));
        if (node.left.type === "VariableDeclaration") visit(node.left, loop, scan);
        else visitPattern(node.left, loop, scan, true);
        visit(node.right, loop, scan);
        visit(node.body, loop, scan);
      });
      return;
    case "CatchClause":
      within(node, scan, () => {
        const caught = inner(scope, node.param ? patternNames(node.param) : []);
        if (node.param) visitPattern(node.param, caught, scan, false);
        visit(node.body, caught, scan);
      });
      return;
    case "VariableDeclarator":
      within(node, scan, () => {
        visitPattern(node.id, scope, scan, false);
        visit(node.init, scope, scan);
      });
      return;
    case "AssignmentExpression":
      within(node, scan, () => {
        visitPattern(node.left, scope, scan, true);
        visit(node.right, scope, scan);
      });
      return;
    case "UpdateExpression":
      within(node, scan, () => visitPattern(node.argument as Pattern, scope, scan, true));
      return;
    case "MemberExpression":
      within(node, scan, () => {
        visit(node.object, scope, scan);
        if (node.computed) visit(node.property, scope, scan);
      });
      return;
    case "Property":
    case "MethodDefinition":
    case "PropertyDefinition":
      within(node, scan, () => {
        if (node.computed) visit(node.key, scope, scan);
        visit(node.value, scope, scan);
      });
      return;
    case "UnaryExpression":
      // `typeof name` is no error where nothing has the name, so that alone takes nothing from outside.
      if (node.operator === "typeof" && node.argument.type === "Identifier" && !isBound(node.argument.name, scope))
        return;
      visitChildren(node, scope, scan);
      return;
    case "LabeledStatement":
      within(node, scan, () => visit(node.body, scope, scan));
      return;
    case "BreakStatement":
    case "ContinueStatement":
    case "MetaProperty":
    case "PrivateIdentifier":
      return;
    case "ImportExpression":
      scan.dynamicImports.push(node);
      visitChildren(node, scope, scan);
      return;
    case "WithStatement":
      scan.unpredictable.push(node);
      visitChildren(node, scope, scan);
      return;
    case "CallExpression":
      if (node.callee.type === "Identifier" && node.callee.name === "eval" && !isBound("eval", scope)) {
        scan.unpredictable.push(node);
      }
      visitChildren(node, scope, scan);
      return;
    default:
      visitChildren(node, scope, scan);
      return;
  }
}

/** The nodes whose parts are all plain expressions or statements, in the order of the text. */
function visitChildren(node: AnyNode, scope: Scope, scan: Scan): void {
  within(node, scan, () => {
    for (const value of Object.values(node) as unknown[]) {
      if (Array.isArray(value)) for (const item of value) visit(asNode(item), scope, scan);
      else visit(asNode(value), scope, scan);
    }
  });
}

function asNode(value: unknown): AnyNode | undefined {
  const isNode = typeof value === "object" && value !== null && typeof (value as AnyNode).type === "string";
  return isNode ? (value as AnyNode) : undefined;
}

function within(node: AnyNode, scan: Scan, work: () => void): void {
  scan.ancestors.unshift(node);
  work();
  scan.ancestors.shift();
}

function reference(node: Identifier, scope: Scope, scan: Scan, assigned: boolean): void {
  if (isBound(node.name, scope)) return;
  if (node.name === "arguments" && scope.outerArguments) scan.receivers.push(node);
  else scan.references.push({ node, ancestors: [...scan.ancestors], assigned });
}

function visitFunction(fn: FunctionNode, outer: Scope, scan: Scan): void {
  within(fn as AnyNode, scan, () => {
    const isArrow = fn.type === "ArrowFunctionExpression";
    const isRoot = outer === rootScope;
    // The name of a function expression is a scope of its own around the parameters.
    const named = fn.id && fn.type === "FunctionExpression" ? inner(outer, [fn.id.name]) : outer;
    const parameterNames = fn.params.flatMap(patternNames);
    const parameters: Scope = {
      parent: named,
      names: new Set(isArrow ? parameterNames : [...parameterNames, "arguments"]),
      // The scanned function's own `this` is the caller's, so it counts as taken from outside even in a `function`.
      outerReceiver: isArrow || isRoot ? outer.outerReceiver : false,
      outerArguments: isArrow ? outer.outerArguments : false,
    };
    for (const parameter of fn.params) visitPattern(parameter, parameters, scan, false);
    if (fn.body.type === "BlockStatement") {
      // Parameter defaults do not see the variables of the body, so the body is a scope inside the parameters'.
      const body = inner(parameters, [...hoistedNames(fn.body.body), ...lexicalNames(fn.body.body)]);
      for (const statement of fn.body.body) visit(statement, body, scan);
    } else {
      visit(fn.body, parameters, scan);
    }
  });
}

function visitClass(node: Class, outer: Scope, scan: Scan): void {
  within(node as AnyNode, scan, () => {
    const scope = node.id ? inner(outer, [node.id.name]) : outer;
    visit(node.superClass, scope, scan);
    for (const member of node.body.body) {
      if (member.type === "StaticBlock") {
        const block = { ...inner(scope, [...hoistedNames(member.body), ...lexicalNames(member.body)]), ...ownReceiver };
        for (const statement of member.body) visit(statement, block, scan);
        continue;
      }
      if (member.computed) visit(member.key, scope, scan);
      // A field's initialiser runs as a method of the new object.
      visit(member.value, { ...inner(scope, []), ...ownReceiver }, scan);
    }
  });
}

const ownReceiver = { outerReceiver: false, outerArguments: false } as const;

/** Visits the defaults and computed keys of a binding pattern, and its targets where it is an assignment. */
function visitPattern(pattern: Pattern, scope: Scope, scan: Scan, assigned: boolean): void {
  switch (pattern.type) {
    case "Identifier":
      if (assigned) reference(pattern, scope, scan, true);
      return;
    case "MemberExpression":
      within(pattern, scan, () => {
        const { object } = pattern;
        // `exports.count = ...` in a cell assigns the notebook's variable `count`; `table.x = ...` does not assign `table`.
        if (object.type === "Identifier") reference(object, scope, scan, assigned && object.name === "exports");
        else visit(object, scope, scan);
        if (pattern.computed) visit(pattern.property, scope, scan);
      });
      return;
    case "ObjectPattern":
      for (const property of pattern.properties) {
        if (property.type === "RestElement") {
          visitPattern(property.argument, scope, scan, assigned);
          continue;
        }
        if (property.computed) visit(property.key, scope, scan);
        visitPattern(property.value, scope, scan, assigned);
      }
      return;
    case "ArrayPattern":
      for (const element of pattern.elements) if (element) visitPattern(element, scope, scan, assigned);
      return;
    case "RestElement":
      visitPattern(pattern.argument, scope, scan, assigned);
      return;
    case "AssignmentPattern":
      visitPattern(pattern.left, scope, scan, assigned);
      visit(pattern.right, scope, scan);
      return;
  }
}

/** The names a pattern binds. */
function patternNames(pattern: Pattern): string[] {
  switch (pattern.type) {
    case "Identifier":
      return [pattern.name];
    case "MemberExpression":
      return [];
    case "ObjectPattern":
      return pattern.properties.flatMap((p) => patternNames(p.type === "RestElement" ? p.argument : p.value));
    case "ArrayPattern":
      return pattern.elements.flatMap((element) => (element ? patternNames(element) : []));
    case "RestElement":
      return patternNames(pattern.argument);
    case "AssignmentPattern":
      return patternNames(pattern.left);
  }
}

/** The names that `let`, `const`, `class` and `function` declare directly in a block. */
function lexicalNames(statements: readonly AnyNode[]): string[] {
  return statements.flatMap((statement) => {
    const declared = statement.type === "LabeledStatement" ? statement.body : statement;
    switch (declared.type) {
      case "VariableDeclaration":
        return declared.kind === "var" ? [] : declared.declarations.flatMap((d) => patternNames(d.id));
      case "ClassDeclaration":
      case "FunctionDeclaration":
        return declared.id ? [declared.id.name] : [];
      default:
        return [];
    }
  });
}

/** The names that rise to the function from any depth: `var`, and functions in blocks (as in sloppy mode). */
function hoistedNames(statements: readonly AnyNode[]): string[] {
  const names: string[] = [];
  const search = (node: AnyNode | undefined): void => {
    if (!node) return;
    switch (node.type) {
      case "FunctionDeclaration":
        if (node.id) names.push(node.id.name);
        return;
      case "VariableDeclaration":
        if (node.kind === "var") names.push(...node.declarations.flatMap((d) => patternNames(d.id)));
        return;
      case "FunctionExpression":
      case "ArrowFunctionExpression":
      case "ClassDeclaration":
      case "ClassExpression":
      case "ExpressionStatement":
        return;
      default:
        for (const value of Object.values(node) as unknown[]) {
          if (Array.isArray(value)) for (const item of value) search(asNode(item));
          else search(asNode(value));
        }
    }
  };
  for (const statement of statements) search(statement);
  return names;
}
